/* raw_calls.c: calls made by syscall(2). raw_calls NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

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
    return 0;
}
