/* old_stat.c: a library that answers fstat() by its own __fxstat(), as libfakeroot does, whoever has that name in the end;
 * files belong to another user there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/stat.h>

#ifdef __x86_64__
enum { VERSION = 1 };
#else
enum { VERSION = 0 };
#endif

enum { ANOTHER = 1000 };

int __fxstat(int version, int fd, struct stat *status)
{
    int (*next)(int, int, struct stat *) = (void *)dlsym(RTLD_NEXT, "__fxstat");
    int result = next(version, fd, status);
    status->st_uid += ANOTHER;
    return result;
}

int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags)
{
    int (*next)(int, int, const char *, struct stat *, int) = (void *)dlsym(RTLD_NEXT, "__fxstatat");
    int result = next(version, dirfd, path, status, flags);
    status->st_uid += ANOTHER;
    return result;
}

int fstat(int fd, struct stat *status)
{
    return __fxstat(VERSION, fd, status);
}

int fstatat(int dirfd, const char *restrict path, struct stat *restrict status, int flags)
{
    return __fxstatat(VERSION, dirfd, path, status, flags);
}
