/* large.c: a megabyte in one call. large NODE */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "check.h"

struct block {
    unsigned length;
    unsigned char *data;
};
#define TURN  _IOWR('L', 1, struct block)
#define COUNT _IO('L', 2)

enum { READ = 1 << 20, IOCTL = 512 << 10 };

static int is_pattern(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] != i % 251)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    static unsigned char data[READ];
    (void)argc;
    int fd = open(argv[1], O_RDWR);
    CHECK(read(fd, data, READ) == READ && is_pattern(data, READ));
    CHECK(write(fd, data, READ) == READ);
    CHECK(ioctl(fd, COUNT) == 1); /* one call, one of the model's */

    struct iovec parts[3] = { { data, 1000 }, { data + 500000, 7 }, { data + 600000, 400000 } };
    CHECK(readv(fd, parts, 3) == 401007);
    CHECK(is_pattern(data, 1000) && data[500000] == 1000 % 251 && data[600000] == 1007 % 251);
    for (int i = 0; i < READ; i++)
        data[i] = (unsigned char)(i % 251);
    CHECK(writev(fd, &(struct iovec){ data, 300000 }, 1) == 300000);

    struct block block = { IOCTL, data };
    CHECK(ioctl(fd, TURN, &block) == 0);
    CHECK(data[0] == 255 && data[1] == 254 && data[IOCTL - 1] == 255 - (IOCTL - 1) % 251);
    CHECK(data[IOCTL] == IOCTL % 251); /* nothing beyond it was touched */
    CHECK(ioctl(fd, COUNT) == 3);
    return 0;
}
