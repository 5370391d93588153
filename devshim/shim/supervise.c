/* supervise.c: the supervisor of the engine `seccomp`: its threads take caught calls, one at a time each, and answer them.
 *
 * The kernel wakes all threads that wait for a call, so only one does, which has the seat. It keeps it while it answers what
 * takes no time, and leaves it to another before it waits for a device. The kernel lets nothing but a kill end a caller's
 * waiting; therefore one thread looks, every 20 ms, whether a signal is there for somebody who waits, and interrupts the one
 * that does it on his behalf; or whether somebody sits there for too long. */
#include "supervise.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "interposed.h"
#include "supervised.h"

#ifdef SUPERVISES

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* linux/seccomp.h of 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1ul << 0)
#endif

#define RESTART   512 /* ERESTARTSYS of the kernel's linux/errno.h */

enum { MOST_WORKERS = 4096, STACK = 512 << 10, LOOK_NS = 20000000, QUIET_LOOKS = 50 };

struct worker {
    pthread_mutex_t lock;
    pid_t thread;
    bool at_call;
    bool seated;        /* taken away by whoever exchanges it for false */
    enum ending ending;
    bool gone;          /* nobody waits for the answer any more */
    unsigned looks;     /* how often the watcher has seen it at this call */
    unsigned pending;   /* of these, how often in a row with a signal that another thread might take */
    struct caught call;
};

static int listener;
static struct worker *workers[MOST_WORKERS];
static unsigned workers_made, standing_by;
static uint32_t seat_taken, calls_begun, watcher_sleeps;
static __thread struct worker *own_worker __attribute__((tls_model("initial-exec")));

/* Of workers; some may be empty. */
static unsigned places_taken(void)
{
    unsigned made = __atomic_load_n(&workers_made, __ATOMIC_ACQUIRE);
    return made < MOST_WORKERS ? made : MOST_WORKERS;
}

void say(const char *text)
{
    struct iovec parts[] = { { "devshim: ", 9 }, { (void *)(uintptr_t)text, strlen(text) }, { "\n", 1 } };
    real.writev(2, parts, 3);
}

void remote_refused(void)
{
    static bool told;
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        say("the kernel does not let devshim look into a process that the program has started: its devices do not work; "
            "run as root, or set kernel.yama.ptrace_scope to 0, or give the container CAP_SYS_PTRACE");
}

/* ---- The seat -------------------------------------------------------------------------------------- */

static bool start_worker(void);

static void take_seat(struct worker *worker)
{
    uint32_t nobody = 0;

    __atomic_add_fetch(&standing_by, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(&seat_taken, &nobody, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        real.syscall(SYS_futex, &seat_taken, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
        nobody = 0;
    }
    __atomic_sub_fetch(&standing_by, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&worker->seated, true, __ATOMIC_SEQ_CST);
}

static void leave_seat_of(struct worker *worker)
{
    if (!__atomic_exchange_n(&worker->seated, false, __ATOMIC_SEQ_CST))
        return;
    __atomic_store_n(&seat_taken, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&standing_by, __ATOMIC_SEQ_CST) == 0)
        start_worker();
    else
        real.syscall(SYS_futex, &seat_taken, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

void remote_waits(void)
{
    if (own_worker)
        leave_seat_of(own_worker);
}

/* ---- Waiting calls --------------------------------------------------------------------------------- */

static bool is_valid(uint64_t call)
{
    return real.syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call) == 0 || errno != ENOENT;
}

/* With the worker's lock: so the signal finds it at no other call. */
static void look_at(struct worker *worker)
{
    const struct caught *call = &worker->call;

    if (++worker->looks < 2)
        return;
    leave_seat_of(worker);
    worker->gone = !is_valid(call->remote.call);
    enum ending ending = worker->gone ? RESTARTS : ending_of(call->process, call->remote.thread);
    worker->pending = ending == INTERRUPTED ? worker->pending + 1 : 0;
    if (ending == GOES_ON || (ending == INTERRUPTED && worker->pending < 2))
        return;
    worker->ending = ending;
    real.syscall(SYS_tgkill, real.syscall(SYS_getpid), worker->thread, INTERRUPT);
}

static void look_at_all(void)
{
    unsigned count = places_taken();

    for (unsigned i = 0; i < count; i++) {
        struct worker *worker = __atomic_load_n(&workers[i], __ATOMIC_ACQUIRE);
        if (!worker)
            continue;
        pthread_mutex_lock(&worker->lock);
        if (worker->at_call)
            look_at(worker);
        pthread_mutex_unlock(&worker->lock);
    }
}

static bool anybody_at_call(void)
{
    unsigned count = places_taken();

    for (unsigned i = 0; i < count; i++) {
        struct worker *worker = __atomic_load_n(&workers[i], __ATOMIC_ACQUIRE);
        if (worker && __atomic_load_n(&worker->at_call, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

/* A second without calls, and it sleeps until there is one. */
static void *watch_over(void *unused)
{
    const struct timespec moment = { .tv_nsec = LOOK_NS };
    unsigned quiet = 0;
    uint32_t begun = 0;

    for (;;) {
        real.syscall(SYS_nanosleep, &moment, NULL);
        look_at_all();
        uint32_t now = __atomic_load_n(&calls_begun, __ATOMIC_RELAXED);
        quiet = now == begun && !anybody_at_call() ? quiet + 1 : 0;
        begun = now;
        if (quiet < QUIET_LOOKS)
            continue;
        __atomic_store_n(&watcher_sleeps, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&calls_begun, __ATOMIC_SEQ_CST) == begun)
            real.syscall(SYS_futex, &watcher_sleeps, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
        __atomic_store_n(&watcher_sleeps, 0, __ATOMIC_SEQ_CST);
        quiet = 0;
    }
    return unused;
}

static void begin_call(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->ending = GOES_ON;
    worker->gone = false;
    worker->looks = worker->pending = 0;
    worker->at_call = true;
    pthread_mutex_unlock(&worker->lock);
    __atomic_fetch_add(&calls_begun, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&watcher_sleeps, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&watcher_sleeps, 0, __ATOMIC_SEQ_CST);
        real.syscall(SYS_futex, &watcher_sleeps, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
    }
}

static enum ending end_call(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->at_call = false;
    enum ending ending = worker->ending;
    pthread_mutex_unlock(&worker->lock);
    return ending;
}

/* ---- Calls ----------------------------------------------------------------------------------------- */

static bool tells_of_shim(const struct caught *call)
{
    return call->number == SYS_fstat && (int)call->arguments[0] == PRESENCE_DESCRIPTOR;
}

static bool is_for_us(struct caught *call)
{
    if (tells_of_shim(call))
        return true;
    return (call->process = process_of(call->remote.thread)) != 0 && !came_through_shim(call);
}

static int64_t answer_of(struct caught *call)
{
    if (tells_of_shim(call)) {
        note_presence(call);
        return 0;
    }
    int64_t answer = call_on_name(call);
    if (answer == LEAVE)
        answer = call_on_changes(call);
    if (answer == LEAVE)
        answer = call_on_whereabouts(call);
    if (answer == LEAVE)
        answer = call_on_watch(call);
    return answer == LEAVE ? call_on_file(call) : answer;
}

/* Interrupted without a reason, by a signal that somebody sent to all of a group, it is done again. */
static int64_t do_call(struct worker *worker)
{
    for (;;) {
        worker->call.remote.left = worker->call.remote.theirs = false;
        begin_call(worker);
        int64_t answer = answer_of(&worker->call);
        enum ending ending = end_call(worker);
        if (answer != -EINTR || worker->gone)
            return answer;
        if (ending != GOES_ON)
            return ending == RESTARTS ? -RESTART : -EINTR;
    }
}

static void reply(uint64_t call, int64_t answer)
{
    struct seccomp_notif_resp response = { .id = call };

    if (answer == LEAVE)
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else if (answer < 0 && answer > -4096)
        response.error = (int32_t)answer;
    else
        response.val = answer;
    while (real.syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 && errno == EINTR) /* ENOENT: it was killed */
        ;
}

static void take_in(struct worker *worker, const struct seccomp_notif *notice)
{
    struct caught *call = &worker->call;

    call->remote = (struct remote){ .thread = (pid_t)notice->pid, .listener = listener, .call = notice->id, .lent = -1 };
    call->number = notice->data.nr;
    call->from = notice->data.instruction_pointer;
    for (int i = 0; i < 6; i++)
        call->arguments[i] = notice->data.args[i];
    remote = &call->remote;
    int64_t answer = is_for_us(call) ? do_call(worker) : LEAVE;
    remote = NULL;
    if (answer != SENT)
        reply(notice->id, answer);
}

/* ---- Threads --------------------------------------------------------------------------------------- */

static bool all_have_gone(void)
{
    struct pollfd one = { .fd = listener };
    return real.poll(&one, 1, 0) > 0 && (one.revents & POLLHUP);
}

static void *work(void *own)
{
    struct worker *worker = own_worker = own;
    union {
        struct seccomp_notif notice;
        char room[512]; /* what a later kernel may add */
    } got;

    worker->thread = (pid_t)real.syscall(SYS_gettid);
    for (;;) {
        if (!__atomic_load_n(&worker->seated, __ATOMIC_SEQ_CST))
            take_seat(worker);
        memset(&got, 0, sizeof got);
        if (real.syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, &got) == 0)
            take_in(worker, &got.notice);
        else if (errno == ENOENT && all_have_gone()) /* EINTR; or ENOENT: it was killed, or took a signal first */
            end_supervisor();
    }
    return NULL;
}

/* By name, because before glibc 2.34 they had another version, in a library of their own. */
static bool start_thread(void *(*body)(void *), void *argument)
{
    __typeof__(&pthread_create) create = (__typeof__(&pthread_create))(uintptr_t)dlsym(RTLD_DEFAULT, "pthread_create");
    __typeof__(&pthread_attr_setstacksize) set_stack =
        (__typeof__(&pthread_attr_setstacksize))(uintptr_t)dlsym(RTLD_DEFAULT, "pthread_attr_setstacksize");
    pthread_t thread;
    pthread_attr_t attributes;

    if (!create || !set_stack)
        return false;
    pthread_attr_init(&attributes);
    set_stack(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

/* Unless somebody has the place behind it by now: then it stays empty. */
static void give_back(unsigned place)
{
    unsigned behind = place + 1;
    __atomic_compare_exchange_n(&workers_made, &behind, place, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The pool only grows; where it cannot, the next who is free takes the seat. */
static bool start_worker(void)
{
    unsigned place = __atomic_fetch_add(&workers_made, 1, __ATOMIC_ACQ_REL);
    struct worker *worker = place < MOST_WORKERS ? calloc(1, sizeof *worker) : NULL;

    if (!worker) {
        give_back(place);
        return false;
    }
    pthread_mutex_init(&worker->lock, NULL);
    worker->call.pidfd = -1;
    if (!start_thread(work, worker)) {
        give_back(place);
        free(worker);
        return false;
    }
    __atomic_store_n(&workers[place], worker, __ATOMIC_RELEASE);
    return true;
}

void *room_for(struct caught *call, size_t size)
{
    if (size > call->room_size) {
        char *larger = realloc(call->room, size);
        if (!larger)
            return NULL;
        call->room = larger;
        call->room_size = size;
    }
    return call->room ? call->room : (call->room = malloc(call->room_size = 4096));
}

/* ---- Life ------------------------------------------------------------------------------------------ */

static void on_interrupt(int number)
{
    (void)number;
}

bool answer_calls_of(int fd)
{
    struct sigaction interrupt = { .sa_handler = on_interrupt };

    listener = fd;
    sigaction(INTERRUPT, &interrupt, NULL);
    real.syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    return start_worker() && start_thread(watch_over, NULL);
}
#else
bool answer_calls_of(int fd)
{
    (void)fd;
    return false;
}

void remote_waits(void)
{
}

void remote_refused(void)
{
}
#endif
