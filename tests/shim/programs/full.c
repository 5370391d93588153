/* full.c: no number left. full NODE */
#include <fcntl.h>
#include <sys/resource.h>

#include "check.h"

int main(int argc, char **argv)
{
    struct rlimit limit = { 32, 32 };
    int last = -1, fd, count = 0;
    (void)argc;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while ((fd = open(argv[1], O_RDWR)) >= 0) {
        last = fd;
        count++;
    }
    CHECK(errno == EMFILE && count >= 20);
    CHECK(reads(last)); /* what is open goes on, though the first call is made only now */
    close(last);
    close(last - 1);
    fd = open(argv[1], O_RDWR);
    CHECK(fd == last - 1 && reads(fd));
    return 0;
}
