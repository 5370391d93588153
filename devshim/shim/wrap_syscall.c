/* wrap_syscall.c: syscall(2), which programs and run-time systems use to go past libc. What the other wrappers
 * stand in for goes through them; the rest goes on as it is. */
#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "opening.h"
#include "paths.h"
#include "wrap_open.h"

#define ARGUMENT(i, type) ((type)arguments[i])

static long open_how(const long arguments[6])
{
    const struct open_how *how = ARGUMENT(2, const struct open_how *);

    if ((openings_declared() || may_be_routed(ARGUMENT(0, int), ARGUMENT(1, const char *)))
        && ARGUMENT(3, size_t) >= sizeof *how && !how->resolve)
        return open_routed(ARGUMENT(0, int), ARGUMENT(1, const char *), (int)how->flags, (mode_t)how->mode);
    return real.syscall(SYS_openat2, arguments[0], arguments[1], arguments[2], arguments[3]);
}

INTERPOSE long syscall(long number, ...)
{
    long arguments[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(args, long);
    va_end(args);
    START_ONCE();

    switch (number) {
#ifdef SYS_open
    case SYS_open:
        return open_routed(AT_FDCWD, ARGUMENT(0, const char *), ARGUMENT(1, int), ARGUMENT(2, mode_t));
#endif
    case SYS_openat:
        return open_routed(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, int), ARGUMENT(3, mode_t));
    case SYS_openat2:
        return open_how(arguments);
    case SYS_read:
        return read(ARGUMENT(0, int), ARGUMENT(1, void *), ARGUMENT(2, size_t));
    case SYS_write:
        return write(ARGUMENT(0, int), ARGUMENT(1, void *), ARGUMENT(2, size_t));
    case SYS_readv:
        return readv(ARGUMENT(0, int), ARGUMENT(1, const struct iovec *), ARGUMENT(2, int));
    case SYS_writev:
        return writev(ARGUMENT(0, int), ARGUMENT(1, const struct iovec *), ARGUMENT(2, int));
    case SYS_pread64:
        return pread(ARGUMENT(0, int), ARGUMENT(1, void *), ARGUMENT(2, size_t), ARGUMENT(3, off_t));
    case SYS_pwrite64:
        return pwrite(ARGUMENT(0, int), ARGUMENT(1, void *), ARGUMENT(2, size_t), ARGUMENT(3, off_t));
    case SYS_ioctl:
        return ioctl(ARGUMENT(0, int), ARGUMENT(1, unsigned long), ARGUMENT(2, void *));
    case SYS_close:
        return close(ARGUMENT(0, int));
#ifdef SYS_poll
    case SYS_poll:
        return poll(ARGUMENT(0, struct pollfd *), ARGUMENT(1, nfds_t), ARGUMENT(2, int));
#endif
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
        return epoll_wait(ARGUMENT(0, int), ARGUMENT(1, struct epoll_event *), ARGUMENT(2, int), ARGUMENT(3, int));
#endif
    case SYS_epoll_ctl:
        return epoll_ctl(ARGUMENT(0, int), ARGUMENT(1, int), ARGUMENT(2, int), ARGUMENT(3, struct epoll_event *));
    case SYS_lseek:
        return lseek(ARGUMENT(0, int), ARGUMENT(1, off_t), ARGUMENT(2, int));
    case SYS_flock:
        return flock(ARGUMENT(0, int), ARGUMENT(1, int));
    case SYS_dup:
        return dup(ARGUMENT(0, int));
#ifdef SYS_dup2
    case SYS_dup2:
        return dup2(ARGUMENT(0, int), ARGUMENT(1, int));
#endif
    case SYS_dup3:
        return dup3(ARGUMENT(0, int), ARGUMENT(1, int), ARGUMENT(2, int));
    case SYS_fcntl:
        return fcntl(ARGUMENT(0, int), ARGUMENT(1, int), arguments[2]);
    case SYS_statx:
        return statx(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, int), ARGUMENT(3, unsigned),
                     ARGUMENT(4, struct statx *));
#ifdef SYS_newfstatat
    case SYS_newfstatat:
        return fstatat(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, struct stat *), ARGUMENT(3, int));
#endif
#ifdef SYS_stat
    case SYS_stat:
        return stat(ARGUMENT(0, const char *), ARGUMENT(1, struct stat *));
    case SYS_lstat:
        return lstat(ARGUMENT(0, const char *), ARGUMENT(1, struct stat *));
#endif
    case SYS_fstat:
        return fstat(ARGUMENT(0, int), ARGUMENT(1, struct stat *));
    case SYS_faccessat:
        return faccessat(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, int), 0);
#ifdef SYS_faccessat2
    case SYS_faccessat2:
        return faccessat(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, int), ARGUMENT(3, int));
#endif
    case SYS_readlinkat:
        return readlinkat(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, char *), ARGUMENT(3, size_t));
    case SYS_getdents64:
        return getdents64(ARGUMENT(0, int), ARGUMENT(1, void *), ARGUMENT(2, size_t));
    case SYS_execve:
        return execve(ARGUMENT(0, const char *), ARGUMENT(1, char **), ARGUMENT(2, char **));
    case SYS_pidfd_getfd:
        return watch((int)real.syscall(number, arguments[0], arguments[1], arguments[2]));
    default:
        return real.syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                            arguments[5]);
    }
}
