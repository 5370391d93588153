/* host_lost.c: the host is killed while readers wait; all of them get to know. host_lost MAILBOX TTY READERS */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "check.h"

#define TOLD _IO('P', 1)

enum { HOST_PID_AT = 16 }; /* struct registry in wire.h */

static pid_t host(void)
{
    char path[300];
    uint32_t pid = 0;
    snprintf(path, sizeof path, "%s/registry", getenv("DEVSHIM_RUN"));
    int fd = open(path, O_RDONLY);
    CHECK(pread(fd, &pid, sizeof pid, HOST_PID_AT) == sizeof pid && pid > 1);
    close(fd);
    return (pid_t)pid;
}

/* Whether a process sleeps in the kernel. */
static int asleep(pid_t pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    CHECK(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
    fclose(file);
    return state == 'S';
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    int readers = argc > 3 ? atoi(argv[3]) : 0, status;
    pid_t children[64];
    struct { int a; } unused;
    char c;
    ssize_t got;
    int box = open(argv[1], O_RDWR), tty = open(argv[2], O_RDWR | O_NOCTTY);
    CHECK(box >= 0 && tty >= 0);
    for (int i = 0; i < readers; i++) {
        children[i] = fork();
        if (children[i] == 0 && i % 2) {
            CHECK(read(box, &c, 1) == -1 && errno == ENODEV);
            CHECK(ioctl(box, _IOR('P', 2, unused), &unused) == -1 && errno == ENODEV);
            _exit(0);
        }
        if (children[i] == 0) { /* as when a real adapter is pulled */
            /* Which of the two a blocked read meets, the master's close or the hang-up behind it, the kernel's timing decides. */
            CHECK((got = read(tty, &c, 1)) == 0 || (got == -1 && errno == EIO));
            CHECK(read(tty, &c, 1) == 0);
            CHECK(write(tty, "x", 1) == -1 && errno == EIO);
            _exit(0);
        }
    }
    UNTIL(ioctl(box, TOLD) >= readers / 2);
    for (int i = 0; i < readers; i++)
        UNTIL(asleep(children[i]));

    double start = now();
    CHECK(kill(host(), SIGKILL) == 0);
    for (int i = 0; i < readers; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    fprintf(stderr, "after %.3f s\n", now() - start);
    CHECK(open(argv[1], O_RDWR) == -1 && errno == ENODEV);
    CHECK(open("/dev/null", O_RDWR) >= 0);
    return 0;
}
