/* close_all.c: descriptors closed by the range, then devices opened and asked again. close_all NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>

#include "check.h"

int main(int argc, char **argv)
{
    (void)argc;
    int fd = open(argv[1], O_RDWR);
    CHECK(reads(fd)); /* now the shim has all that it ever opens */
    int kept = dup2(fd, 2);
    CHECK(kept == 2 && (syscall(SYS_close_range, 3, ~0u, 0) == 0 || errno == ENOSYS));
    for (int i = 3; i < 1024; i++)
        close(i);
    CHECK(reads(kept));
    CHECK(read(fd, &fd, 1) == -1 && errno == EBADF);
    fd = open(argv[1], O_RDWR);
    CHECK(fd == 3 && reads(fd));
#if __GLIBC_PREREQ(2, 34)
    closefrom(2);
    fd = open(argv[1], O_RDWR);
    CHECK(fd == 2 && reads(fd));
#endif
    return 0;
}
