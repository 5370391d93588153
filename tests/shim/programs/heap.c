/* heap.c: reads from a device, writes it back, asks it an unknown ioctl; all from and to the heap.
 *
 * heap NODE      prints what it read, what write() returned, and errno of the ioctl. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
    char *text = malloc(100);

    if (fd < 0 || !text) {
        perror("open");
        return 1;
    }
    ssize_t length = read(fd, text, 5);
    if (length > 0 && text[0] == 'h') /* valgrind looks at a value when it is branched on */
        printf("read %.*s\n", (int)length, text);
    printf("wrote %zd\n", write(fd, text, 5));
    errno = 0;
    ioctl(fd, 0x4d99, text);
    printf("ioctl %s\n", strerror(errno));
    free(text);
    close(fd);
    return 0;
}
