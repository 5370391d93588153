/* wrap_fortify.c: the checking variants that -D_FORTIFY_SOURCE makes of calls. libc has no header for these. */
#include "interposed.h"

extern void __chk_fail(void) __attribute__((noreturn));

static void check(size_t size, size_t room)
{
    if (size > room)
        __chk_fail();
}

INTERPOSE ssize_t __read_chk(int fd, void *buf, size_t size, size_t room);
ssize_t __read_chk(int fd, void *buf, size_t size, size_t room)
{
    check(size, room);
    return read(fd, buf, size);
}

INTERPOSE ssize_t __pread_chk(int fd, void *buf, size_t size, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *buf, size_t size, off_t offset, size_t room)
{
    check(size, room);
    return pread(fd, buf, size, offset);
}
SAME_AS(__pread_chk, __pread64_chk);

INTERPOSE int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open(path, flags);
}
SAME_AS(__open_2, __open64_2);

INTERPOSE int __openat_2(int directory, const char *path, int flags);
int __openat_2(int directory, const char *path, int flags)
{
    return openat(directory, path, flags);
}
SAME_AS(__openat_2, __openat64_2);

INTERPOSE int __ttyname_r_chk(int fd, char *buf, size_t size, size_t room);
int __ttyname_r_chk(int fd, char *buf, size_t size, size_t room)
{
    check(size, room);
    return ttyname_r(fd, buf, size);
}

INTERPOSE ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t size, size_t room, int flags,
                                 struct sockaddr *restrict address, socklen_t *restrict length);
ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t size, size_t room, int flags,
                       struct sockaddr *restrict address, socklen_t *restrict length)
{
    check(size, room);
    return recvfrom(fd, buf, size, flags, address, length);
}

INTERPOSE ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room, int flags);
ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room, int flags)
{
    check(size, room);
    return recv(fd, buf, size, flags);
}

static void check_count(size_t count, size_t room)
{
    check(count, room / sizeof(struct pollfd));
}

INTERPOSE int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    check_count(count, room);
    return poll(fds, count, timeout);
}

INTERPOSE int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t room)
{
    check_count(count, room);
    return ppoll(fds, count, timeout, mask);
}

INTERPOSE int __ptsname_r_chk(int fd, char *buf, size_t size, size_t room);
int __ptsname_r_chk(int fd, char *buf, size_t size, size_t room)
{
    check(size, room);
    return ptsname_r(fd, buf, size);
}
