/* lines.c: counts what it reads from a device, in a function at which a debugger can stop.
 *
 * lines NODE COUNT      reads COUNT times and prints each. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) void got(int number, const char *text)
{
    printf("%d %s", number, text);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int fd = argc > 2 ? open(argv[1], O_RDWR | O_NOCTTY) : -1;
    char text[100];

    if (fd < 0) {
        perror("open");
        return 1;
    }
    for (int i = 1; i <= atoi(argv[2]); i++) {
        ssize_t length = read(fd, text, sizeof text - 1);
        if (length <= 0) {
            perror("read");
            return 2;
        }
        text[length] = '\0';
        got(i, text);
    }
    return 0;
}
