/* missing.c: a node that is not there, ten thousand times. missing NODE */
#include <fcntl.h>

#include "check.h"

int main(int argc, char **argv)
{
    (void)argc;
    for (int i = 0; i < 10000; i++)
        CHECK(open(argv[1], O_RDWR) == -1 && errno == ENOENT);
    return 0;
}
