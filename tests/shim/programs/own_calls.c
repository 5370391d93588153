/* A library for tests of own-process calls, loaded by ctypes: what C extensions do. Built with -shared -fPIC. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int own_open(const char *path, int flags);
ssize_t own_read(int fd, void *buf, size_t size);
int own_ioctl(int fd, unsigned long request, void *argument);
int own_open_in_vfork_child(const char *path);
int (*own_table(void))(const char *, int, ...);

int own_open(const char *path, int flags)
{
    return open(path, flags);
}

ssize_t own_read(int fd, void *buf, size_t size)
{
    return read(fd, buf, size);
}

int own_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument);
}

/* The errno with which a vfork child's open fails, or 0. */
int own_open_in_vfork_child(const char *path)
{
    int status;
    pid_t child = vfork();

    if (child == 0)
        _exit(open(path, O_RDONLY) < 0 ? errno : 0);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A function pointer in a table of data, as SQLite keeps its system calls. */
static int (*const volatile table[])(const char *, int, ...) = { open };

int (*own_table(void))(const char *, int, ...)
{
    return table[0];
}

int main(void)
{
    return 0;
}
