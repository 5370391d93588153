/* waiting.h: long waits for replayed devices, of which their host hears, because it may know that nothing will come. */
#ifndef DEVSHIM_WAITING_H
#define DEVSHIM_WAITING_H

#include <poll.h>
#include <sys/select.h>

#include "handles.h"

#define FOR_EVER  ((int64_t)-1)
#define LONG_WAIT ((int64_t)60 * 1000000000) /* ns; a wait for so long counts as one that other things may end */

enum { MOST_TOLD = 16 };

/* The devices of one wait that their host was told of, and is to be told that it is over. */
struct told {
    int count;
    struct carrier files[MOST_TOLD];
};

/* Whether a wait matters to anybody. */
static inline bool waits_matter(int64_t timeout_ns)
{
    return __builtin_expect(registry && registry->flags & REGISTRY_ASKS, 0)
           && (timeout_ns < 0 || timeout_ns >= LONG_WAIT);
}

/* Tell of a wait that is about to begin, unless it would end at once. All leave errno alone, and memory that is none to the
 * call itself. */
void tell_polled(struct told *told, struct pollfd *fds, nfds_t count, int64_t timeout_ns);
void tell_selected(struct told *told, int count, const fd_set *in, const fd_set *out, const fd_set *except,
                   int64_t timeout_ns);

/* The same for an epoll in which nothing is ready. */
void tell_epoll(struct told *told, int epoll, int64_t timeout_ns);

/* It is over. */
void tell_over(const struct told *told);

#endif
