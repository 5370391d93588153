/* rings.c: calls that hand a list of reads to the kernel: io_submit(2), io_uring_setup(2). rings NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "check.h"

static aio_context_t context;
static char bytes[8];

static struct iocb read_of(int fd)
{
    return (struct iocb){ .aio_fildes = (uint32_t)fd, .aio_lio_opcode = IOCB_CMD_PREAD,
                          .aio_buf = (uintptr_t)bytes, .aio_nbytes = sizeof bytes };
}

int main(int argc, char **argv)
{
    char parameters[256] = { 0 };
    struct io_event event;

    CHECK(argc == 2);
#ifdef SYS_io_uring_setup
    CHECK(syscall(SYS_io_uring_setup, 4, parameters) == -1 && errno == ENOSYS);
#endif
    if (syscall(SYS_io_setup, 4, &context) < 0)
        return 0; /* not on this kernel */
    int device = open(argv[1], O_RDONLY), ordinary = open("/dev/zero", O_RDONLY);
    struct iocb of_device = read_of(device), of_zero = read_of(ordinary), *list[] = { &of_zero, &of_device };
    CHECK(device >= 0 && ordinary >= 0);
    CHECK(syscall(SYS_io_submit, context, 1L, list + 1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_io_submit, context, 2L, list) == 1); /* as far as the first that cannot be */
    CHECK(syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) == 1 && event.res == sizeof bytes);
    CHECK(syscall(SYS_io_submit, context, 1L, (void *)16) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_io_submit, context, 0L, list) == 0);
    CHECK(reads(device));
    return 0;
}
