/* raw_calls.c: calls made by syscall(2). raw_calls NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include "check.h"

/* As the kernel has them: with the size of a mask, and with the rest of the time. */
static void waits(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    struct timespec time = { .tv_sec = 100 }, none = { 0 };
    unsigned long mask = 0;
    struct { const void *mask; size_t size; } sized = { &mask, sizeof mask }, wrong = { &mask, 128 };
    fd_set in;

    CHECK(syscall(SYS_ppoll, &one, 1l, &time, &mask, sizeof mask) == 1 && one.revents == POLLIN);
    CHECK(time.tv_sec == 99 && time.tv_nsec > 0);
    CHECK(syscall(SYS_ppoll, &one, 1l, &time, &mask, 128l) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_ppoll, &one, 1l, (void *)8, NULL, 0l) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_ppoll, &one, 1l, NULL, NULL, 0l) == 1);
    time = (struct timespec){ .tv_nsec = 1000000 };
    CHECK(syscall(SYS_ppoll, NULL, 0l, &time, NULL, 0l) == 0 && time.tv_sec == 0 && time.tv_nsec == 0);
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&in);
        FD_SET(fd, &in);
        time = (struct timespec){ .tv_sec = 100 };
        CHECK(syscall(SYS_pselect6, fd + 1l, &in, NULL, NULL, i ? &time : &none, i == 2 ? &sized : NULL) == 1);
        CHECK(FD_ISSET(fd, &in) && time.tv_sec == (i ? 99 : 100) && none.tv_sec == 0 && none.tv_nsec == 0);
    }
    CHECK(syscall(SYS_pselect6, fd + 1l, &in, NULL, NULL, NULL, &wrong) == -1 && errno == EINVAL);
#ifdef SYS_select
    struct timeval also = { .tv_sec = 100 };
    CHECK(syscall(SYS_select, fd + 1l, &in, NULL, NULL, &also) == 1);
#endif
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = 7 }, got = { 0 };
    int epoll = epoll_create1(0);
    CHECK(syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(syscall(SYS_epoll_pwait, epoll, &got, 1l, -1l, &mask, sizeof mask) == 1 && got.data.u64 == 7);
    CHECK(syscall(SYS_epoll_pwait, epoll, &got, 1l, -1l, &mask, 16l) == -1 && errno == EINVAL);
#ifdef SYS_epoll_pwait2
    CHECK(syscall(SYS_epoll_pwait2, epoll, &got, 1l, &time, NULL, 0l) == 1 || errno == ENOSYS);
#endif
    close(epoll);
}

/* The same as by libc's names. */
#define SAME(raw, called)                                                                          \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long raw_ = (raw), raw_error_ = errno;                                                     \
        errno = 0;                                                                                 \
        CHECK(raw_ == (called) && raw_error_ == errno);                                            \
    } while (0)

static void attributes(const char *node, int fd)
{
    char names[100];

    SAME(syscall(SYS_listxattr, node, names, sizeof names), listxattr(node, names, sizeof names));
    SAME(syscall(SYS_llistxattr, node, names, sizeof names), llistxattr(node, names, sizeof names));
    SAME(syscall(SYS_flistxattr, fd, names, sizeof names), flistxattr(fd, names, sizeof names));
    SAME(syscall(SYS_fgetxattr, fd, "user.a", names, sizeof names), fgetxattr(fd, "user.a", names, sizeof names));
    SAME(syscall(SYS_setxattr, node, "user.a", "b", 1l, 0l), setxattr(node, "user.a", "b", 1, 0));
    SAME(syscall(SYS_fsetxattr, fd, "user.a", "b", 1l, 0l), fsetxattr(fd, "user.a", "b", 1, 0));
    SAME(syscall(SYS_removexattr, node, "user.a"), removexattr(node, "user.a"));
    SAME(syscall(SYS_lremovexattr, node, "user.a"), lremovexattr(node, "user.a"));
    SAME(syscall(SYS_fremovexattr, fd, "user.a"), fremovexattr(fd, "user.a"));
    CHECK(syscall(SYS_fadvise64, fd, 0l, 0l, 99l) == -1 && errno == posix_fadvise(fd, 0, 0, 99));
    struct file_handle handle = { .handle_bytes = 0 };
    int mount;
    CHECK(syscall(SYS_name_to_handle_at, AT_FDCWD, node, &handle, &mount, 0l) == -1 && errno != ENOENT);
}

/* What is plugged in /dev is told to who watches it. */
static void watching(const char *node)
{
    int inotify = (int)syscall(SYS_inotify_init1, IN_NONBLOCK);
    int watch = (int)syscall(SYS_inotify_add_watch, inotify, "/dev", IN_ATTRIB);

    CHECK(inotify >= 0 && watch >= 0 && syscall(SYS_inotify_rm_watch, inotify, watch) == 0);
    CHECK(syscall(SYS_inotify_rm_watch, inotify, 4711l) == -1 && errno == EINVAL);
    CHECK(access(node, F_OK) == 0 && close(inotify) == 0);
}

int main(int argc, char **argv)
{
    struct { int a, b; } state = { 0, 0 };
    char buf[9] = "";
    struct iovec part = { buf, 8 };
    (void)argc;
    long fd = syscall(SYS_openat, AT_FDCWD, argv[1], O_RDWR, 0);
    CHECK(fd >= 0 && syscall(SYS_read, fd, buf, 8ul) == 8 && strcmp(buf, "12345678") == 0);
    CHECK(syscall(SYS_ioctl, fd, _IOR('M', 1, state), &state) == 0 && state.b == 2);
    CHECK(syscall(SYS_write, fd, "x", 1ul) == 1);
    CHECK(syscall(SYS_readv, fd, &part, 1l) == 8);
    CHECK(syscall(SYS_pread64, fd, buf, 8ul, 0l) == 8);
    long copy = syscall(SYS_dup, fd);
    CHECK(reads((int)copy) && syscall(SYS_close, fd) == 0 && reads((int)copy));
    CHECK(syscall(SYS_dup3, copy, 50l, 0l) == 50 && reads(50));
    CHECK((syscall(SYS_fcntl, 50l, F_GETFL) & O_ACCMODE) == O_RDWR);
#ifdef SYS_open
    CHECK(reads((int)syscall(SYS_open, argv[1], O_RDONLY, 0)));
#endif
    struct open_how how = { .flags = O_RDONLY };
    CHECK(reads((int)syscall(SYS_openat2, AT_FDCWD, argv[1], &how, sizeof how)) || errno == ENOSYS);
    CHECK(syscall(SYS_openat, AT_FDCWD, "/dev/shm/is/not/there", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(syscall(-1) == -1 && errno == ENOSYS);
    waits(50);
    attributes(argv[1], 50);
    watching(argv[1]);
    return 0;
}
