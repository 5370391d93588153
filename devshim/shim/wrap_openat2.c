/* wrap_openat2.c: openat2(2), which libc has no function for: programs reach it by syscall(2). */
#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "memory.h"
#include "opening.h"
#include "wrap_open.h"

/* The directory above the last name, opened under the same restrictions; AT_FDCWD or dirfd itself where there is none.
 * -1 with errno. */
static int open_above(int dirfd, const char *path, const char *name, uint64_t resolve)
{
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = resolve };
    char above[ROUTE_PATH];
    size_t length = (size_t)(name - path);

    if (!length)
        return dirfd;
    memcpy(above, path, length);
    above[length] = '\0';
    return watch((int)real.syscall(SYS_openat2, dirfd, above, &how, sizeof how));
}

/* The kernel follows the way to the last name, and sees to the restrictions there. What lies in a directory that only the
 * run has is opened without them: none of our links leads out of the way. */
static int open_restricted(int dirfd, const char *path, const struct open_how *how)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int flags = (int)how->flags | (how->resolve & RESOLVE_NO_SYMLINKS ? O_NOFOLLOW : 0);
    struct route found;

    if (!*name || strlen(path) >= ROUTE_PATH)
        return (int)real.syscall(SYS_openat2, dirfd, path, how, sizeof *how);
    int above = open_above(dirfd, path, name, how->resolve);
    if (above < 0 && above != AT_FDCWD)
        return errno == ENOENT && route(dirfd, path, FOLLOW, &found) != ROUTE_REAL
                   ? open_routed(dirfd, path, flags, (mode_t)how->mode) : -1;
    int fd = route_fully(above, name, NOFOLLOW, &found) == ROUTE_REAL
                 ? (int)real.syscall(SYS_openat2, dirfd, path, how, sizeof *how)
                 : open_routed(above, name, flags, (mode_t)how->mode);
    int before = errno;
    if (above != dirfd)
        real.syscall(SYS_close, above);
    errno = before;
    return fd;
}

/* With RESOLVE_IN_ROOT the directory is the root of absolute paths, too. */
static bool may_concern_us(int dirfd, const char *path, const struct open_how *how)
{
    if (openings_declared() || !(how->resolve & RESOLVE_IN_ROOT))
        return openings_declared() || may_be_routed(dirfd, path);
    return registry && !is_no_address(path) && dirfd != AT_FDCWD && is_watched(dirfd);
}

int openat2_routed(int dirfd, const char *path, const void *how, size_t size)
{
    struct open_how copy;

    if (size < sizeof copy || !copy_from_target(&copy, (uintptr_t)how, sizeof copy) || !may_concern_us(dirfd, path, &copy))
        return (int)real.syscall(SYS_openat2, dirfd, path, how, size);
    if (real.syscall(SYS_openat2, AT_FDCWD, "", how, size) < 0 && errno != ENOENT) /* the kernel looks at it first */
        return -1;
    return copy.resolve ? open_restricted(dirfd, path, &copy)
                        : open_routed(dirfd, path, (int)copy.flags, (mode_t)copy.mode);
}
