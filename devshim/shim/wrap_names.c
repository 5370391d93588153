/* wrap_names.c: making, moving and removing names. What exists only in the run's tree changes there; a plugged node
 * stays until the host unplugs it, and says EBUSY as a mount point does. In /sys nobody changes a name (kernfs has no
 * such operations). */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "paths.h"

static int refuse(int error)
{
    errno = error;
    return -1;
}

static bool is_in_sysfs(const struct route *found)
{
    return (found->kind == ROUTE_TREE || found->kind == ROUTE_DEVICE) && strncmp(found->name, "/sys/", 5) == 0;
}

static bool exists(int dirfd, const char *at)
{
    struct stat status;
    return libc_fstatat(dirfd, at, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where to make a new name. NULL with errno: something plugged has it, or the path leads nowhere. */
static const char *room_for(int dirfd, const char *path, struct route *found)
{
    const char *at = place(dirfd, path, NOFOLLOW, found);
    if (at && found->kind == ROUTE_DEVICE) {
        errno = EEXIST;
        return NULL;
    }
    if (at && is_in_sysfs(found)) {
        errno = exists(dirfd, at) ? EEXIST : EPERM;
        return NULL;
    }
    return at;
}

/* What to take away. NULL with errno. */
static const char *removable(int dirfd, const char *path, struct route *found)
{
    const char *at = place(dirfd, path, NOFOLLOW, found);
    if (at && is_in_sysfs(found)) {
        errno = exists(dirfd, at) ? EPERM : ENOENT;
        return NULL;
    }
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

/* What is no directory is no more removed as one than the other way round; the rest is refused for its place. */
static int error_of_kind(int dirfd, const struct route *found, bool as_directory)
{
    struct stat status;
    int error = errno;
    bool is_directory = libc_fstatat(dirfd, found->path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);

    return is_directory == as_directory ? error : as_directory ? ENOTDIR : EISDIR;
}

INTERPOSE int unlinkat(int dirfd, const char *path, int flags)
{
    struct route found;
    const char *at = removable(dirfd, path, &found);
    if (!at && errno != ENOENT && (found.kind == ROUTE_DEVICE || found.kind == ROUTE_TREE))
        errno = error_of_kind(dirfd, &found, flags & AT_REMOVEDIR);
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
    if (!*to && *from && is_in_sysfs(target))
        errno = EXDEV; /* from elsewhere: what lies in /sys is refused as a source */
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
