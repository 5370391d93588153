/* full.c: no number left. full NODE */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "check.h"

/* Whatever else the first open of a process may need: it says so itself, and not the reads behind it. */
static void first_open(const char *node)
{
    int fd = 0, last = 0;
    while ((fd = dup(0)) >= 0)
        last = fd;
    for (int left = 1; (fd = open(node, O_RDWR)) < 0; left++) {
        CHECK(errno == EMFILE && left < 8);
        close(last--);
    }
    CHECK(reads(fd));
}

int main(int argc, char **argv)
{
    struct rlimit limit = { 32, 32 };
    int last = -1, fd, count = 0;
    (void)argc;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    pid_t child = fork();
    if (child == 0) {
        first_open(argv[1]);
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &count, 0) == child && count == 0);
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
