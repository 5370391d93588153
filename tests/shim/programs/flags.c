/* flags.c: says what F_GETFL tells after each way to open a node, and after F_SETFL. flags NODE */
#define _GNU_SOURCE
#include <fcntl.h>

#include "check.h"

static const int ways[] = { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_SYNC, O_DSYNC, O_DIRECT, O_NOATIME, O_NONBLOCK,
                            O_LARGEFILE, O_NOFOLLOW, O_TRUNC, O_CREAT, O_CLOEXEC, O_PATH, O_PATH | O_NOFOLLOW,
                            O_APPEND | O_SYNC | O_NONBLOCK | O_CLOEXEC, O_DIRECTORY, O_TMPFILE };
static const int changes[] = { O_APPEND, O_DIRECT, O_NOATIME, O_SYNC, O_NONBLOCK, O_RDWR, 0 };

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int fd = open(argv[1], ways[i] | (i > 2 ? O_RDWR : 0) | O_NOCTTY, 0600);
        printf("open 0%o: ", ways[i]);
        TELL(fd < 0 ? -1 : 0);
        if (fd < 0)
            continue;
        TELL(fcntl(fd, F_GETFL));
        TELL(fcntl(fd, F_GETFD));
        for (size_t k = 0; k < sizeof changes / sizeof *changes && !(ways[i] & O_PATH); k++) {
            TELL(fcntl(fd, F_SETFL, changes[k]));
            TELL(fcntl(fd, F_GETFL));
        }
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 20);
        CHECK(copy >= 20);
        TELL(fcntl(copy, F_GETFD));
        TELL(fcntl(copy, F_GETFL));
        TELL(fcntl(copy, F_GETPIPE_SZ));
        close(copy);
        close(fd);
    }
    return 0;
}
