/* forked.c: what becomes of a call in whose middle a signal's handler forks: in the child, which has no channel, it ends.
 *
 * The handler returns there, too, into a call that looks at its slot and at the bell. So the child gets memory of its own in
 * their place, in which the host has gone. A fork without a call under way costs nothing but the question. */
#include <errno.h>
#include <pthread.h>

#include "channel.h"
#include "connection.h"
#include "interposed.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* linux/mman.h of 4.17; to an older kernel the address is a wish */
#endif

static __thread struct {
    struct channel *channel; /* NULL: the thread that forks is in no call */
    struct bell *bell;
    size_t size;
} parent_s __attribute__((tls_model("initial-exec")));

static void before_fork(void)
{
    const struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);

    parent_s.channel = is_calling() && page ? __atomic_load_n(&page->channel, __ATOMIC_ACQUIRE) : NULL;
    if (!parent_s.channel)
        return;
    parent_s.bell = page->bell;
    parent_s.size = CHANNEL_SMALL + (size_t)rooms_of(page) * LARGE_DATA;
}

static bool put_memory(void *at, size_t size)
{
    void *put = real.mmap(at, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (put != MAP_FAILED && put != at)
        munmap(put, size);
    return put == at;
}

static void in_child(void)
{
    int before = errno;

    if (parent_s.channel && put_memory(parent_s.channel, parent_s.size) && parent_s.bell
        && put_memory(parent_s.bell, sizeof *parent_s.bell))
        parent_s.bell->gone = BELL_TOLD;
    errno = before;
}

void end_calls_in_children(void)
{
    pthread_atfork(before_fork, NULL, in_child);
}
