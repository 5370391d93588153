/* wrap_socket.c: calls by which a program finds out whether a descriptor is a socket. The carrier of a computed device is
 * one, the device is none: bash takes a standard input with a peer for one of rshd's, and reads its start-up file; others
 * send() and recv() first, and write() and read() where that is ENOTSOCK. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "calls.h"
#include "memory.h"
#include "paths.h"
#include "wrap_netlink.h"
#include "wrap_socket.h"

bool no_socket(int fd)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier || (carrier->access & O_PATH) || (device_of(carrier)->flags & DEVICE_MONITOR))
        return false;
    errno = ENOTSOCK;
    return true;
}

bool names_device(const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_un name;
    struct route found;
    size_t start = offsetof(struct sockaddr_un, sun_path);

    if (!registry || is_no_address((const char *)address) || length <= start || length > sizeof name
        || !copy_from_target(&name, (uintptr_t)address, length) || name.sun_family != AF_UNIX || !name.sun_path[0])
        return false;
    char path[sizeof name.sun_path + 1] = "";
    memcpy(path, name.sun_path, length - start);
    return route(AT_FDCWD, path, FOLLOW, &found) == ROUTE_DEVICE;
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

INTERPOSE ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return no_socket(fd) ? -1 : real.sendmsg(fd, message, flags);
}

INTERPOSE int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    return no_socket(fd) ? -1 : LATE(sendmmsg)(fd, messages, count, flags);
}

/* A plugged node has a name in the file system, but nobody listens there. */
INTERPOSE int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (no_socket(fd))
        return -1;
    if (names_device(address, length)) {
        errno = ECONNREFUSED;
        return -1;
    }
    return real.connect(fd, address, length);
}
#ifdef __GLIBC__
SAME_AS(connect, __connect);
#endif

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

/* ---- What libc asks by calls of its own ---------------------------------------------------------- */

INTERPOSE int sockatmark(int fd)
{
    if (!no_socket(fd))
        return LATE(sockatmark)(fd);
    errno = ENOTTY; /* it is an ioctl */
    return -1;
}

#ifdef __GLIBC__
INTERPOSE int isfdtype(int fd, int type)
{
    struct stat status;
    return fstat(fd, &status) < 0 ? -1 : (status.st_mode & S_IFMT) == (mode_t)type;
}
#endif

/* ---- By number ------------------------------------------------------------------------------------- */

#define FD        ((int)arguments[0])
#define AT(i)     ((void *)arguments[i])
#define NUMBER(i) ((int)arguments[i])

bool call_on_socket(long number, const long arguments[6], long *result)
{
    switch (number) {
    case SYS_socket:
        return *result = socket(NUMBER(0), NUMBER(1), NUMBER(2)), true;
    case SYS_bind:
        return *result = bind(FD, AT(1), (socklen_t)arguments[2]), true;
    case SYS_connect:
        return *result = connect(FD, AT(1), (socklen_t)arguments[2]), true;
    case SYS_listen:
        return *result = listen(FD, NUMBER(1)), true;
#ifdef SYS_accept
    case SYS_accept:
        return *result = accept(FD, AT(1), AT(2)), true;
#endif
    case SYS_accept4:
        return *result = accept4(FD, AT(1), AT(2), NUMBER(3)), true;
    case SYS_shutdown:
        return *result = shutdown(FD, NUMBER(1)), true;
    case SYS_getsockname:
        return *result = getsockname(FD, AT(1), AT(2)), true;
    case SYS_getpeername:
        return *result = getpeername(FD, AT(1), AT(2)), true;
    case SYS_getsockopt:
        return *result = getsockopt(FD, NUMBER(1), NUMBER(2), AT(3), AT(4)), true;
    case SYS_setsockopt:
        return *result = setsockopt(FD, NUMBER(1), NUMBER(2), AT(3), (socklen_t)arguments[4]), true;
    case SYS_sendto:
        return *result = sendto(FD, AT(1), (size_t)arguments[2], NUMBER(3), AT(4), (socklen_t)arguments[5]), true;
    case SYS_recvfrom:
        return *result = recvfrom(FD, AT(1), (size_t)arguments[2], NUMBER(3), AT(4), AT(5)), true;
    case SYS_sendmsg:
        return *result = sendmsg(FD, AT(1), NUMBER(2)), true;
    case SYS_sendmmsg:
        return *result = sendmmsg(FD, AT(1), (unsigned)arguments[2], NUMBER(3)), true;
    case SYS_recvmsg:
        return *result = recvmsg(FD, AT(1), NUMBER(2)), true;
    case SYS_recvmmsg:
        return *result = recvmmsg(FD, AT(1), (unsigned)arguments[2], NUMBER(3), AT(4)), true;
    }
    return false;
}
