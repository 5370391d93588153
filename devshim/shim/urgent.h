/* urgent.h: attributes of /sys that show something else now: POLLERR beside POLLPRI, which no socket can show. */
#ifndef DEVSHIM_URGENT_H
#define DEVSHIM_URGENT_H

#include <poll.h>
#include <sys/epoll.h>

#include "registry.h"

/* Whether there can be such files at all. */
static inline bool urgent_matters(void)
{
    return __builtin_expect(registry && registry->flags & REGISTRY_URGENT, 0);
}

enum { MOST_COPIED = 64 };

/* What to poll instead of these: POLLERR comes unasked, so attributes are asked for POLLPRI. copy, or fds themselves. */
struct pollfd *asked_for_urgent(struct pollfd *fds, nfds_t count, struct pollfd copy[MOST_COPIED]);

/* A poll of these has returned: add what attributes lack, and give the program what it has asked for, in fds. */
void add_errors_polled(struct pollfd *fds, nfds_t count, struct pollfd *polled);

/* epoll_ctl has succeeded: remember an attribute by what the epoll says of it. */
void note_attribute(int epoll, int operation, int fd, const struct epoll_event *event);

/* A wait has returned so many events. */
void add_errors_waited(int epoll, struct epoll_event *events, int count);

#endif
