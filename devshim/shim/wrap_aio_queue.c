/* wrap_aio_queue.c: the requests of aio(7) on devices that compute or are recorded: a queue and a thread for each
 * descriptor that has any, as in glibc. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "wrap_aio.h"

enum { HIGHEST_PRIORITY_LOSS = 20, SLICE_NS = 10000000 }; /* sysconf(_SC_AIO_PRIO_DELTA_MAX) */
enum { FOR_EVER = 1000000000 }; /* seconds */

struct request {
    struct request *next;
    struct aiocb *block;
    enum request_kind kind;
    struct request_group *group;
};

struct queue {
    struct queue *next;
    int fd;
    struct request *first; /* is being carried out */
};

struct request_group {
    int left; /* requests, and one more until the group is complete */
    bool failed;
    struct sigevent notify;
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP; /* handlers of signals that it sends may come back */
static struct queue *queues;
static bool used;
static uint32_t finished; /* counts; a futex */

/* It has none of the threads, nor their requests. */
static void forget_requests(void)
{
    if (!used)
        return;
    lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    queues = NULL;
}

void forget_requests_in_children(void)
{
    pthread_atfork(NULL, NULL, forget_requests);
}

static void enter(void)
{
    used = true;
    pthread_mutex_lock(&lock);
}

static void leave(void)
{
    pthread_mutex_unlock(&lock);
}

static void count_finished(void)
{
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
    real.syscall(SYS_futex, &finished, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* ---- Threads ------------------------------------------------------------------------------------------ */

/* Before glibc 2.34 threads had a library of their own. */
static int start_thread(const pthread_attr_t *wanted, void *(*run)(void *), void *argument)
{
    static __typeof__(pthread_create) *create;
    pthread_attr_t detached;
    pthread_t thread;
    uint64_t all = UINT64_MAX, before;

    if (!create)
        create = (__typeof__(pthread_create) *)(uintptr_t)dlsym(RTLD_DEFAULT, "pthread_create");
    if (!create)
        return EAGAIN;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all); /* the program's handlers stay where they are */
    int error = create(&thread, wanted ? wanted : &detached, run, argument);
    real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    pthread_attr_destroy(&detached);
    return error;
}

static void *tell_function(void *argument)
{
    struct sigevent notify = *(struct sigevent *)argument;
    free(argument);
    notify.sigev_notify_function(notify.sigev_value);
    return NULL;
}

static void tell(const struct sigevent *notify)
{
    if (notify->sigev_notify == SIGEV_SIGNAL) {
        siginfo_t info = { .si_signo = notify->sigev_signo, .si_code = SI_ASYNCIO };
        info.si_pid = getpid();
        info.si_uid = getuid();
        info.si_value = notify->sigev_value;
        real.syscall(SYS_rt_sigqueueinfo, info.si_pid, info.si_signo, &info);
    } else if (notify->sigev_notify == SIGEV_THREAD) {
        struct sigevent *copy = malloc(sizeof *copy);
        if (copy) {
            *copy = *notify;
            if (start_thread(notify->sigev_notify_attributes, tell_function, copy))
                free(copy);
        }
    }
}

/* One less to wait for. The lock is held. */
static void leave_group(struct request_group *group, bool failed)
{
    group->failed |= failed;
    if (--group->left > 0)
        return;
    tell(&group->notify);
    free(group);
}

/* ---- Requests ----------------------------------------------------------------------------------------- */

static ssize_t carry_out(const struct request *request)
{
    const struct aiocb *block = request->block;
    int fd = block->aio_fildes;
    void *bytes = (void *)(uintptr_t)block->aio_buf;
    ssize_t result;

    switch (request->kind) {
    case REQUEST_READ:
        result = pread(fd, bytes, block->aio_nbytes, block->aio_offset);
        return result < 0 && errno == ESPIPE ? read(fd, bytes, block->aio_nbytes) : result;
    case REQUEST_WRITE:
        result = pwrite(fd, bytes, block->aio_nbytes, block->aio_offset);
        return result < 0 && errno == ESPIPE ? write(fd, bytes, block->aio_nbytes) : result;
    case REQUEST_SYNC:
        return fsync(fd);
    default:
        return fdatasync(fd);
    }
}

static void set_result(struct aiocb *block, ssize_t result, int error)
{
    block->__return_value = result;
    __atomic_store_n(&block->__error_code, error, __ATOMIC_RELEASE);
}

/* The lock is held. Once the result is there, the program may do with the block what it likes. */
static void finish(struct request *request, ssize_t result, int error)
{
    struct sigevent notify = request->block->aio_sigevent;

    set_result(request->block, result, error);
    tell(&notify);
    if (request->group)
        leave_group(request->group, error != 0);
    free(request);
    count_finished();
}

static void remove_queue(struct queue *queue)
{
    for (struct queue **at = &queues; *at; at = &(*at)->next)
        if (*at == queue) {
            *at = queue->next;
            free(queue);
            return;
        }
}

static void *work(void *argument)
{
    struct queue *queue = argument;

    enter();
    while (queue->first) {
        struct request *request = queue->first;
        leave();
        ssize_t result = carry_out(request);
        int error = result < 0 ? errno : 0;
        enter();
        queue->first = request->next;
        finish(request, result, error);
    }
    remove_queue(queue);
    leave();
    return NULL;
}

static struct queue *queue_of(int fd)
{
    struct queue *queue = queues;
    while (queue && queue->fd != fd)
        queue = queue->next;
    return queue;
}

/* A queue that has this request, and somebody who works it off. Returns 0 or an errno. */
static int new_queue(struct request *request)
{
    struct queue *queue = malloc(sizeof *queue);
    if (!queue)
        return EAGAIN;
    *queue = (struct queue){ .next = queues, .fd = request->block->aio_fildes, .first = request };
    queues = queue;
    int error = start_thread(NULL, work, queue);
    if (error)
        remove_queue(queue);
    return error ? EAGAIN : 0;
}

/* Behind all others whose priority is as high. The first is being carried out. */
static void join_queue(struct queue *queue, struct request *request)
{
    struct request **at = &queue->first->next;
    while (*at && (*at)->block->aio_reqprio <= request->block->aio_reqprio)
        at = &(*at)->next;
    request->next = *at;
    *at = request;
}

void refuse_request(struct aiocb *block, int error)
{
    set_result(block, -1, error);
    errno = error;
}

int begin_request(struct aiocb *block, enum request_kind kind, struct request_group *group)
{
    if (kind >= REQUEST_SYNC)
        block->aio_reqprio = 0; /* as glibc does; it says nothing of a sync */
    if (block->aio_reqprio < 0 || block->aio_reqprio > HIGHEST_PRIORITY_LOSS) {
        refuse_request(block, EINVAL);
        return -1;
    }
    struct request *request = calloc(1, sizeof *request);
    if (!request) {
        refuse_request(block, EAGAIN);
        return -1;
    }
    *request = (struct request){ .block = block, .kind = kind, .group = group };
    set_result(block, 0, EINPROGRESS);
    enter();
    struct queue *queue = queue_of(block->aio_fildes);
    int error = 0;
    if (queue && queue->first)
        join_queue(queue, request);
    else
        error = new_queue(request);
    if (!error && group)
        group->left++;
    leave();
    if (!error)
        return 0;
    free(request);
    refuse_request(block, error);
    return -1;
}

bool is_under_way(const struct aiocb *block)
{
    bool found = false;

    if (__atomic_load_n(&block->__error_code, __ATOMIC_ACQUIRE) != EINPROGRESS)
        return false;
    enter();
    for (struct queue *queue = queues; queue && !found; queue = queue->next)
        for (struct request *request = queue->first; request && !found; request = request->next)
            found = request->block == block;
    leave();
    return found;
}

int cancel_requests(int fd, const struct aiocb *block)
{
    int result = AIO_ALLDONE;

    enter();
    struct queue *queue = queue_of(fd);
    if (queue && queue->first && (!block || queue->first->block == block))
        result = AIO_NOTCANCELED;
    for (struct request **at = queue && queue->first ? &queue->first->next : NULL; at && *at;) {
        struct request *request = *at;
        if (block && request->block != block) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        finish(request, -1, ECANCELED);
        if (result == AIO_ALLDONE)
            result = AIO_CANCELED;
    }
    leave();
    return result;
}

/* ---- Waiting ------------------------------------------------------------------------------------------ */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Until something more than seen has finished. In slices: those among them that are libc's make no noise here, and poll()
 * lets a cancelled thread end. Returns 0, EINTR, or EAGAIN when the time is over. */
static int wait_a_slice(uint32_t seen, int64_t until)
{
    int64_t left = until < 0 ? SLICE_NS : until - now();
    struct timespec slice = { .tv_nsec = left < SLICE_NS ? left : SLICE_NS };

    real.poll(NULL, 0, 0);
    if (left <= 0)
        return EAGAIN;
    if (real.syscall(SYS_futex, &finished, FUTEX_WAIT_PRIVATE, seen, &slice, NULL, 0) < 0 && errno == EINTR)
        return EINTR;
    return 0;
}

int wait_for_any(const struct aiocb *const blocks[], int count, const struct timespec *timeout)
{
    bool ever = !timeout || timeout->tv_sec > FOR_EVER;
    int64_t until = ever ? -1 : now() + (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec;
    int before = errno, error;

    do {
        uint32_t seen = __atomic_load_n(&finished, __ATOMIC_ACQUIRE);
        for (int i = 0; i < count; i++)
            if (blocks[i] && __atomic_load_n(&blocks[i]->__error_code, __ATOMIC_ACQUIRE) != EINPROGRESS) {
                errno = before;
                return 0;
            }
        error = wait_a_slice(seen, until);
    } while (!error);
    errno = error;
    return -1;
}

struct request_group *begin_group(const struct sigevent *notify)
{
    struct request_group *group = calloc(1, sizeof *group);

    if (!group) {
        errno = EAGAIN;
        return NULL;
    }
    group->left = 1;
    group->notify.sigev_notify = SIGEV_NONE;
    if (notify)
        group->notify = *notify;
    return group;
}

int end_group(struct request_group *group, bool wait)
{
    int error = 0;

    enter();
    while (wait && !error && group->left > 1) {
        uint32_t seen = __atomic_load_n(&finished, __ATOMIC_ACQUIRE);
        leave();
        error = wait_a_slice(seen, -1);
        enter();
    }
    if (wait && !error && group->failed)
        error = EIO;
    leave_group(group, false);
    leave();
    return error;
}
