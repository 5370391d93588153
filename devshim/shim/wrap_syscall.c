/* wrap_syscall.c: syscall(2), which programs and run-time systems use to go past libc. What the other wrappers
 * stand in for goes through them; the rest goes on as it is. */
#include <errno.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "memory.h"
#include "opening.h"
#include "paths.h"
#include "wrap_attributes.h"
#include "wrap_open.h"
#include "wrap_places.h"
#include "wrap_socket.h"
#include "wrap_syscall.h"
#include "wrap_syscall_waits.h"

#define ARGUMENT(i, type) ((type)arguments[i])
#define PATH(i) ARGUMENT(i, const char *)

/* The kernel gives the length of the path, its NUL included (getcwd(2)). */
static long working_directory(char *buffer, size_t size)
{
    char *found = buffer ? getcwd(buffer, size) : NULL;
    return found ? (long)strlen(found) + 1 : real.syscall(SYS_getcwd, buffer, size);
}

/* Calls on names and on what is known of a file. False where it is none of them. */
static bool on_names(long number, const long arguments[6], long *result)
{
    switch (number) {
#ifdef SYS_access
    case SYS_access:
        return *result = access(PATH(0), ARGUMENT(1, int)), true;
    case SYS_readlink:
        return *result = readlink(PATH(0), ARGUMENT(1, char *), ARGUMENT(2, size_t)), true;
    case SYS_creat:
        return *result = creat(PATH(0), ARGUMENT(1, mode_t)), true;
    case SYS_chmod:
        return *result = chmod(PATH(0), ARGUMENT(1, mode_t)), true;
    case SYS_chown:
        return *result = chown(PATH(0), ARGUMENT(1, uid_t), ARGUMENT(2, gid_t)), true;
    case SYS_lchown:
        return *result = lchown(PATH(0), ARGUMENT(1, uid_t), ARGUMENT(2, gid_t)), true;
    case SYS_mkdir:
        return *result = mkdir(PATH(0), ARGUMENT(1, mode_t)), true;
    case SYS_mknod:
        return *result = mknod(PATH(0), ARGUMENT(1, mode_t), ARGUMENT(2, unsigned)), true;
    case SYS_rmdir:
        return *result = rmdir(PATH(0)), true;
    case SYS_unlink:
        return *result = unlink(PATH(0)), true;
    case SYS_rename:
        return *result = rename(PATH(0), PATH(1)), true;
    case SYS_link:
        return *result = link(PATH(0), PATH(1)), true;
    case SYS_symlink:
        return *result = symlink(PATH(0), PATH(1)), true;
    case SYS_utime:
        return *result = utime(PATH(0), ARGUMENT(1, const struct utimbuf *)), true;
    case SYS_utimes:
        return *result = utimes(PATH(0), ARGUMENT(1, const struct timeval *)), true;
#endif
    case SYS_fchmod:
        return *result = fchmod(ARGUMENT(0, int), ARGUMENT(1, mode_t)), true;
    case SYS_fchmodat:
        return *result = fchmodat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, mode_t), 0), true;
    case SYS_fchmodat2:
        return *result = change_mode(ARGUMENT(0, int), PATH(1), ARGUMENT(2, mode_t), ARGUMENT(3, int)), true;
    case SYS_fchown:
        return *result = fchown(ARGUMENT(0, int), ARGUMENT(1, uid_t), ARGUMENT(2, gid_t)), true;
    case SYS_fchownat:
        return *result = fchownat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, uid_t), ARGUMENT(3, gid_t), ARGUMENT(4, int)), true;
    case SYS_utimensat:
        if (!PATH(1) && carrier_of(ARGUMENT(0, int))) /* as futimens() calls it */
            return *result = futimens(ARGUMENT(0, int), ARGUMENT(2, const struct timespec *)), true;
        if (!PATH(1))
            return false;
        return *result = utimensat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, const struct timespec *), ARGUMENT(3, int)), true;
    case SYS_mkdirat:
        return *result = mkdirat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, mode_t)), true;
    case SYS_mknodat:
        return *result = mknodat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, mode_t), ARGUMENT(3, unsigned)), true;
    case SYS_unlinkat:
        return *result = unlinkat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, int)), true;
#ifdef SYS_renameat
    case SYS_renameat:
        return *result = renameat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, int), PATH(3)), true;
#endif
    case SYS_renameat2:
        return *result = renameat2(ARGUMENT(0, int), PATH(1), ARGUMENT(2, int), PATH(3), ARGUMENT(4, unsigned)), true;
    case SYS_linkat:
        return *result = linkat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, int), PATH(3), ARGUMENT(4, int)), true;
    case SYS_symlinkat:
        return *result = symlinkat(PATH(0), ARGUMENT(1, int), PATH(2)), true;
    case SYS_truncate:
        return *result = truncate(PATH(0), ARGUMENT(1, off_t)), true;
    case SYS_chdir:
        return *result = chdir(PATH(0)), true;
    case SYS_fchdir:
        return *result = fchdir(ARGUMENT(0, int)), true;
    case SYS_getcwd:
        return *result = working_directory(ARGUMENT(0, char *), ARGUMENT(1, size_t)), true;
    case SYS_inotify_add_watch:
        return *result = inotify_add_watch(ARGUMENT(0, int), PATH(1), ARGUMENT(2, uint32_t)), true;
#ifdef SYS_inotify_init
    case SYS_inotify_init:
        return *result = inotify_init(), true;
#endif
    case SYS_inotify_init1:
        return *result = inotify_init1(ARGUMENT(0, int)), true;
    case SYS_inotify_rm_watch:
        return *result = inotify_rm_watch(ARGUMENT(0, int), ARGUMENT(1, int)), true;
#ifdef SYS_futimesat
    case SYS_futimesat:
        return *result = futimesat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, const struct timeval *)), true;
#endif
    case SYS_name_to_handle_at:
        return *result = name_to_handle_at(ARGUMENT(0, int), PATH(1), ARGUMENT(2, struct file_handle *), ARGUMENT(3, int *),
                                           ARGUMENT(4, int)), true;
    }
    return false;
}

/* Extended attributes. False where it is none of these. */
static bool on_attributes(long number, const long arguments[6], long *result)
{
    void *value = ARGUMENT(2, void *);
    size_t size = ARGUMENT(3, size_t);
    int flags = ARGUMENT(4, int), fd = ARGUMENT(0, int);

    switch (number) {
    case SYS_getxattr:
        return *result = getxattr(PATH(0), PATH(1), value, size), true;
    case SYS_lgetxattr:
        return *result = lgetxattr(PATH(0), PATH(1), value, size), true;
    case SYS_fgetxattr:
        return *result = fgetxattr(fd, PATH(1), value, size), true;
    case SYS_setxattr:
        return *result = setxattr(PATH(0), PATH(1), value, size, flags), true;
    case SYS_lsetxattr:
        return *result = lsetxattr(PATH(0), PATH(1), value, size, flags), true;
    case SYS_fsetxattr:
        return *result = fsetxattr(fd, PATH(1), value, size, flags), true;
    case SYS_listxattr:
        return *result = listxattr(PATH(0), ARGUMENT(1, char *), ARGUMENT(2, size_t)), true;
    case SYS_llistxattr:
        return *result = llistxattr(PATH(0), ARGUMENT(1, char *), ARGUMENT(2, size_t)), true;
    case SYS_flistxattr:
        return *result = flistxattr(fd, ARGUMENT(1, char *), ARGUMENT(2, size_t)), true;
    case SYS_removexattr:
        return *result = removexattr(PATH(0), PATH(1)), true;
    case SYS_lremovexattr:
        return *result = lremovexattr(PATH(0), PATH(1)), true;
    case SYS_fremovexattr:
        return *result = fremovexattr(fd, PATH(1)), true;
    }
    return false;
}

/* io_submit(2): the kernel would read readiness tokens as data. EINVAL, as for drivers that do not know it; what stands
 * before such a request in the list is taken. */
static long submit(const long arguments[6])
{
    const struct iocb *const *list = ARGUMENT(2, const struct iocb *const *);
    const struct iocb *request;
    struct iocb copy;
    long count = ARGUMENT(1, long), fit = 0;

    while (fit < count && copy_from_target(&request, (uintptr_t)(list + fit), sizeof request)
           && copy_from_target(&copy, (uintptr_t)request, sizeof copy)
           && !answering((int)copy.aio_fildes, DEVICE_READ | DEVICE_WRITE))
        fit++;
    bool refused = fit < count && copy_from_target(&request, (uintptr_t)(list + fit), sizeof request)
                   && copy_from_target(&copy, (uintptr_t)request, sizeof copy);
    if (!refused || fit > 0)
        return real.syscall(SYS_io_submit, arguments[0], refused ? fit : count, list);
    errno = EINVAL;
    return -1;
}

static long errno_of(int error)
{
    if (error)
        errno = error;
    return error ? -1 : 0;
}

/* Calls on descriptors that move data past the program, or open files. False where it is none of them. */
static bool on_files(long number, const long arguments[6], long *result)
{
    switch (number) {
    case SYS_preadv:
        return *result = preadv(ARGUMENT(0, int), ARGUMENT(1, const struct iovec *), ARGUMENT(2, int), arguments[3]), true;
    case SYS_preadv2:
        return *result = preadv2(ARGUMENT(0, int), ARGUMENT(1, const struct iovec *), ARGUMENT(2, int), arguments[3],
                                 ARGUMENT(5, int)), true;
    case SYS_pwritev:
        return *result = pwritev(ARGUMENT(0, int), ARGUMENT(1, const struct iovec *), ARGUMENT(2, int), arguments[3]), true;
    case SYS_pwritev2:
        return *result = pwritev2(ARGUMENT(0, int), ARGUMENT(1, const struct iovec *), ARGUMENT(2, int), arguments[3],
                                  ARGUMENT(5, int)), true;
    case SYS_fsync:
        return *result = fsync(ARGUMENT(0, int)), true;
    case SYS_fdatasync:
        return *result = fdatasync(ARGUMENT(0, int)), true;
    case SYS_fadvise64: /* its name in libc answers with the error */
        *result = errno_of(posix_fadvise(ARGUMENT(0, int), ARGUMENT(1, off_t), ARGUMENT(2, off_t), ARGUMENT(3, int)));
        return true;
    case SYS_ftruncate:
        return *result = ftruncate(ARGUMENT(0, int), ARGUMENT(1, off_t)), true;
    case SYS_mmap:
        return *result = (long)(uintptr_t)mmap(ARGUMENT(0, void *), ARGUMENT(1, size_t), ARGUMENT(2, int),
                                               ARGUMENT(3, int), ARGUMENT(4, int), ARGUMENT(5, off_t)), true;
    case SYS_splice:
        return *result = splice(ARGUMENT(0, int), ARGUMENT(1, off64_t *), ARGUMENT(2, int), ARGUMENT(3, off64_t *),
                                ARGUMENT(4, size_t), ARGUMENT(5, unsigned)), true;
    case SYS_tee:
        return *result = tee(ARGUMENT(0, int), ARGUMENT(1, int), ARGUMENT(2, size_t), ARGUMENT(3, unsigned)), true;
    case SYS_sendfile:
        return *result = sendfile(ARGUMENT(0, int), ARGUMENT(1, int), ARGUMENT(2, off_t *), ARGUMENT(3, size_t)), true;
    case SYS_copy_file_range:
        return *result = copy_file_range(ARGUMENT(0, int), ARGUMENT(1, off64_t *), ARGUMENT(2, int),
                                         ARGUMENT(3, off64_t *), ARGUMENT(4, size_t), ARGUMENT(5, unsigned)), true;
    case SYS_io_submit:
        return *result = submit(arguments), true;
#ifdef SYS_io_uring_setup
    case SYS_io_uring_setup: /* what goes through a ring is not seen; programs do without one where the kernel has none */
        if (!registry)
            return false;
        errno = ENOSYS;
        return *result = -1, true;
#endif
    case SYS_statfs:
        return *result = statfs(PATH(0), ARGUMENT(1, struct statfs *)), true;
    case SYS_fstatfs:
        return *result = fstatfs(ARGUMENT(0, int), ARGUMENT(1, struct statfs *)), true;
    case SYS_execveat:
        return *result = execveat(ARGUMENT(0, int), PATH(1), ARGUMENT(2, char **), ARGUMENT(3, char **), ARGUMENT(4, int)),
               true;
    }
    return false;
}

static long kernel(long number, const long arguments[6])
{
    return real.syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

static long by_number(long number, const long arguments[6])
{
    long result;
    if (on_names(number, arguments, &result) || on_files(number, arguments, &result)
        || on_attributes(number, arguments, &result) || call_on_wait(number, arguments, &result)
        || call_on_socket(number, arguments, &result) || call_on_place(number, arguments, &result))
        return result;
    switch (number) {
#ifdef SYS_open
    case SYS_open:
        return open_routed(AT_FDCWD, ARGUMENT(0, const char *), ARGUMENT(1, int), ARGUMENT(2, mode_t));
#endif
    case SYS_openat:
        return open_routed(ARGUMENT(0, int), ARGUMENT(1, const char *), ARGUMENT(2, int), ARGUMENT(3, mode_t));
    case SYS_openat2:
        return openat2_routed(ARGUMENT(0, int), PATH(1), ARGUMENT(2, const void *), ARGUMENT(3, size_t));
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
#ifdef SYS_close_range
    case SYS_close_range:
        return LATE(close_range) ? close_range(ARGUMENT(0, unsigned), ARGUMENT(1, unsigned), ARGUMENT(2, int))
                                 : real.syscall(number, arguments[0], arguments[1], arguments[2]);
#endif
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
        return kernel(number, arguments);
    }
}

/* Behind us, in the order of libraries, another one may stand in for the same function and be built on syscall(2), as
 * tcmalloc's mmap() is: the call comes back here with the same number and the same first argument, and is libc's. On a
 * device, the first that comes back may be a signal handler's instead, while the model has nothing to be read yet. */
struct under_way {
    int times; /* entered with these two; 0: not at all */
    long number, first;
};

static __thread struct under_way under_way __attribute__((tls_model("initial-exec")));

static bool has_come_back(long number, long first)
{
    return under_way.times > 0 && under_way.number == number && under_way.first == first;
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
    struct under_way before = under_way;
    bool again = has_come_back(number, arguments[0]);
    if (again && (before.times > 1 || !answering((int)arguments[0], DEVICE_READ | DEVICE_WRITE)))
        return kernel(number, arguments);

    under_way = (struct under_way){ again ? before.times + 1 : 1, number, arguments[0] };
    long result = by_number(number, arguments);
    under_way = before;
    return result;
}

long call_by_number(long number, const long arguments[6])
{
    return by_number(number, arguments);
}
