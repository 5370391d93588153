/* image.c: literals, variables and the heap are read and written as they are, and where they may not be, with EFAULT. image NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "check.h"

enum { PAGE = 4096 };

struct state {
    int a, b;
};

static char zeroed[16];
static struct state initialised = { 7, 8 };
static const struct state constant = { 5, 6 };
static char *const relocated[] = { zeroed, zeroed + 1 }; /* constant once the loader is done with it */

int main(int argc, char **argv)
{
    struct state before = constant;
    int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
    unsigned long request = _IOR('M', 1, struct state);

    CHECK(write(fd, "literal", 7) == 7);
    CHECK(write(fd, &constant, sizeof constant) == sizeof constant);
    CHECK(read(fd, zeroed, 8) == 8 && memcmp(zeroed, "12345678", 8) == 0);
    CHECK(ioctl(fd, request, &initialised) == 0 && initialised.a == 1 && initialised.b == 2);
    CHECK(read(fd, (void *)&constant, 8) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, request, &constant) == -1 && errno == EFAULT && memcmp(&constant, &before, sizeof before) == 0);
    CHECK(read(fd, (void *)relocated, 8) == -1 && errno == EFAULT && relocated[1] == zeroed + 1);

    char *heap = sbrk(0);
    heap += -(unsigned long)heap % PAGE;
    CHECK(brk(heap + 3 * PAGE) == 0);
    CHECK(read(fd, heap, 8) == 8 && memcmp(heap, "12345678", 8) == 0 && write(fd, heap, 8) == 8);
    CHECK(read(fd, heap + PAGE - 4, 8) == 8 && memcmp(heap + PAGE - 4, "12345678", 8) == 0);
    CHECK(mprotect(heap + PAGE, PAGE, PROT_READ) == 0 && mprotect(heap + 2 * PAGE, PAGE, PROT_NONE) == 0);
    CHECK(write(fd, heap + PAGE, 8) == 8);
    CHECK(read(fd, heap + PAGE, 8) == -1 && errno == EFAULT);
    CHECK(read(fd, heap + PAGE, 4) == -1 && errno == EFAULT);
    CHECK(write(fd, heap + 2 * PAGE - 4, 8) == -1 && errno == EFAULT);
    CHECK(write(fd, heap + 2 * PAGE, 8) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, request, heap + 2 * PAGE) == -1 && errno == EFAULT);
    CHECK(write(fd, heap + 3 * PAGE - 4, 8) == -1 && errno == EFAULT);
    CHECK(reads(fd));
    return 0;
}
