/* inherited.c: a descriptor kept over exec, used from above and moved below. inherited NODE | inherited - NUMBER */
#include <fcntl.h>
#include <stdio.h>

#include "check.h"

int main(int argc, char **argv)
{
    if (argc > 2) {
        int fd = atoi(argv[2]);
        CHECK(dup2(fd, 10) == 10);
        CHECK(reads(10));
        CHECK(reads(fd));
        return 0;
    }
    int fd = open(argv[1], O_RDONLY), high = fcntl(fd, F_DUPFD, 500);
    char number[16];
    snprintf(number, sizeof number, "%d", high);
    CHECK(high >= 500);
    execl(argv[0], argv[0], "-", number, (char *)NULL);
    CHECK(!"exec");
}
