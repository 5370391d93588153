/* daemon.c: forks twice, leaves its directory, closes all descriptors, drops to another user, and then opens the node.
 * daemon NODE REPORT [UID]; REPORT is a FIFO or a file that the daemon writes "ok" to */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"

static void live_on(const char *node, const char *report, uid_t user)
{
    struct { int a, b; } state = { 0, 0 };
    CHECK(chdir("/") == 0);
    umask(0);
    int out = open(report, O_WRONLY);
    CHECK(dup2(out, 900) == 900);
    for (int i = 0; i < 900; i++)
        close(i);
    if (user) {
        CHECK(setgroups(0, NULL) == 0 && setgid(user) == 0 && setuid(user) == 0);
        CHECK(setuid(0) == -1);
    }
    for (int i = 0; i < 3; i++) {
        int fd = open(node, O_RDWR);
        if (fd != 0 || !reads(fd) || ioctl(fd, _IOR('M', 1, state), &state) != 0 || state.b != 2) {
            dprintf(900, "%s: %d %s\n", node, fd, strerror(errno));
            _exit(1);
        }
        close(fd);
    }
    CHECK(write(900, "ok\n", 3) == 3);
}

int main(int argc, char **argv)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        CHECK(setsid() > 0);
        if (fork() == 0) {
            live_on(argv[1], argv[2], argc > 3 ? (uid_t)atoi(argv[3]) : 0);
            _exit(0);
        }
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
