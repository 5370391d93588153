/* aio_waits.c: aio(7) on what gives back what was written to it: requests that wait, queue up and are called off. aio_waits NODE */
#define _GNU_SOURCE
#include <aio.h>
#include <fcntl.h>

#include "check.h"

int main(int argc, char **argv)
{
    char first[8] = "", second[8] = "", fourth[8] = "";
    CHECK(argc == 2);
    int fd = open(argv[1], O_RDWR);
    struct aiocb one = { .aio_fildes = fd, .aio_buf = first, .aio_nbytes = 5 };
    struct aiocb two = { .aio_fildes = fd, .aio_buf = second, .aio_nbytes = 5 };
    struct aiocb three = { .aio_fildes = fd, .aio_buf = "three", .aio_nbytes = 5 };
    struct aiocb four = { .aio_fildes = fd, .aio_buf = fourth, .aio_nbytes = 5 };
    const struct aiocb *const list[] = { &one, &two };

    CHECK(fd >= 0 && aio_read(&one) == 0 && aio_read(&two) == 0 && aio_write(&three) == 0 && aio_read(&four) == 0);
    CHECK(aio_suspend(list, 2, &(struct timespec){ .tv_nsec = 1000000 }) == -1 && errno == EAGAIN);
    CHECK(aio_error(&one) == EINPROGRESS && aio_cancel(fd, &four) == AIO_CANCELED);
    CHECK(aio_error(&four) == ECANCELED && aio_return(&four) == -1);
    CHECK(write(fd, "first", 5) == 5);
    while (aio_error(&one) == EINPROGRESS)
        CHECK(aio_suspend(list, 1, NULL) == 0);
    CHECK(aio_return(&one) == 5 && strcmp(first, "first") == 0);
    CHECK(write(fd, "again", 5) == 5); /* what waits on a descriptor goes one by one: three is behind two */
    while (aio_error(&two) == EINPROGRESS)
        CHECK(aio_suspend(list + 1, 1, NULL) == 0);
    CHECK(aio_return(&two) == 5 && strcmp(second, "again") == 0);
    const struct aiocb *const last[] = { &three };
    while (aio_error(&three) == EINPROGRESS)
        CHECK(aio_suspend(last, 1, NULL) == 0);
    CHECK(aio_return(&three) == 5 && read(fd, first, 5) == 5 && strcmp(first, "three") == 0);
    return 0;
}
