/* wrap_fd.c: descriptors that come to life without open(), and what hangs on an open file rather than on a
 * call: modes and locks. */
#include <errno.h>

#include "calls.h"
#include "wrap_stdio.h"

/* A copy has come to life: below 3 it is a standard stream's from now on. */
static int copied(int fd, int old)
{
    watch_copy(fd, old);
    if (fd >= 0 && fd <= 2 && fd != old)
        adopt_standard_stream(fd);
    return fd;
}

INTERPOSE int dup(int fd)
{
    START_ONCE();
    return copied(real.dup(fd), fd);
}

INTERPOSE int dup2(int fd, int to)
{
    START_ONCE();
    return copied(real.dup2(fd, to), fd);
}
SAME_AS(dup2, __dup2);

INTERPOSE int dup3(int fd, int to, int flags)
{
    START_ONCE();
    return copied(real.dup3(fd, to, flags), fd);
}

/* A socket carrier is always O_RDWR; the file was opened otherwise. */
static int open_mode(int fd, int flags)
{
    const struct carrier *carrier = carrier_of(fd);
    if (flags < 0 || !carrier || (device_of(carrier)->flags & DEVICE_TTY) || (carrier->access & O_PATH))
        return flags;
    return (flags & ~O_ACCMODE) | (int)(carrier->access & O_ACCMODE);
}

static int lock_record(const struct carrier *carrier, int fd, int command, const struct flock *lock)
{
    bool wait = command == F_SETLKW || command == F_OFD_SETLKW;
    int kind = lock->l_type == F_RDLCK ? LOCK_SH : lock->l_type == F_WRLCK ? LOCK_EX : LOCK_UN;
    int result = device_lock(carrier, fd, kind | (wait ? 0 : LOCK_NB));
    return result;
}

INTERPOSE int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);

    const struct carrier *carrier;
    START_ONCE();
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return copied(real.fcntl(fd, command, argument), fd);
    case F_GETFL:
        return open_mode(fd, real.fcntl(fd, command));
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
        if (carrier)
            return lock_record(carrier, fd, command, argument);
        break;
    }
    return real.fcntl(fd, command, argument);
}
SAME_AS(fcntl, fcntl64);
SAME_AS(fcntl, __fcntl);

INTERPOSE int flock(int fd, int operation)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
    return carrier ? device_lock(carrier, fd, operation) : real.flock(fd, operation);
}

INTERPOSE int lockf(int fd, int command, off_t length)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
    if (!carrier)
        return real.lockf(fd, command, length);
    switch (command) {
    case F_LOCK:
        return device_lock(carrier, fd, LOCK_EX);
    case F_TLOCK:
        return device_lock(carrier, fd, LOCK_EX | LOCK_NB);
    case F_ULOCK:
        return device_lock(carrier, fd, LOCK_UN);
    default:
        errno = EINVAL;
        return -1;
    }
}
SAME_AS(lockf, lockf64);

/* ---- Descriptors received over a socket ----------------------------------------------------------- */

static void watch_received(struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        const int *fds = (const int *)(const void *)CMSG_DATA(head);
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
        for (size_t i = 0; i < count; i++)
            watch(fds[i]);
    }
}

INTERPOSE ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    START_ONCE();
    ssize_t got = real.recvmsg(fd, message, flags);
    if (got >= 0 && message->msg_controllen)
        watch_received(message);
    return got;
}

INTERPOSE int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    START_ONCE();
    int got = real.recvmmsg(fd, messages, count, flags, timeout);
    for (int i = 0; i < got; i++)
        if (messages[i].msg_hdr.msg_controllen)
            watch_received(&messages[i].msg_hdr);
    return got;
}
