/* calls.c: makes one call of each kind and says what came of it. calls NODE */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "check.h"

static void say(const char *call, long result)
{
    printf("%s %s\n", call, result < 0 ? strerror(errno) : "ok");
}

int main(int argc, char **argv)
{
    struct { int a, b; } state;
    char buf[8];
    (void)argc;
    int fd = open(argv[1], O_RDWR);
    say("open", fd);
    if (fd < 0)
        return 0;
    say("read", read(fd, buf, sizeof buf));
    say("write", write(fd, buf, sizeof buf));
    say("ioctl", ioctl(fd, _IOR('M', 1, state), &state));
    return 0;
}
