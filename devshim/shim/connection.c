/* connection.c: this process's end of the channel: asked for with the first call, and dropped in fork children.
 *
 * The page that keeps it is wiped in a fork child, which makes its own (MADV_WIPEONFORK: also after vfork and raw clone,
 * where neither atfork handlers nor getpid() can be trusted). */
#include "connection.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#include "asking.h"
#include "interposed.h"

struct connection *connection;

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
    pid_t known = __atomic_load_n(&page->process, __ATOMIC_RELAXED);

    if (!known) {
        pid_t own = (pid_t)real.syscall(SYS_getpid), parent = getppid();
        int before = errno;
        bool shared = real.syscall(SYS_kcmp, own, parent, KCMP_VM, 0, 0) == 0;
        errno = before; /* refused by a sandbox: then vfork children that come first are taken for their parents */
        known = shared ? parent : own;
        __atomic_store_n(&page->process, known, __ATOMIC_RELAXED); /* whoever else finds out, finds the same */
    }
    return known;
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

/* Of all who join at once each leaves no more rooms than its channel has: whichever wins, so many are there. */
static void limit_rooms(struct connection *page, uint32_t rooms)
{
    uint32_t lacking = __atomic_load_n(&page->lacking, __ATOMIC_RELAXED);

    while (lacking < SLOTS - rooms
           && !__atomic_compare_exchange_n(&page->lacking, &lacking, SLOTS - rooms, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

uint32_t rooms_of(const struct connection *page)
{
    return SLOTS - __atomic_load_n(&page->lacking, __ATOMIC_RELAXED);
}

/* Once there it is never written again, so those who know that it is there may just read it. */
static bool is_first(void **place, void *value)
{
    void *none = NULL;
    return !__atomic_load_n(place, __ATOMIC_ACQUIRE)
           && __atomic_compare_exchange_n(place, &none, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Two threads may join at once; the second one's channel is dropped. No lock: one may be a signal handler. So what both
 * write is the same for both, or the first one's, or right for either channel. */
static bool join_with(struct connection *page, int channel_fd, int bell_fd)
{
    uint32_t rooms;
    struct channel *channel = map_channel(channel_fd, &rooms);
    struct bell *bell = map_shared(bell_fd, sizeof *bell);

    if (!channel || !bell) {
        errno = ENOMEM;
        return false;
    }
    uint32_t never = 0, epoch = (uint32_t)channel->process * 2654435761u + (uint32_t)real.syscall(SYS_gettid) + 1;
    if (!is_first((void **)&page->bell, bell))
        munmap(bell, sizeof *bell);
    limit_rooms(page, rooms < channel->rooms ? rooms : channel->rooms);
    __atomic_compare_exchange_n(&page->epoch, &never, epoch, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    if (!is_first((void **)&page->channel, channel))
        munmap(channel, CHANNEL_SMALL + (size_t)rooms * LARGE_DATA);
    return true;
}

/* The dynamic linker takes 3 KiB of stack to find a function that is called for the first time. A signal handler that makes
 * calls on devices may have less: what these need is found now. */
static void find_functions(void)
{
    char byte = 0;
    void *volatile nothing = &byte;
    volatile size_t none = 0;
    volatile uintptr_t unused;

    memset(nothing, 0, none);
    memmove(nothing, nothing, none);
    unused = (uintptr_t)memcmp(nothing, nothing, none);
    unused = (uintptr_t)memchr(nothing, 0, none);
    unused = (uintptr_t)pthread_self();
    unused = (uintptr_t)getpid();
    unused = (uintptr_t)sched_getcpu();
    unused = (uintptr_t)sigaltstack(NULL, NULL);
    (void)unused;
}

bool take_channel(int channel_fd, int bell_fd)
{
    struct connection *page = connection_page();
    bool joined = page && channel_fd >= 0 && bell_fd >= 0 && join_with(page, channel_fd, bell_fd);

    if (channel_fd >= 0)
        real.syscall(SYS_close, channel_fd);
    if (bell_fd >= 0)
        real.syscall(SYS_close, bell_fd);
    find_functions();
    if (channel_fd >= 0 && bell_fd < 0)
        errno = EMFILE; /* the kernel had no number left to give */
    return joined;
}

static bool join(void)
{
    struct hello_request request = { .what = HELLO_CHANNEL, .flags = in_borrowed_memory() ? HELLO_FOR_PARENT : 0 };
    struct hello_answer answer;
    int bell_fd = -1;
    int channel_fd = ask_for_descriptor(&request, NULL, &answer, &bell_fd);

    return take_channel(channel_fd, bell_fd);
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

struct connection *connected(void)
{
    struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);

    if (__builtin_expect(page && __atomic_load_n(&page->channel, __ATOMIC_ACQUIRE), 1))
        return page;
    page = connection_page();
    return page && join() ? page : NULL;
}

int join_host(void)
{
    int before = errno, error = connected() ? 0 : errno;

    errno = before;
    return error;
}
