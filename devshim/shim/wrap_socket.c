/* wrap_socket.c: calls by which a program finds out whether a descriptor is a socket. The carrier of a computed device is
 * one, the device is none: bash takes a standard input with a peer for one of rshd's, and reads its start-up file. */
#include <errno.h>

#include "calls.h"
#include "wrap_netlink.h"

/* Whether to refuse; with ENOTSOCK, as socket(7)'s calls do it on a device. */
static bool no_socket(int fd)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier || (device_of(carrier)->flags & DEVICE_MONITOR))
        return false;
    errno = ENOTSOCK;
    return true;
}

INTERPOSE int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    if (monitor_of(fd))
        return monitor_name(fd, address, size);
    return no_socket(fd) ? -1 : LATE(getsockname)(fd, address, size);
}

INTERPOSE int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return no_socket(fd) ? -1 : LATE(getpeername)(fd, address, size);
}

INTERPOSE int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    if (monitor_of(fd))
        return monitor_option(fd, level, option, value, size);
    return no_socket(fd) ? -1 : LATE(getsockopt)(fd, level, option, value, size);
}

INTERPOSE int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    if (monitor_of(fd))
        return set_monitor_option(fd, level, option, value, size);
    return no_socket(fd) ? -1 : LATE(setsockopt)(fd, level, option, value, size);
}

INTERPOSE int shutdown(int fd, int how)
{
    return no_socket(fd) ? -1 : LATE(shutdown)(fd, how);
}
