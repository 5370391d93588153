/* hoard.c: opens a node as often as it may, and says why it may no more. hoard NODE */
#include <fcntl.h>

#include "check.h"

int main(int argc, char **argv)
{
    int fd, last = -1;
    (void)argc;
    while ((fd = open(argv[1], O_RDONLY)) >= 0)
        last = fd;
    printf("refused: %s\n", strerror(errno));
    CHECK(last < 0 || reads(last));
    return 0;
}
