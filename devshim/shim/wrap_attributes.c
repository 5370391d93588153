/* wrap_attributes.c: mode, owner, times and extended attributes. A plugged node keeps them in its placeholder, so that
 * what one process of the run changes all of them see. */
#include "wrap_attributes.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "paths.h"

static int follows(int flags)
{
    return flags & AT_SYMLINK_NOFOLLOW ? NOFOLLOW : FOLLOW;
}

/* The placeholder of the device behind a descriptor, or NULL for an ordinary descriptor. So is one of O_PATH: the kernel
 * answers EBADF. */
static const char *placeholder_of(int fd, struct route *found)
{
    const struct carrier *carrier = carrier_of(fd);
    return carrier && !(carrier->access & O_PATH) && to_carrier(carrier, fd, found) ? found->path : NULL;
}

/* The same for the calls that take one of O_PATH as well: with AT_EMPTY_PATH and no path. */
static const char *placeholder_meant(int dirfd, const char *path, int flags, struct route *found)
{
    const struct carrier *carrier = (flags & AT_EMPTY_PATH) && !is_no_address(path) && !path[0] ? carrier_of(dirfd) : NULL;
    return carrier && to_carrier(carrier, dirfd, found) ? found->path : NULL;
}

/* ---- Mode and owner ---------------------------------------------------------------------------- */

INTERPOSE int chmod(const char *path, mode_t mode)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(chmod)(at, mode) : -1;
}

INTERPOSE int fchmod(int fd, mode_t mode)
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    return at ? LATE(chmod)(at, mode) : LATE(fchmod)(fd, mode);
}

int change_mode(int dirfd, const char *path, mode_t mode, int flags)
{
    struct route found;
    const char *at = placeholder_meant(dirfd, path, flags, &found);
    if (at)
        return LATE(chmod)(at, mode);
    at = place(dirfd, path, follows(flags), &found);
    return at ? (int)real.syscall(SYS_fchmodat2, dirfd, at, mode, flags) : -1;
}

INTERPOSE int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
    struct route found;
    const char *at = place(dirfd, path, follows(flags), &found);
    return at ? LATE(fchmodat)(dirfd, at, mode, flags) : -1;
}

INTERPOSE int chown(const char *path, uid_t owner, gid_t group)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(chown)(at, owner, group) : -1;
}

INTERPOSE int lchown(const char *path, uid_t owner, gid_t group)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, NOFOLLOW, &found);
    return at ? LATE(lchown)(at, owner, group) : -1;
}

INTERPOSE int fchown(int fd, uid_t owner, gid_t group)
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    return at ? LATE(chown)(at, owner, group) : LATE(fchown)(fd, owner, group);
}

INTERPOSE int fchownat(int dirfd, const char *path, uid_t owner, gid_t group, int flags)
{
    struct route found;
    const char *at = placeholder_meant(dirfd, path, flags, &found);
    if (at)
        return LATE(chown)(at, owner, group);
    at = place(dirfd, path, follows(flags), &found);
    return at ? LATE(fchownat)(dirfd, at, owner, group, flags) : -1;
}

/* ---- Times ------------------------------------------------------------------------------------- */

INTERPOSE int utime(const char *path, const struct utimbuf *times)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(utime)(at, times) : -1;
}

INTERPOSE int utimes(const char *path, const struct timeval times[2])
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(utimes)(at, times) : -1;
}

INTERPOSE int lutimes(const char *path, const struct timeval times[2])
{
    struct route found;
    const char *at = place(AT_FDCWD, path, NOFOLLOW, &found);
    return at ? LATE(lutimes)(at, times) : -1;
}

INTERPOSE int futimes(int fd, const struct timeval times[2])
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    return at ? LATE(utimes)(at, times) : LATE(futimes)(fd, times);
}

INTERPOSE int futimens(int fd, const struct timespec times[2])
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    return at ? LATE(utimensat)(AT_FDCWD, at, times, 0) : LATE(futimens)(fd, times);
}

INTERPOSE int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    struct route found;
    const char *at = placeholder_meant(dirfd, path, flags, &found);
    if (at)
        return LATE(utimensat)(AT_FDCWD, at, times, 0);
    at = place(dirfd, path, follows(flags), &found);
    return at || found.kind == ROUTE_REAL ? LATE(utimensat)(dirfd, at, times, flags) : -1;
}

#ifdef __GLIBC__
INTERPOSE int futimesat(int dirfd, const char *path, const struct timeval times[2])
{
    struct route found;
    if (!path)
        return futimes(dirfd, times);
    const char *at = place(dirfd, path, FOLLOW, &found);
    return at ? LATE(futimesat)(dirfd, at, times) : -1;
}

INTERPOSE int lchmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}
#endif

/* ---- Extended attributes ----------------------------------------------------------------------- */

/* Users may give attributes to files and directories alone (xattr(7)); a placeholder is a file, its device is none. */
static bool refuses_attribute(const struct route *found, const char *name)
{
    __asm__("" : "+r"(name));
    if (found->kind != ROUTE_DEVICE || S_ISREG(registry_device(found->device)->mode) || is_no_address(name)
        || strncmp(name, "user.", 5) != 0)
        return false;
    errno = EPERM;
    return true;
}

INTERPOSE ssize_t getxattr(const char *path, const char *name, void *value, size_t size)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(getxattr)(at, name, value, size) : -1;
}

INTERPOSE ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, NOFOLLOW, &found);
    return at ? LATE(lgetxattr)(at, name, value, size) : -1;
}

INTERPOSE ssize_t fgetxattr(int fd, const char *name, void *value, size_t size)
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    return at ? LATE(getxattr)(at, name, value, size) : LATE(fgetxattr)(fd, name, value, size);
}

INTERPOSE ssize_t listxattr(const char *path, char *list, size_t size)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(listxattr)(at, list, size) : -1;
}

INTERPOSE ssize_t llistxattr(const char *path, char *list, size_t size)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, NOFOLLOW, &found);
    return at ? LATE(llistxattr)(at, list, size) : -1;
}

INTERPOSE ssize_t flistxattr(int fd, char *list, size_t size)
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    return at ? LATE(listxattr)(at, list, size) : LATE(flistxattr)(fd, list, size);
}

INTERPOSE int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at && !refuses_attribute(&found, name) ? LATE(setxattr)(at, name, value, size, flags) : -1;
}

INTERPOSE int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, NOFOLLOW, &found);
    return at && !refuses_attribute(&found, name) ? LATE(lsetxattr)(at, name, value, size, flags) : -1;
}

INTERPOSE int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    if (!at)
        return LATE(fsetxattr)(fd, name, value, size, flags);
    return refuses_attribute(&found, name) ? -1 : LATE(setxattr)(at, name, value, size, flags);
}

INTERPOSE int removexattr(const char *path, const char *name)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at && !refuses_attribute(&found, name) ? LATE(removexattr)(at, name) : -1;
}

INTERPOSE int lremovexattr(const char *path, const char *name)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, NOFOLLOW, &found);
    return at && !refuses_attribute(&found, name) ? LATE(lremovexattr)(at, name) : -1;
}

INTERPOSE int fremovexattr(int fd, const char *name)
{
    struct route found;
    const char *at = placeholder_of(fd, &found);
    if (!at)
        return LATE(fremovexattr)(fd, name);
    return refuses_attribute(&found, name) ? -1 : LATE(removexattr)(at, name);
}

/* ---- Others ------------------------------------------------------------------------------------ */

INTERPOSE int truncate(const char *path, off_t length)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    if (at && found.kind == ROUTE_DEVICE) {
        if (S_ISREG(registry_device(found.device)->mode) && length >= 0)
            return 0; /* an attribute of sysfs */
        errno = EINVAL; /* truncate(2): not a regular file */
        return -1;
    }
    return at ? LATE(truncate)(at, length) : -1;
}
ALSO_CALLED(truncate, truncate64);

INTERPOSE long pathconf(const char *path, int name)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    return at ? LATE(pathconf)(at, name) : -1;
}

#ifdef __GLIBC__
INTERPOSE int name_to_handle_at(int dirfd, const char *path, struct file_handle *handle, int *mount, int flags)
{
    struct route found;
    const char *at = place(dirfd, path, flags & AT_SYMLINK_FOLLOW ? FOLLOW : NOFOLLOW, &found);
    return at ? LATE(name_to_handle_at)(dirfd, at, handle, mount, flags) : -1;
}
#endif
