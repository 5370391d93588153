/* passing.c: a library, to be preloaded, whose functions do nothing but call the next ones: what it costs at least to stand
 * in front of a call.  Each looks at the answer, as who stands there for a reason must. */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    typeof(read) *read;
    typeof(write) *write;
    typeof(ioctl) *ioctl;
    typeof(open) *open;
    typeof(close) *close;
    typeof(stat) *stat;
} next;
static volatile unsigned long failures;

__attribute__((constructor)) static void find(void)
{
    next.read = dlsym(RTLD_NEXT, "read");
    next.write = dlsym(RTLD_NEXT, "write");
    next.ioctl = dlsym(RTLD_NEXT, "ioctl");
    next.open = dlsym(RTLD_NEXT, "open");
    next.close = dlsym(RTLD_NEXT, "close");
    next.stat = dlsym(RTLD_NEXT, "stat");
}

#define PASS(type, call)           \
    do {                           \
        type result_ = next.call;  \
        if (result_ < 0)           \
            failures++;            \
        return result_;            \
    } while (0)

ssize_t read(int fd, void *buf, size_t size)
{
    PASS(ssize_t, read(fd, buf, size));
}

ssize_t write(int fd, const void *buf, size_t size)
{
    PASS(ssize_t, write(fd, buf, size));
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *argument = va_arg(args, void *);
    va_end(args);
    PASS(int, ioctl(fd, request, argument));
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    PASS(int, open(path, flags, mode));
}

int close(int fd)
{
    PASS(int, close(fd));
}

int stat(const char *restrict path, struct stat *restrict status)
{
    PASS(int, stat(path, status));
}
