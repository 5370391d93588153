/* behind.c: a library that stands in for some of libc's functions: with system calls, as tcmalloc does; with what it finds
 * after itself, as libfaketime does; with what it finds in libc.so.6, as socket_wrapper does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int word;

/* Before any other library of the program has begun. */
__attribute__((constructor)) static void wake_nobody(void)
{
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

ssize_t read(int fd, void *buffer, size_t size)
{
    ssize_t (*libcs)(int, void *, size_t) = (void *)dlsym(dlopen("libc.so.6", RTLD_NOW), "read");
    return libcs(fd, buffer, size);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) = (void *)dlsym(RTLD_NEXT, "write");
    return next(fd, buffer, size);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
    return (int)syscall(SYS_close, fd);
}
