/* wrap_open.c: open and its kin. */
#include "wrap_open.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "calls.h"
#include "misses.h"
#include "opening.h"
#include "procfds.h"
#include "record.h"
#include "wrap_stdio.h"

/* What lies in the tree below /sys is shown as it is: sysfs lets nobody write it, or make new files. */
static bool refused_by_sysfs(const char *name, int flags)
{
    return strncmp(name, "/sys/", 5) == 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

/* By the name that most programs use, for a library of the user's that stands behind us and looks out for it. */
static int open_really(int dirfd, const char *path, int flags, mode_t mode)
{
    return dirfd == AT_FDCWD ? real.open(path, flags, mode) : real.openat(dirfd, path, flags, mode);
}

/* Real hardware that is recorded. */
static int open_recorded(int dirfd, const char *path, int flags, mode_t mode, uint32_t device)
{
    struct recording call;
    bool begun = begin_open(&call, device, path, flags, mode);
    int fd = open_really(dirfd, path, flags, mode);

    if (begun)
        end_open(&call, fd);
    if (fd >= 0 && fd <= 2)
        adopt_standard_stream(fd);
    return fd;
}

static int open_as_routed(int dirfd, const char *path, int flags, mode_t mode, const struct route *route)
{
    if (route->kind == ROUTE_DEVICE) {
        struct recording call;
        bool records = recording() && registry_device(route->device)->flags & DEVICE_RECORD && !(flags & O_PATH);
        bool begun = records && begin_open(&call, route->device, path, flags, mode);
        int fd = device_open(route->node, route->path, flags, mode);
        if (begun)
            end_open(&call, fd);
        if (fd >= 0 && fd <= 2)
            adopt_standard_stream(fd);
        return fd;
    }
    if (route->kind == ROUTE_TREE && refused_by_sysfs(route->name, flags)) {
        errno = EACCES;
        return -1;
    }
    const char *place = place_at(route, path);
    if (!place)
        return -1;
    uint32_t device = route->kind == ROUTE_ELSEWHERE ? device_to_record(dirfd, place, flags) : 0;
    return device ? open_recorded(dirfd, place, flags, mode, device) : real.openat(dirfd, place, flags, mode);
}

/* The kernel found nothing there. */
static int open_over_links(int dirfd, const char *path, int flags, mode_t mode, int follow, struct route *route)
{
    if (look_again(dirfd, path, follow, route))
        return open_as_routed(dirfd, path, flags, mode, route);
    note_unplugged(path, errno);
    return -1;
}

/* Only symbolic links can still lead from here to a plugged node, or to the real one that it shadows. */
static int open_ordinary(int dirfd, const char *path, int flags, mode_t mode, int follow, struct route *route)
{
    int refusal = refuse_unplugged(dirfd, path);
    if (refusal) {
        errno = refusal;
        return -1;
    }
    uint32_t device = device_to_record(dirfd, path, flags);
    if (device && (registry->flags & REGISTRY_SHADOWS) && route_fully(dirfd, path, follow, route) == ROUTE_DEVICE)
        return open_as_routed(dirfd, path, flags, mode, route);
    if (device)
        return open_recorded(dirfd, path, flags, mode, device);
    int fd = open_really(dirfd, path, flags, mode);
    if (fd < 0)
        return open_over_links(dirfd, path, flags, mode, follow, route);
    if (registry && (registry->flags & REGISTRY_SHADOWS)) {
        struct stat status;
        if (status_of_carrier(fd, &status) == 0 && may_shadow(status.st_dev)
            && (route_fully(dirfd, path, follow, route) == ROUTE_DEVICE || route->kind == ROUTE_HIDDEN)) {
            real.syscall(SYS_close, fd);
            return open_as_routed(dirfd, path, flags, mode, route);
        }
    }
    if (registry)
        note_descriptor_link(fd, path);
    note_unplugged(path, 0);
    return fd;
}

static int links_to_follow(int flags)
{
    return (flags & O_NOFOLLOW) || ((flags & O_CREAT) && (flags & O_EXCL)) ? NOFOLLOW : FOLLOW;
}

int open_unasked(int dirfd, const char *path, int flags, mode_t mode)
{
    struct route found;
    bool creates = flags & O_CREAT; /* then a dangling link must not be tried first: it would make a real file */
    int follow = links_to_follow(flags);
    enum route_kind kind = creates ? route_fully(dirfd, path, follow, &found) : route(dirfd, path, follow, &found);
    int fd = kind == ROUTE_REAL ? open_ordinary(dirfd, path, flags, mode, follow, &found)
                                : open_as_routed(dirfd, path, flags, mode, &found);
    return registry ? note_directory(fd, dirfd, path, flags, &found) : fd;
}

/* Whether the mode argument is there. */
static bool may_create(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* By far the most opens: the path's text leads to nothing of ours, and in this run nobody asks about other paths. */
static inline bool is_plain(int dirfd, const char *path, int flags)
{
    __asm__("" : "+r"(path)); /* the kernel answers EFAULT for NULL, which headers declare impossible */
    return registry && !(registry->flags & (REGISTRY_GUARD | REGISTRY_RECORDS | REGISTRY_SHADOWS | REGISTRY_OPENINGS))
           && !may_create(flags) && !is_no_address(path) && (path[0] != '/' || (path[1] != 'd' && path[1] != 'p'))
           && !may_be_routed(dirfd, path);
}

/* The rest of a plain open: a room for a route, which most need not make. */
static __attribute__((noinline)) int plain_failed(int dirfd, const char *path, int flags)
{
    struct route found;
    int fd = open_over_links(dirfd, path, flags, 0, links_to_follow(flags), &found);
    return fd < 0 ? fd : note_directory(fd, dirfd, path, flags, &found);
}

static inline __attribute__((always_inline)) int open_plain(int dirfd, const char *path, int flags)
{
    int fd = open_really(dirfd, path, flags, 0);

    if (__builtin_expect(fd < 0, 0))
        return plain_failed(dirfd, path, flags);
    if (__builtin_expect(path[0] != '/', 0))
        note_descriptor_link(fd, path);
    return fd;
}

static __attribute__((noinline)) int open_other(int dirfd, const char *path, int flags, mode_t mode)
{
    int fd;
    if (openings_declared() && take_opening(dirfd, path, flags, mode, &fd))
        return fd;
    return open_unasked(dirfd, path, flags, mode);
}

int open_routed(int dirfd, const char *path, int flags, mode_t mode)
{
    return is_plain(dirfd, path, flags) ? open_plain(dirfd, path, flags) : open_other(dirfd, path, flags, mode);
}

bool leads_to_device(const char *path, struct route *found)
{
    return route_fully(AT_FDCWD, path, FOLLOW, found) == ROUTE_DEVICE;
}

INTERPOSE int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (__builtin_expect(is_plain(AT_FDCWD, path, flags), 1))
        return open_plain(AT_FDCWD, path, flags);
    if (may_create(flags)) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return open_other(AT_FDCWD, path, flags, mode);
}
SAME_AS(open, open64);
SAME_AS(open, __open);
SAME_AS(open, __open64);

INTERPOSE int openat(int dirfd, const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (may_create(flags)) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    START_ONCE();
    return open_routed(dirfd, path, flags, mode);
}
SAME_AS(openat, openat64);

INTERPOSE int creat(const char *path, mode_t mode)
{
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
SAME_AS(creat, creat64);
