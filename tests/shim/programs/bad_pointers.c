/* bad_pointers.c: memory that is not there gives EFAULT, not death. bad_pointers NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "check.h"

int main(int argc, char **argv)
{
    struct { int a, b; } state;
    char *nowhere = (char *)16;
    int fd = open(argv[1], O_RDWR);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mprotect(page + 4096, 4096, PROT_NONE) == 0);
    CHECK(read(fd, nowhere, 8) == -1 && errno == EFAULT);
    CHECK(write(fd, nowhere, 8) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, _IOR('M', 1, state), nowhere) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, _IOR('M', 1, state), page + 4092) == -1 && errno == EFAULT);
    CHECK(write(fd, page + 4090, 16) == -1 && errno == EFAULT);
    CHECK(read(fd, page + 4092, 8) == -1 && errno == EFAULT);
    CHECK(read(fd, page + 4088, 8) == 8);
    CHECK(read(fd, page, (size_t)-1) == -1 && errno == EINVAL);
    CHECK(reads(fd));
    CHECK(open(argv[argc] /* NULL */, O_RDONLY) == -1 && errno == EFAULT);
    return 0;
}
