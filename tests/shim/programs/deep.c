/* deep.c: a library for those who load it with RTLD_DEEPBIND: how many bytes a node gives, or -1. */
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

int bytes_of(const char *node)
{
    char text[8];
    int fd = open(node, O_RDWR);
    int got = fd < 0 ? -1 : (int)read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    return got;
}
