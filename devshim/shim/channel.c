/* channel.c: the transport to the host.
 *
 * Rules of the house, for all code of the shim that runs inside a call:
 * 1. Call libc's I/O only as real.x; a bare read() here would come back to us.
 * 2. Leave errno as it was unless the program's call failed.
 * 3. No stdio, no malloc, no locks after start: we may be in a signal handler or a vfork child.
 * 4. A conversation that a siglongjmp left behind is taken over, never waited for.
 * 5. Never end the program. A lost host is an unplugged device: ENODEV, and one line on stderr. */
#include "channel.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "interposed.h"
#include "jumps.h"
#include "registry.h"
#include "strays.h"

#define SPINS        1600u        /* looks at the answer before sleeping: some 40 us, what a sleep costs where the host
                                   * runs on another core */
#define PATIENCE_NS  500000000l   /* how often a sleeper makes sure that the host lives */

/* This process's end of the channel. The page is wiped in a fork child, which makes its own (MADV_WIPEONFORK:
 * also after vfork and raw clone, where neither atfork handlers nor getpid() can be trusted). */
struct connection {
    struct channel *channel;
    struct bell *bell;
    pid_t process;  /* whose page this is; 0: not known */
    uint32_t epoch; /* tells a thread's cached id from one of before a fork */
    uint32_t lacking; /* slots without a large room */
    const struct direct *direct; /* the host is in this very process */
};

static struct connection *connection;

static __thread struct {
    uint32_t epoch, id, hint;
} thread __attribute__((tls_model("initial-exec")));

/* ---- Joining ------------------------------------------------------------------------------------ */

static struct connection *connection_page(void)
{
    struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);
    if (page)
        return page;
    page = real.mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    madvise(page, 4096, MADV_WIPEONFORK);
    struct connection *none = NULL;
    if (!__atomic_compare_exchange_n(&connection, &none, page, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        munmap(page, 4096);
        return none;
    }
    return page;
}

/* Whose memory this is. A vfork child that is the first to ask shares its parent's, which the kernel can tell. */
static pid_t owner_of_memory(struct connection *page)
{
    if (!page->process) {
        pid_t own = (pid_t)real.syscall(SYS_getpid), parent = getppid();
        int before = errno;
        bool shared = real.syscall(SYS_kcmp, own, parent, KCMP_VM, 0, 0) == 0;
        errno = before; /* refused by a sandbox: then vfork children that come first are taken for their parents */
        page->process = shared ? parent : own;
    }
    return page->process;
}

bool in_borrowed_memory(void)
{
    struct connection *page = connection_page();
    return !page || owner_of_memory(page) != (pid_t)real.syscall(SYS_getpid);
}

static void *map_shared(int fd, size_t size)
{
    void *map = real.mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (map == MAP_FAILED)
        return NULL;
    madvise(map, size, MADV_DONTFORK);
    madvise(map, size, MADV_DONTDUMP);
    return map;
}

/* As many large rooms as RLIMIT_AS lets be mapped, here and on the host's side. */
static struct channel *map_channel(int fd, uint32_t *rooms)
{
    for (*rooms = SLOTS;; *rooms /= 2) {
        struct channel *channel = map_shared(fd, CHANNEL_SMALL + (size_t)*rooms * LARGE_DATA);
        if (channel || *rooms == 0)
            return channel;
    }
}

static void close_fd(int fd)
{
    real.syscall(SYS_close, fd);
}

/* Of all who join at once each leaves no more rooms than its channel has: whichever wins, so many are there. */
static void limit_rooms(struct connection *page, uint32_t rooms)
{
    uint32_t lacking = __atomic_load_n(&page->lacking, __ATOMIC_RELAXED);

    while (lacking < SLOTS - rooms
           && !__atomic_compare_exchange_n(&page->lacking, &lacking, SLOTS - rooms, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static uint32_t rooms_of(const struct connection *page)
{
    return SLOTS - __atomic_load_n(&page->lacking, __ATOMIC_RELAXED);
}

/* Two threads may join at once; the second one's channel is dropped. No lock: one may be a signal handler. So what both
 * write is the same for both, or the first one's, or right for either channel. */
static bool join(struct connection *page)
{
    struct hello_request request = { .what = HELLO_CHANNEL, .flags = in_borrowed_memory() ? HELLO_FOR_PARENT : 0 };
    struct hello_answer answer;
    int bell_fd = -1;
    int channel_fd = ask_for_descriptor(&request, NULL, &answer, &bell_fd);

    if (channel_fd < 0 || bell_fd < 0) {
        if (channel_fd >= 0)
            close_fd(channel_fd);
        return false;
    }
    uint32_t rooms;
    struct channel *channel = map_channel(channel_fd, &rooms);
    struct bell *bell = map_shared(bell_fd, sizeof *bell);
    close_fd(channel_fd);
    close_fd(bell_fd);
    if (!channel || !bell) {
        errno = ENOMEM;
        return false;
    }
    struct channel *none = NULL;
    struct bell *unheard = NULL;
    uint32_t never = 0, epoch = (uint32_t)channel->process * 2654435761u + (uint32_t)real.syscall(SYS_gettid) + 1;
    if (!__atomic_compare_exchange_n(&page->bell, &unheard, bell, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        munmap(bell, sizeof *bell);
    limit_rooms(page, rooms < channel->rooms ? rooms : channel->rooms);
    __atomic_compare_exchange_n(&page->epoch, &never, epoch, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    if (!__atomic_compare_exchange_n(&page->channel, &none, channel, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        munmap(channel, CHANNEL_SMALL + (size_t)rooms * LARGE_DATA);
    return true;
}

/* The slots are in memory of our own then. They stay when the host goes, for a thread that is still at one. */
static struct channel *make_private_channel(void)
{
    size_t size = CHANNEL_SMALL + (size_t)SLOTS * LARGE_DATA;
    void *map = real.mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    madvise(map, size, MADV_DONTFORK);
    madvise(map, size, MADV_DONTDUMP);
    return map;
}

bool converse_in_process(const struct direct *direct)
{
    static struct channel *slots;
    static struct connection outer; /* of the run that this process was started in */
    struct connection *page = connection_page();

    if (!page || (direct && !slots && !(slots = make_private_channel())))
        return false;
    page->process = (pid_t)real.syscall(SYS_getpid);
    if (direct && page->channel != slots)
        outer = *page;
    if (!direct && outer.process == page->process) {
        page->bell = outer.bell;
        page->lacking = outer.lacking;
        page->epoch = outer.epoch;
        page->channel = outer.channel;
    }
    if (direct) {
        page->lacking = 0;
        page->epoch = (uint32_t)page->process * 2654435761u + 1;
        page->channel = slots;
    }
    __atomic_store_n(&page->direct, direct, __ATOMIC_RELEASE);
    return true;
}

const struct direct *direct_host(void)
{
    struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);
    return page ? __atomic_load_n(&page->direct, __ATOMIC_ACQUIRE) : NULL;
}

static struct connection *connected(void)
{
    struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);

    if (__builtin_expect(page && __atomic_load_n(&page->channel, __ATOMIC_ACQUIRE), 1))
        return page;
    page = connection_page();
    return page && join(page) ? page : NULL;
}

void join_host(void)
{
    int before = errno;
    connected();
    errno = before;
}

/* ---- Slots -------------------------------------------------------------------------------------- */

static uint32_t thread_id(const struct connection *page)
{
    uint32_t epoch = __atomic_load_n(&page->epoch, __ATOMIC_RELAXED);

    if (thread.epoch != epoch) {
        uint32_t rooms = rooms_of(page);
        thread.id = (uint32_t)real.syscall(SYS_gettid);
        thread.hint = thread.id % (rooms ? rooms : SLOTS);
        thread.epoch = epoch;
    }
    return thread.id;
}

static struct slot *slot_at(struct channel *channel, uint32_t index)
{
    return (struct slot *)((char *)channel + CHANNEL_HEAD + (size_t)index * SLOT_SIZE);
}

/* What nobody waits for any more is the host's no longer, unless it is at it: then it comes back to us later. */
static bool take_back(struct slot *slot)
{
    uint32_t request = SLOT_REQUEST;
    return __atomic_compare_exchange_n(&slot->state, &request, SLOT_IDLE, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
           || request != SLOT_SERVING;
}

static bool take(struct slot *slot, uint32_t id, uintptr_t frame)
{
    uint32_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);

    if (owner == 0) {
        if (!__atomic_compare_exchange_n(&slot->owner, &owner, id, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return false;
    } else if (owner != id || !left_behind(slot->frame, frame) || !take_back(slot)) {
        return false;
    }
    slot->state = SLOT_IDLE;
    slot->frame = frame;
    slot->large = 0;
    return true;
}

/* Threads die without a word: when all slots are taken, those of dead threads are free. */
static void free_dead_slots(struct channel *channel)
{
    long process = real.syscall(SYS_getpid);
    int before = errno;

    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = slot_at(channel, i);
        uint32_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);
        if (owner && real.syscall(SYS_tgkill, process, owner, 0) < 0 && take_back(slot))
            __atomic_compare_exchange_n(&slot->owner, &owner, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    }
    errno = before;
}

struct slot *take_slot(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    struct connection *page = connected();

    if (!page) {
        if (errno == ENODEV)
            host_is_gone();
        return NULL;
    }
    if (page->direct && stands_aside()) {
        errno = EBUSY;
        return NULL;
    }
    uint32_t id = thread_id(page);
    for (;;) {
        for (uint32_t i = 0; i < SLOTS; i++) {
            uint32_t index = (thread.hint + i) % SLOTS;
            struct slot *slot = slot_at(page->channel, index);
            if (take(slot, id, frame)) {
                thread.hint = index;
                return slot;
            }
        }
        free_dead_slots(page->channel);
        sched_yield();
    }
}

void free_slot(struct slot *slot)
{
    slot->state = SLOT_IDLE;
    __atomic_store_n(&slot->owner, 0, __ATOMIC_RELEASE);
}

static uint32_t slot_index(const struct slot *slot)
{
    return (uint32_t)(((const char *)slot - (const char *)connection->channel - CHANNEL_HEAD) / SLOT_SIZE);
}

void *slot_room(struct slot *slot)
{
    if (!slot->large)
        return slot->data;
    return (char *)connection->channel + CHANNEL_SMALL + (size_t)slot_index(slot) * LARGE_DATA;
}

size_t slot_limit(const struct slot *slot)
{
    return slot_index(slot) < rooms_of(connection) ? LARGE_DATA : SLOT_DATA;
}

void *slot_data(struct slot *slot, size_t size)
{
    slot->large = size > SLOT_DATA;
    return slot_room(slot);
}

/* ---- One conversation ---------------------------------------------------------------------------- */

static void ring(struct connection *page, uint32_t index)
{
    uint32_t process = page->channel->process;
    struct bell *bell = page->bell;

    __atomic_fetch_or(&page->channel->pending[index / 64], 1ull << (index % 64), __ATOMIC_RELEASE);
    __atomic_fetch_or(&bell->pending[process / 64], 1ull << (process % 64), __ATOMIC_RELEASE);
    __atomic_fetch_or(&bell->summary, 1ull << (process / 64), __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&bell->sleeping, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&bell->rung, 1, __ATOMIC_SEQ_CST);
        real.syscall(SYS_futex, &bell->rung, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool answered(const struct slot *slot)
{
    return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_ANSWER;
}

/* The host's socket refuses where the host has gone. After a chroot it is out of sight: then its process tells. */
bool host_lives(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = (int)real.syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0) {
        size_t length = strlen(run_directory);
        memcpy(address.sun_path, run_directory, length);
        memcpy(address.sun_path + length, "/socket", sizeof "/socket");
        int error = real.connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
        close_fd(fd);
        if (error == 0 || error == EAGAIN || error == ECONNREFUSED)
            return error != ECONNREFUSED;
    }
    return kill((pid_t)registry->host_pid, 0) == 0 || errno == EPERM;
}

static bool sleep_until_answered(struct slot *slot, struct bell *bell)
{
    struct timespec patience = { .tv_nsec = PATIENCE_NS };

    __atomic_store_n(&slot->sleeping, 1, __ATOMIC_SEQ_CST);
    uint32_t state;
    while ((state = __atomic_load_n(&slot->state, __ATOMIC_SEQ_CST)) != SLOT_ANSWER) {
        if (__atomic_load_n(&bell->gone, __ATOMIC_ACQUIRE))
            break;
        long result = real.syscall(SYS_futex, &slot->state, FUTEX_WAIT, state, &patience, NULL, 0);
        if (result < 0 && errno == ETIMEDOUT && !host_lives())
            break;
    }
    slot->sleeping = 0;
    return answered(slot);
}

bool converse(struct slot *slot)
{
    struct connection *page = connection;
    const struct direct *direct = page->direct;
    struct bell *bell = page->bell;
    int before = errno;

    slot->generation++;
    slot->thread = thread.id;
    if (direct) {
        serve_directly(direct, slot, slot_room(slot), slot->large ? LARGE_DATA : SLOT_DATA);
        return true;
    }
    if (!bell) { /* it was here, and has gone */
        errno = ENODEV;
        return false;
    }
    slot->cpu = (uint32_t)sched_getcpu();
    __atomic_store_n(&slot->state, SLOT_REQUEST, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&slot->watched, __ATOMIC_SEQ_CST))
        ring(page, slot_index(slot));

    if (slot->cpu != bell->cpu) /* on one and the same core, spinning only keeps the host from running */
        for (uint32_t i = 0; i < SPINS && !answered(slot); i++)
            pause_briefly();
    if (!answered(slot) && !sleep_until_answered(slot, bell)) {
        host_is_gone();
        return false;
    }
    errno = before;
    return true;
}

void host_is_gone(void)
{
    static bool said;
    static const char text[] = "devshim: the host of this run has ended; its devices are unplugged\n";
    struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);
    bool by_another = page && page->channel && __atomic_exchange_n(&page->bell->gone, BELL_TOLD, __ATOMIC_RELAXED) == BELL_TOLD;

    if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED) && !by_another)
        (void)!real.write(2, text, sizeof text - 1);
    errno = ENODEV;
}

/* ---- The socket ---------------------------------------------------------------------------------- */

/* A program may start before its host is ready. 0, or -1 where the run ended before it was. */
static int await_host(const struct run *run)
{
    const struct timespec moment = { .tv_nsec = 1000000 };
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

    memcpy(path, run->directory, strlen(run->directory));
    memcpy(path + strlen(run->directory), "/registry", sizeof "/registry");
    for (unsigned moments = 1; !__atomic_load_n(&run->registry->ready, __ATOMIC_ACQUIRE); moments++) {
        if (moments % 64 == 0 && real.syscall(SYS_faccessat, AT_FDCWD, path, F_OK) < 0)
            return -1;
        real.syscall(SYS_nanosleep, &moment, NULL);
    }
    return 0;
}

static int connect_to_host(const struct run *run, int *stray)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(run->directory);
    int fd = (int)real.syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1; /* EMFILE: as the open would have answered */
    *stray = remember_stray(fd); /* from here on there are cancellation points */
    if (!run->registry->ready && await_host(run) < 0) {
        close_fd(fd);
        errno = ENODEV;
        return -1;
    }
    memcpy(address.sun_path, run->directory, length);
    memcpy(address.sun_path + length, "/socket", sizeof "/socket");
    while (real.connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == EINTR || errno == EAGAIN)
            continue;
        forget_stray(*stray);
        close_fd(fd);
        errno = ENODEV;
        return -1;
    }
    return fd;
}

static bool send_request(int fd, struct hello_request *request, const char *path)
{
    struct iovec parts[2] = { { request, sizeof *request }, { (void *)(uintptr_t)path, request->length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t all = (ssize_t)(sizeof *request + request->length);

    return real.sendmsg(fd, &message, MSG_NOSIGNAL) == all;
}

/* Returns the bytes received: 0 when the host went away, -1 with errno. */
static ssize_t receive_answer(int fd, struct hello_answer *answer, int fds[2])
{
    union {
        char room[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = { answer, sizeof *answer };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control.room };
    ssize_t got;
    bool waiting = false; /* the host lets this open wait: then, and only then, a signal may end it */

    do {
        message.msg_controllen = sizeof control.room;
        got = real.recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (got == sizeof *answer && (answer->flags & ANSWER_WAIT))
            waiting = true;
    } while ((got < 0 && errno == EINTR && !waiting) || (got > 0 && (answer->flags & ANSWER_WAIT)));
    if (got < 0)
        return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    if (got == sizeof *answer && answer->error == 0 && fds[0] < 0)
        answer->error = EMFILE; /* the kernel had no number left to give */
    return got;
}

/* POSIX wants the lowest free number for what open() returns, and the socket has it: give it over. */
static int move_down(int fd, int socket_fd)
{
    if (fd < 0 || fd < socket_fd) {
        close_fd(socket_fd);
        return fd;
    }
    real.dup3(fd, socket_fd, O_CLOEXEC);
    close_fd(fd);
    return socket_fd;
}

static int ask_host_of(struct run run, const struct hello_request *request, const char *path, struct hello_answer *answer,
                       int *second)
{
    struct hello_request filled = *request;
    int fds[2] = { -1, -1 }, before = errno;
    int stray = -1;
    close_strays();
    int socket_fd = connect_to_host(&run, &stray);

    memset(answer, 0, sizeof *answer);
    if (socket_fd < 0)
        return -1;
    filled.magic = WIRE_MAGIC;
    filled.version = WIRE_VERSION;
    filled.abi = sizeof(void *);
    filled.length = path ? (uint32_t)strlen(path) : 0;
    filled.thread = (uint32_t)real.syscall(SYS_gettid);

    ssize_t got = send_request(socket_fd, &filled, path) ? receive_answer(socket_fd, answer, fds) : 0;
    int why = got < 0 && errno != ECONNRESET ? errno : ENODEV; /* reset: it was killed before it had read all */
    forget_stray(stray);
    if (got != sizeof *answer) {
        close_fd(socket_fd);
        errno = why;
        return -1;
    }
    if (second)
        *second = fds[1];
    int fd = move_down(fds[0], socket_fd);
    errno = answer->error ? answer->error : before;
    return answer->error ? -1 : fd;
}

static int ask_over_socket(const struct hello_request *request, const char *path, struct hello_answer *answer,
                           int *second)
{
    return ask_host_of(this_run(), request, path, answer, second);
}

int ask_outer_host(const struct hello_request *request, const char *path)
{
    struct hello_answer answer;
    return ask_host_of(outer_run(), request, path, &answer, NULL);
}

int ask_for_descriptor(const struct hello_request *request, const char *path, struct hello_answer *answer,
                       int *second)
{
    const struct direct *direct = direct_host();

    if (!direct)
        return ask_over_socket(request, path, answer, second);
    memset(answer, 0, sizeof *answer);
    answer->magic = WIRE_MAGIC;
    if (stands_aside() || in_borrowed_memory()) { /* a vfork child would wait for a parent that waits for it */
        errno = stands_aside() ? EBUSY : EDEADLK;
        return -1;
    }
    struct staying staying = stay();
    int fd = direct->descriptor(direct->host, request, path, answer);
    may_leave(&staying);
    if (fd == -1)
        errno = answer->error;
    if (fd != ASK_OVER_SOCKET)
        return fd;
    struct wait wait;
    int error = begin_wait(&wait);
    if (error) {
        errno = error;
        return -1;
    }
    fd = ask_over_socket(request, path, answer, second);
    end_wait(&wait);
    return fd;
}
