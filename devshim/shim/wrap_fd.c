/* wrap_fd.c: descriptors that come to life without open(), and what hangs on an open file rather than on a
 * call: modes and locks. */
#include <errno.h>

#include "calls.h"
#include "connection.h"
#include "memory.h"
#include "openfiles.h"
#include "record.h"
#include "wrap_netlink.h"
#include "wrap_socket.h"
#include "wrap_stdio.h"

/* ---- Closing ---------------------------------------------------------------------------------------- */

/* Of interest to a recording alone: the host sees the last close of a file by its carrier. A vfork child closes what is
 * its own, in memory that is not. */
static bool begin_close(struct recording *call, int fd)
{
    const struct carrier *carrier = recorded(fd);
    return carrier && !in_borrowed_memory() && begin_recording(call, carrier, fd, CALL_CLOSE, 0, 0, 0);
}

INTERPOSE int close(int fd)
{
    START_ONCE();
    if (__builtin_expect(host_s_descriptor(fd, fd) >= 0, 0)) {
        errno = EBADF;
        return -1;
    }
    if (!recording())
        return real.close(fd);
    struct recording call;
    bool begun = begin_close(&call, fd);
    forget_file(fd); /* once it is closed, another thread may have its number */
    int result = real.close(fd);
    return begun ? (int)end_recording(&call, result) : result;
}
SAME_AS(close, __close);

/* Every descriptor in a range that is closed at once. */
static void record_closes(unsigned first, unsigned last)
{
    struct recording call;

    for (int fd = (int)first; recording() && fd >= 0 && (unsigned)fd <= last && fd < WATCHED_FDS; fd++) {
        if (!(may_be_device[fd >> 3] & (1u << (fd & 7))) || !begin_close(&call, fd))
            continue;
        forget_file(fd);
        end_recording(&call, 0);
    }
}

/* Close what lies between the descriptors that a host in this process needs; returns where the rest begins. */
static unsigned close_up_to_last_kept(__typeof__(close_range) *libc, unsigned first, unsigned last, int flags)
{
    int kept;

    while (first <= last && first <= INT32_MAX
           && (kept = host_s_descriptor((int)first, last < INT32_MAX ? (int)last : INT32_MAX)) >= 0) {
        if ((unsigned)kept > first)
            libc(first, (unsigned)kept - 1, flags);
        first = (unsigned)kept + 1;
    }
    return first;
}

INTERPOSE int close_range(unsigned first, unsigned last, int flags)
{
    START_ONCE();
    __typeof__(close_range) *libc = LATE(close_range);
    if (!libc) { /* before glibc 2.34 */
        errno = ENOSYS;
        return -1;
    }
    if (!(flags & CLOSE_RANGE_CLOEXEC)) {
        record_closes(first, last);
        first = close_up_to_last_kept(libc, first, last, flags);
    }
    return first <= last ? libc(first, last, flags) : 0;
}

INTERPOSE void closefrom(int first)
{
    START_ONCE();
    __typeof__(closefrom) *libc = LATE(closefrom);
    __typeof__(close_range) *ranges = LATE(close_range);
    unsigned from = first > 0 ? (unsigned)first : 0;
    record_closes(from, UINT32_MAX);
    if (ranges)
        from = close_up_to_last_kept(ranges, from, UINT32_MAX, 0);
    if (libc)
        libc((int)from);
}

/* ---- Copies ----------------------------------------------------------------------------------------- */

/* A copy has come to life: below 3 it is a standard stream's from now on. */
static int copied(int fd, int old)
{
    watch_copy(fd, old);
    record_copy(fd, old);
    if (fd >= 0 && fd <= 2 && fd != old)
        adopt_standard_stream(fd);
    return fd;
}

INTERPOSE int dup(int fd)
{
    START_ONCE();
    return copied(real.dup(fd), fd);
}

/* What the number stood for before was closed by it. */
static int replaced(const struct recording *call, bool begun, int fd)
{
    if (begun)
        end_recording(call, fd < 0 ? -1 : 0);
    return fd;
}

INTERPOSE int dup2(int fd, int to)
{
    START_ONCE();
    struct recording call;
    bool begun = recording() && fd != to && begin_close(&call, to);
    return copied(replaced(&call, begun, real.dup2(fd, to)), fd);
}
SAME_AS(dup2, __dup2);

INTERPOSE int dup3(int fd, int to, int flags)
{
    START_ONCE();
    struct recording call;
    bool begun = recording() && fd != to && begin_close(&call, to);
    return copied(replaced(&call, begun, real.dup3(fd, to, flags)), fd);
}

/* What the kernel adds to every open by name where off_t has 64 bits; libc's O_LARGEFILE is 0 there. */
#if defined(__aarch64__)
#define LARGE_FILE 0400000
#else
#define LARGE_FILE 0100000
#endif

/* A socket carrier is always O_RDWR; the file was opened otherwise. The kernel forgets O_CLOEXEC once a file is open. */
static int open_mode(int fd, int flags)
{
    const struct carrier *carrier = carrier_of(fd);
    if (flags < 0 || !carrier || (carrier->access & O_PATH))
        return flags;
    flags &= ~O_CLOEXEC;
    if (device_of(carrier)->flags & DEVICE_TTY)
        return flags | LARGE_FILE;
    return (flags & ~O_ACCMODE) | (int)(carrier->access & ~CARRIER_NAMED)
           | (carrier->access & CARRIER_NAMED ? LARGE_FILE : 0);
}

/* Every open of a tty has a pty's end of its own, on which the kernel's locks meet. */
static const struct carrier *locked_by_host(int fd)
{
    return answering(fd, DEVICE_TTY) ? NULL : answering(fd, DEVICE_READ | DEVICE_WRITE);
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
    if (kind < 0 || (test && kind == LOCK_UN) || (of_file && lock.l_pid != 0)) {
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
    if (found == -1 || !test) /* less than that: the process of a lock that belongs to a file is -1 */
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

/* By the host where the model computes, else by the kernel; recorded where that is wanted. */
static int lock_command(int fd, int command, void *argument)
{
    const struct carrier *host = locked_by_host(fd), *carrier = recorded(fd);
    struct flock lock = { 0 };
    struct recording call;

    if (carrier && !copy_from_target(&lock, (uintptr_t)argument, sizeof lock))
        carrier = NULL;
    bool begun = carrier && begin_recording(&call, carrier, fd, CALL_FCNTL, command, lock.l_type, 0);
    int result = host ? lock_record(host, command, (uintptr_t)argument) : real.fcntl(fd, command, argument);
    return begun ? (int)end_recording(&call, result) : result;
}

INTERPOSE int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);

    START_ONCE();
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return copied(real.fcntl(fd, command, argument), fd);
    case F_GETFL:
        return open_mode(fd, real.fcntl(fd, command));
    case F_GETSIG:
        return shown_signal(fd, real.fcntl(fd, command));
    case F_SETFL:
        if ((uintptr_t)argument & O_ASYNC)
            take_tag_off(fd);
        break;
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
    case F_GETLK:
    case F_OFD_GETLK:
        return lock_command(fd, command, argument);
    }
    return real.fcntl(fd, command, argument);
}
SAME_AS(fcntl, fcntl64);
SAME_AS(fcntl, __fcntl);

static int plain_flock(int fd, int operation)
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

INTERPOSE int flock(int fd, int operation)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;

    if (!carrier || !begin_recording(&call, carrier, fd, CALL_FLOCK, operation, 0, 0))
        return plain_flock(fd, operation);
    return (int)end_recording(&call, plain_flock(fd, operation));
}

INTERPOSE int lockf(int fd, int command, off_t length)
{
    const struct carrier *carrier = locked_by_host(fd);
    int64_t found;

    if (!carrier)
        return real.lockf(fd, command, length);
    if ((command == F_LOCK || command == F_TLOCK) && (carrier->access & O_ACCMODE) == O_RDONLY) {
        errno = EBADF;
        return -1;
    }
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

enum { MANY = 64 }; /* uevents that are received at once */

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
    const struct carrier *monitor = monitor_of(fd);
    socklen_t room = monitor ? message->msg_namelen : 0;

    if (!monitor && no_socket(fd))
        return -1;
    ssize_t got = real.recvmsg(fd, message, flags);
    if (got >= 0 && message->msg_controllen)
        watch_received(message);
    if (got >= 0 && monitor)
        receive_uevent(message, room, got);
    return got;
}

INTERPOSE int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    const struct carrier *monitor = monitor_of(fd);
    socklen_t rooms[MANY];

    if (!monitor && no_socket(fd))
        return -1;
    if (monitor && count > MANY)
        count = MANY;
    for (unsigned i = 0; monitor && i < count; i++)
        rooms[i] = messages[i].msg_hdr.msg_namelen;
    int got = real.recvmmsg(fd, messages, count, flags, timeout);
    for (int i = 0; i < got; i++) {
        if (messages[i].msg_hdr.msg_controllen)
            watch_received(&messages[i].msg_hdr);
        if (monitor)
            receive_uevent(&messages[i].msg_hdr, rooms[i], messages[i].msg_len);
    }
    return got;
}
