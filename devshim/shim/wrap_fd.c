/* wrap_fd.c: descriptors that come to life without open(), and what hangs on an open file rather than on a
 * call: modes and locks. */
#include <errno.h>

#include "calls.h"
#include "memory.h"
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

static const struct carrier *locked_by_host(int fd)
{
    return answering(fd, DEVICE_READ | DEVICE_WRITE);
}

static int64_t lock_kind(short type)
{
    return type == F_RDLCK ? LOCK_SH : type == F_WRLCK ? LOCK_EX : type == F_UNLCK ? LOCK_UN : -1;
}

/* fcntl(2)'s record locks, always over all of the device: there are no bytes to count in it. */
static int lock_record(const struct carrier *carrier, int command, uintptr_t argument)
{
    bool of_file = command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
    bool wait = command == F_SETLKW || command == F_OFD_SETLKW, test = command == F_GETLK || command == F_OFD_GETLK;
    struct flock lock;

    if (!copy_from_target(&lock, argument, sizeof lock)) {
        errno = EFAULT;
        return -1;
    }
    int64_t kind = lock_kind(lock.l_type);
    if (kind < 0 || (test && kind == LOCK_UN)) {
        errno = EINVAL;
        return -1;
    }
    int missing = kind == LOCK_SH ? O_WRONLY : kind == LOCK_EX ? O_RDONLY : -1;
    if (!test && (int)(carrier->access & O_ACCMODE) == missing) {
        errno = EBADF;
        return -1;
    }
    int64_t found = device_lock(carrier, (int)kind | (of_file ? LOCK_OF_FILE : LOCK_OF_PROCESS)
                                             | (wait ? 0 : LOCK_NB) | (test ? LOCK_TEST : 0));
    if (found < 0 || !test)
        return found < 0 ? -1 : 0;
    if (found == 0)
        lock.l_type = F_UNLCK;
    else
        lock = (struct flock){ .l_type = (found & 0xff) == LOCK_SH ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET,
                               .l_pid = (pid_t)(found >> 8) };
    if (!copy_to_target(argument, &lock, sizeof lock)) {
        errno = EFAULT;
        return -1;
    }
    return 0;
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
    case F_GETLK:
    case F_OFD_GETLK:
        carrier = locked_by_host(fd);
        if (carrier)
            return lock_record(carrier, command, (uintptr_t)argument);
        break;
    }
    return real.fcntl(fd, command, argument);
}
SAME_AS(fcntl, fcntl64);
SAME_AS(fcntl, __fcntl);

INTERPOSE int flock(int fd, int operation)
{
    const struct carrier *carrier = locked_by_host(fd);
    if (!carrier)
        return real.flock(fd, operation);
    if (operation & ~(LOCK_SH | LOCK_EX | LOCK_UN | LOCK_NB)) {
        errno = EINVAL;
        return -1;
    }
    return (int)device_lock(carrier, operation);
}

INTERPOSE int lockf(int fd, int command, off_t length)
{
    const struct carrier *carrier = locked_by_host(fd);
    int64_t found;

    if (!carrier)
        return real.lockf(fd, command, length);
    switch (command) {
    case F_LOCK:
        return (int)device_lock(carrier, LOCK_OF_PROCESS | LOCK_EX);
    case F_TLOCK:
        return (int)device_lock(carrier, LOCK_OF_PROCESS | LOCK_EX | LOCK_NB);
    case F_ULOCK:
        return (int)device_lock(carrier, LOCK_OF_PROCESS | LOCK_UN);
    case F_TEST:
        found = device_lock(carrier, LOCK_OF_PROCESS | LOCK_EX | LOCK_TEST);
        if (found > 0)
            errno = EACCES;
        return found == 0 ? 0 : -1;
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
