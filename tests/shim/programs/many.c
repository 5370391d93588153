/* many.c: a thousand open files at once. many NODE COUNTER */
#include <fcntl.h>
#include <sys/resource.h>

#include "check.h"

enum { FILES = 1000 };

static int open_now(const char *counter)
{
    char text[32] = "";
    int fd = open(counter, O_RDONLY), now;
    CHECK(read(fd, text, sizeof text - 1) > 0 && sscanf(text, "%d", &now) == 1);
    close(fd);
    return now - 1; /* without this one */
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    static int fds[FILES];
    (void)argc;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int i = 0; i < FILES; i++)
        CHECK((fds[i] = open(argv[1], O_RDWR)) >= 0);
    for (int i = 0; i < FILES; i++) {
        char text[32];
        CHECK(read(fds[i], text, sizeof text) > 0);
    }
    CHECK(open_now(argv[1]) == FILES);
    for (int i = 0; i < FILES; i++)
        close(fds[i]);
    CHECK(open_now(argv[1]) == 0); /* the model has seen every close before the next open */
    return 0;
}
