/* wrap_socket.c: calls by which a program finds out whether a descriptor is a socket. The carrier of a computed device is
 * one, the device is none: bash takes a standard input with a peer for one of rshd's, and reads its start-up file; others
 * send() and recv() first, and write() and read() where that is ENOTSOCK. */
#include <errno.h>

#include "calls.h"
#include "wrap_netlink.h"
#include "wrap_socket.h"

bool no_socket(int fd)
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

INTERPOSE ssize_t recv(int fd, void *buf, size_t size, int flags)
{
    return no_socket(fd) ? -1 : real.recv(fd, buf, size, flags);
}

INTERPOSE ssize_t send(int fd, const void *buf, size_t size, int flags)
{
    return no_socket(fd) ? -1 : LATE(send)(fd, buf, size, flags);
}
#ifdef __GLIBC__
SAME_AS(send, __send);
#endif

INTERPOSE ssize_t sendto(int fd, const void *buf, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
    return no_socket(fd) ? -1 : LATE(sendto)(fd, buf, size, flags, address, length);
}

INTERPOSE int listen(int fd, int backlog)
{
    return no_socket(fd) ? -1 : LATE(listen)(fd, backlog);
}

INTERPOSE int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return no_socket(fd) ? -1 : LATE(accept)(fd, address, length);
}

INTERPOSE int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    return no_socket(fd) ? -1 : LATE(accept4)(fd, address, length, flags);
}
