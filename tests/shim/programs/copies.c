/* copies.c: descriptors of one open file, made in every way that there is. copies NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "check.h"

#define GET _IOR('M', 1, struct state)
struct state {
    int a, b;
};

static void check(int fd)
{
    struct state state = { 0, 0 };
    CHECK(fd >= 0);
    CHECK(reads(fd));
    CHECK(ioctl(fd, GET, &state) == 0 && state.a == 1 && state.b == 2);
    CHECK(write(fd, "x", 1) == 1);
}

int main(int argc, char **argv)
{
    (void)argc;
    int first = open(argv[1], O_RDWR), copies[5];
    check(first);
    copies[0] = dup(first);
    copies[1] = dup2(first, 200);
    copies[2] = dup3(first, 300, O_CLOEXEC);
    copies[3] = fcntl(first, F_DUPFD, 700);
    copies[4] = fcntl(first, F_DUPFD_CLOEXEC, 100);
    CHECK(copies[1] == 200 && copies[2] == 300 && copies[3] >= 700 && copies[4] >= 100);
    CHECK(close(first) == 0);
    for (int i = 0; i < 5; i++)
        check(copies[i]);
    CHECK(read(first, copies, 1) == -1 && errno == EBADF);

    /* A number that was the device's and now is a file's. */
    int file = open("/dev/zero", O_RDONLY);
    char byte = 1;
    CHECK(dup2(file, 200) == 200 && read(200, &byte, 1) == 1 && byte == 0);
    /* And a copy of a copy beyond all that a start-up scan looks at, put under one that it does. */
    CHECK(dup2(copies[3], file) == file);
    check(file);
    return 0;
}
