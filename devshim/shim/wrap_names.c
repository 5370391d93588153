/* wrap_names.c: making, moving and removing names. What exists only in the run's tree changes there; a plugged node
 * stays until the host unplugs it, and says EBUSY as a mount point does. */
#include <errno.h>
#include <sys/syscall.h>

#include "paths.h"

static int refuse(int error)
{
    errno = error;
    return -1;
}

/* Where to make a new name. NULL with errno: something plugged has it, or the path leads nowhere. */
static const char *room_for(int dirfd, const char *path, struct route *found)
{
    const char *at = place(dirfd, path, NOFOLLOW, found);
    if (at && found->kind == ROUTE_DEVICE) {
        errno = EEXIST;
        return NULL;
    }
    return at;
}

/* What to take away. NULL with errno. */
static const char *removable(int dirfd, const char *path, struct route *found)
{
    const char *at = place(dirfd, path, NOFOLLOW, found);
    if (at && found->kind == ROUTE_DEVICE) {
        errno = EBUSY;
        return NULL;
    }
    return at;
}

INTERPOSE int mkdirat(int dirfd, const char *path, mode_t mode)
{
    struct route found;
    const char *at = room_for(dirfd, path, &found);
    return at ? LATE(mkdirat)(dirfd, at, mode) : -1;
}

INTERPOSE int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

INTERPOSE int mkfifoat(int dirfd, const char *path, mode_t mode)
{
    struct route found;
    const char *at = room_for(dirfd, path, &found);
    return at ? LATE(mkfifoat)(dirfd, at, mode) : -1;
}

INTERPOSE int mkfifo(const char *path, mode_t mode)
{
    return mkfifoat(AT_FDCWD, path, mode);
}

/* By system call: glibc has no mknodat to find before 2.33. */
INTERPOSE int mknodat(int dirfd, const char *path, mode_t mode, dev_t device)
{
    struct route found;
    const char *at = room_for(dirfd, path, &found);
    return at ? (int)real.syscall(SYS_mknodat, dirfd, at, mode, (unsigned)device) : -1;
}

INTERPOSE int mknod(const char *path, mode_t mode, dev_t device)
{
    return mknodat(AT_FDCWD, path, mode, device);
}

INTERPOSE int symlinkat(const char *target, int dirfd, const char *path)
{
    struct route found;
    const char *at = room_for(dirfd, path, &found);
    return at ? LATE(symlinkat)(target, dirfd, at) : -1;
}

INTERPOSE int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

INTERPOSE int linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags)
{
    struct route source, target;
    const char *old = place(from_dirfd, from, flags & AT_SYMLINK_FOLLOW ? FOLLOW : NOFOLLOW, &source);
    const char *new = old ? room_for(to_dirfd, to, &target) : NULL;
    if (new && source.kind == ROUTE_DEVICE)
        return refuse(EXDEV);
    return new ? LATE(linkat)(from_dirfd, old, to_dirfd, new, flags) : -1;
}

INTERPOSE int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

INTERPOSE int unlinkat(int dirfd, const char *path, int flags)
{
    struct route found;
    const char *at = removable(dirfd, path, &found);
    if (!at && (flags & AT_REMOVEDIR) && found.kind == ROUTE_DEVICE)
        errno = ENOTDIR;
    return at ? LATE(unlinkat)(dirfd, at, flags) : -1;
}

INTERPOSE int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

INTERPOSE int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

INTERPOSE int remove(const char *path)
{
    struct route found;
    const char *at = removable(AT_FDCWD, path, &found);
    return at ? LATE(remove)(at) : -1;
}

/* Both ends of a rename, in place. False with errno. */
static bool both(int from_dirfd, const char **from, struct route *source, int to_dirfd, const char **to,
                 struct route *target)
{
    *from = removable(from_dirfd, *from, source);
    *to = *from ? removable(to_dirfd, *to, target) : NULL;
    return *to;
}

INTERPOSE int renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
    struct route source, target;
    return both(from_dirfd, &from, &source, to_dirfd, &to, &target)
               ? LATE(renameat)(from_dirfd, from, to_dirfd, to)
               : -1;
}

INTERPOSE int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

#ifdef __GLIBC__
INTERPOSE int renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
    struct route source, target;
    return both(from_dirfd, &from, &source, to_dirfd, &to, &target)
               ? LATE(renameat2)(from_dirfd, from, to_dirfd, to, flags)
               : -1;
}

INTERPOSE int __xmknod(int version, const char *path, mode_t mode, dev_t *device);
int __xmknod(int version, const char *path, mode_t mode, dev_t *device)
{
    return version == 0 || version == 1 ? mknod(path, mode, *device) : refuse(EINVAL);
}

INTERPOSE int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device);
int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device)
{
    return version == 0 || version == 1 ? mknodat(dirfd, path, mode, *device) : refuse(EINVAL);
}
#endif
