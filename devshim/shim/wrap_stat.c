/* wrap_stat.c: what a path or a descriptor is. A plugged node shows its placeholder's mode, owner and times, and its
 * device's type and number; by path or by descriptor, the same. */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "paths.h"
#include "procfds.h"

static void show_device(uint32_t index, struct stat *status)
{
    const struct device *device = registry_device(index);

    status->st_mode = (status->st_mode & 07777) | (device->mode & S_IFMT);
    status->st_rdev = device->rdev;
    if (S_ISREG(status->st_mode))
        return;
    status->st_size = 0;
    status->st_blocks = 0;
}

static void show_device_x(uint32_t index, struct statx *status)
{
    const struct device *device = registry_device(index);

    status->stx_mode = (uint16_t)((status->stx_mode & 07777) | (device->mode & S_IFMT));
    status->stx_rdev_major = major(device->rdev);
    status->stx_rdev_minor = minor(device->rdev);
    if (S_ISREG(status->stx_mode))
        return;
    status->stx_size = 0;
    status->stx_blocks = 0;
}

static int stat_as_routed(const struct route *route, int dirfd, const char *path, struct stat *status, int flags)
{
    const char *place = place_at(route, path);
    if (!place)
        return -1;
    int result = libc_fstatat(dirfd, place, status, flags & ~AT_EMPTY_PATH);
    if (result == 0 && route->kind == ROUTE_DEVICE)
        show_device(route->device, status);
    return result;
}

/* The device behind a descriptor, after unplug too: then its carrier lends the inode. */
static int stat_carrier(const struct carrier *carrier, int fd, struct stat *status)
{
    struct route route;
    int before = errno;

    if (to_carrier(carrier, fd, &route) && stat_as_routed(&route, AT_FDCWD, "", status, 0) == 0)
        return 0;
    errno = before;
    if (libc_fstat(fd, status) < 0)
        return -1;
    status->st_mode = (device_of(carrier)->mode & 07777) | (status->st_mode & S_IFMT);
    show_device(carrier->device, status);
    return 0;
}

static __attribute__((noinline)) int stat_at_link(int dirfd, const char *path, struct stat *status, int flags)
{
    struct route found;

    if (leads_to_carrier(dirfd, path, status, &found))
        return stat_as_routed(&found, dirfd, path, status, flags);
    return 0;
}

/* What a link of /proc/PID/fd led to may be a carrier. */
static inline int stat_through_proc(int dirfd, const char *path, struct stat *status, int flags, int result)
{
    if (__builtin_expect(result == 0 && may_be_a_carriers(status->st_mode) && !(flags & AT_SYMLINK_NOFOLLOW), 0))
        return stat_at_link(dirfd, path, status, flags);
    return result;
}

/* The second half of stat: only once the first bytes, or what the real call found, say that it may be ours. */
static __attribute__((noinline)) int stat_routed(int dirfd, const char *path, struct stat *status, int flags,
                                                 bool again, int result)
{
    struct route found;
    int follow = flags & AT_SYMLINK_NOFOLLOW ? NOFOLLOW : FOLLOW;

    if (!again && route(dirfd, path, follow, &found) != ROUTE_REAL)
        return stat_as_routed(&found, dirfd, path, status, flags);
    if (!again)
        result = libc_fstatat(dirfd, path, status, flags);
    if (result < 0 ? look_again(dirfd, path, follow, &found)
                   : may_shadow(status->st_dev) && route_fully(dirfd, path, follow, &found) != ROUTE_REAL)
        return stat_as_routed(&found, dirfd, path, status, flags);
    return stat_through_proc(dirfd, path, status, flags, result);
}

static inline __attribute__((always_inline)) int stat_at(int dirfd, const char *path, struct stat *status, int flags)
{
    if (may_be_routed(dirfd, path))
        return stat_routed(dirfd, path, status, flags, false, 0);
    int result = libc_fstatat(dirfd, path, status, flags);
    if (__builtin_expect(registry && (result < 0 || (registry->flags & REGISTRY_SHADOWS)), 0))
        return stat_routed(dirfd, path, status, flags, true, result);
    return stat_through_proc(dirfd, path, status, flags, result);
}

INTERPOSE int stat(const char *restrict path, struct stat *restrict status)
{
    return stat_at(AT_FDCWD, path, status, 0);
}

INTERPOSE int lstat(const char *restrict path, struct stat *restrict status)
{
    return stat_at(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

/* A descriptor that may be a device was looked at once, for the program and for its carrier. */
static int stat_found(int fd, struct stat *status, int result)
{
    int before = errno;
    const struct carrier *carrier = result == 0 ? identify_by(fd, status) : carrier_of(fd);

    errno = before;
    return carrier && !(device_of(carrier)->flags & DEVICE_HARDWARE) ? stat_carrier(carrier, fd, status) : result;
}

INTERPOSE int fstat(int fd, struct stat *status)
{
    START_ONCE();
    return may_be_carrier(fd) ? stat_found(fd, status, libc_fstat(fd, status)) : libc_fstat(fd, status);
}

/* Whether a call means the descriptor itself. */
static bool is_meant(const char *path, int flags)
{
    __asm__("" : "+r"(path));
    return (flags & AT_EMPTY_PATH) && (!path || !path[0]);
}

INTERPOSE int fstatat(int dirfd, const char *restrict path, struct stat *restrict status, int flags)
{
    START_ONCE();
    if (!is_meant(path, flags) || !may_be_carrier(dirfd) || dirfd < 0)
        return stat_at(dirfd, path, status, flags);
    return stat_found(dirfd, status, libc_fstatat(dirfd, path, status, flags));
}

static int statx_as_routed(const struct route *route, int dirfd, const char *path, int flags, unsigned mask,
                           struct statx *status)
{
    const char *place = place_at(route, path);
    if (!place)
        return -1;
    int result = real.statx(dirfd, place, flags & ~AT_EMPTY_PATH, mask, status);
    if (result == 0 && route->kind == ROUTE_DEVICE)
        show_device_x(route->device, status);
    return result;
}

static int statx_carrier(const struct carrier *carrier, int fd, int flags, unsigned mask, struct statx *status)
{
    struct route route;
    int before = errno;

    if (to_carrier(carrier, fd, &route) && statx_as_routed(&route, AT_FDCWD, "", flags, mask, status) == 0)
        return 0;
    errno = before;
    int result = real.statx(fd, "", flags | AT_EMPTY_PATH, mask, status);
    if (result == 0)
        show_device_x(carrier->device, status);
    return result;
}

/* What a link of /proc/PID/fd led to may be a carrier. Asked again for all of it: the program may have left out what tells. */
static bool statx_through_proc(int dirfd, const char *path, const struct statx *status, struct route *found)
{
    struct stat whole;
    bool may = registry && (S_ISCHR(status->stx_mode) || S_ISSOCK(status->stx_mode));
    return may && libc_fstatat(dirfd, path, &whole, 0) == 0 && leads_to_carrier(dirfd, path, &whole, found);
}

INTERPOSE int statx(int dirfd, const char *restrict path, int flags, unsigned mask, struct statx *restrict status)
{
    const struct carrier *carrier = is_meant(path, flags) ? carrier_of(dirfd) : NULL;
    if (carrier)
        return statx_carrier(carrier, dirfd, flags, mask, status);

    struct route found;
    int follow = flags & AT_SYMLINK_NOFOLLOW ? NOFOLLOW : FOLLOW;
    if (route(dirfd, path, follow, &found) != ROUTE_REAL)
        return statx_as_routed(&found, dirfd, path, flags, mask, status);
    int result = real.statx(dirfd, path, flags, mask, status);
    if (result < 0 ? look_again(dirfd, path, follow, &found)
                   : may_shadow(makedev(status->stx_dev_major, status->stx_dev_minor))
                         && route_fully(dirfd, path, follow, &found) != ROUTE_REAL)
        return statx_as_routed(&found, dirfd, path, flags, mask, status);
    if (result == 0 && follow && statx_through_proc(dirfd, path, status, &found))
        return statx_as_routed(&found, dirfd, path, flags, mask, status);
    return result;
}

ALSO_CALLED(stat, stat64);
ALSO_CALLED(lstat, lstat64);
ALSO_CALLED(fstat, fstat64);
ALSO_CALLED(fstatat, fstatat64);

/* The names that programs built before glibc 2.33 call. */
#ifdef __GLIBC__
INTERPOSE int __xstat(int version, const char *path, struct stat *status);
INTERPOSE int __lxstat(int version, const char *path, struct stat *status);
INTERPOSE int __fxstat(int version, int fd, struct stat *status);
INTERPOSE int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags);

/* The oldest there is, for programs of an older libc than ours. */
#if defined(__x86_64__)
__asm__(".symver dladdr, dladdr@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver dladdr, dladdr@GLIBC_2.17");
#endif

static int callers_version;

static int next_fxstat(int fd, struct stat *status)
{
    return LATE(__fxstat)(callers_version, fd, status);
}

static int next_fxstatat(int dirfd, const char *restrict path, struct stat *restrict status, int flags)
{
    return LATE(__fxstatat)(callers_version, dirfd, path, status, flags);
}

static bool in_one_library(const void *one, const void *other)
{
    Dl_info ones, others;
    return one && other && dladdr(one, &ones) && dladdr(other, &others) && ones.dli_fbase == others.dli_fbase;
}

/* Whether a library behind the shim stands in for both. */
static bool has_both(const void *name, const void *old_name)
{
    return in_one_library(name, old_name) && !in_one_library(name, (const void *)(uintptr_t)&gnu_get_libc_version);
}

/* Such a one, as libfakeroot, may come by here for what we have just called of it. From now on it is asked by the old name,
 * behind which there is the next library's. */
static void ask_by_old_names(int version)
{
    static bool done;

    if (!started || __atomic_exchange_n(&done, true, __ATOMIC_RELAXED))
        return;
    int before = errno;
    callers_version = version;
    if (has_both((const void *)(uintptr_t)real.fstat, (const void *)(uintptr_t)&LATE(__fxstat)))
        __atomic_store_n(&real.fstat, next_fxstat, __ATOMIC_RELEASE);
    if (has_both((const void *)(uintptr_t)real.fstatat, (const void *)(uintptr_t)&LATE(__fxstatat)))
        __atomic_store_n(&real.fstatat, next_fxstatat, __ATOMIC_RELEASE);
    errno = before;
}

static int of_known_version(int version)
{
    if (version == 0 || version == 1 || version == 3) { /* _STAT_VER and _STAT_VER_KERNEL of all machines */
        ask_by_old_names(version);
        return 1;
    }
    errno = EINVAL;
    return 0;
}

int __xstat(int version, const char *path, struct stat *status)
{
    return of_known_version(version) ? stat(path, status) : -1;
}

int __lxstat(int version, const char *path, struct stat *status)
{
    return of_known_version(version) ? lstat(path, status) : -1;
}

int __fxstat(int version, int fd, struct stat *status)
{
    return of_known_version(version) ? fstat(fd, status) : -1;
}

int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags)
{
    return of_known_version(version) ? fstatat(dirfd, path, status, flags) : -1;
}

ALSO_CALLED(__xstat, __xstat64);
ALSO_CALLED(__lxstat, __lxstat64);
ALSO_CALLED(__fxstat, __fxstat64);
ALSO_CALLED(__fxstatat, __fxstatat64);
#endif

/* As the manual has it: of the file's inode and device, some bits. */
INTERPOSE key_t ftok(const char *path, int project)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return -1;
    return (key_t)((status.st_ino & 0xffff) | (status.st_dev & 0xff) << 16 | ((unsigned)project & 0xff) << 24);
}
