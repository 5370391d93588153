/* supervise_names.c: caught calls on names, done for the caller: open, stat, access, readlink and their kin.
 *
 * The name is made absolute as the caller sees it, and routed as in the caller's own shim. Where it leads to nothing of ours
 * the kernel goes on with the call. */
#include <errno.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "misses.h"
#include "opening.h"
#include "paths.h"
#include "supervise.h"
#include "wrap_syscall.h"

#ifdef SUPERVISES

#ifndef RESOLVE_CACHED /* linux/openat2.h of 5.12 */
#define RESOLVE_CACHED 0x20
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND /* linux/seccomp.h of 5.14 */
#define SECCOMP_ADDFD_FLAG_SEND (1ul << 1)
#endif

/* What a call says of its name. */
struct named {
    int dirfd;
    uintptr_t path;
    int follow;
    bool opens;
    int flags; /* of open(2) */
    mode_t mode;
};

static int64_t result_of(long result)
{
    return result < 0 ? -errno : result;
}

/* ---- Which name ------------------------------------------------------------------------------------ */

static void opens(struct named *named, int dirfd, uintptr_t path, uint64_t flags, uint64_t mode)
{
    bool creates_anew = (flags & O_CREAT) && (flags & O_EXCL);
    *named = (struct named){ .dirfd = dirfd, .path = path, .opens = true, .flags = (int)flags, .mode = (mode_t)mode,
                             .follow = (flags & O_NOFOLLOW) || creates_anew ? NOFOLLOW : FOLLOW };
}

/* openat2(2) with restrictions on the way is the kernel's, but for the one that Go and systemd like: no links of /proc. */
static bool opens_by_how(struct named *named, const uint64_t *arguments)
{
    struct open_how how;

    if (arguments[3] < sizeof how || !copy_from_remote(&how, (uintptr_t)arguments[2], sizeof how)
        || (how.resolve & ~(uint64_t)(RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_CACHED)))
        return false;
    opens(named, (int)arguments[0], (uintptr_t)arguments[1], how.flags, how.mode);
    if (how.resolve & RESOLVE_NO_SYMLINKS)
        named->follow = NOFOLLOW;
    return true;
}

static void looks(struct named *named, int dirfd, uintptr_t path, uint64_t flags)
{
    *named = (struct named){ .dirfd = dirfd, .path = path, .follow = flags & AT_SYMLINK_NOFOLLOW ? NOFOLLOW : FOLLOW };
}

/* False where the call is on no name. */
static bool is_on_name(const struct caught *call, struct named *named)
{
    const uint64_t *a = call->arguments;

    switch (call->number) {
#ifdef SYS_open
    case SYS_open:
        return opens(named, AT_FDCWD, (uintptr_t)a[0], a[1], a[2]), true;
    case SYS_creat:
        return opens(named, AT_FDCWD, (uintptr_t)a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]), true;
    case SYS_stat:
    case SYS_access:
        return looks(named, AT_FDCWD, (uintptr_t)a[0], 0), true;
    case SYS_lstat:
    case SYS_readlink:
        return looks(named, AT_FDCWD, (uintptr_t)a[0], AT_SYMLINK_NOFOLLOW), true;
#endif
    case SYS_openat:
        return opens(named, (int)a[0], (uintptr_t)a[1], a[2], a[3]), true;
    case SYS_openat2:
        return opens_by_how(named, a);
    case SYS_newfstatat:
        return looks(named, (int)a[0], (uintptr_t)a[1], a[3]), true;
    case SYS_statx:
        return looks(named, (int)a[0], (uintptr_t)a[1], a[2]), true;
    case SYS_faccessat:
        return looks(named, (int)a[0], (uintptr_t)a[1], 0), true;
#ifdef SYS_faccessat2
    case SYS_faccessat2:
        return looks(named, (int)a[0], (uintptr_t)a[1], a[3]), true;
#endif
    case SYS_readlinkat:
        return looks(named, (int)a[0], (uintptr_t)a[1], AT_SYMLINK_NOFOLLOW), true;
    }
    return false;
}

/* ---- Where it leads -------------------------------------------------------------------------------- */

/* Page by page, because the next one may not be there. */
bool read_name(uintptr_t at, char *name)
{
    size_t length = 0;

    while (length < ROUTE_PATH) {
        size_t piece = 256 - (at + length) % 256;
        piece = piece < ROUTE_PATH - length ? piece : ROUTE_PATH - length;
        if (!copy_from_remote(name + length, at + length, piece))
            return false;
        if (memchr(name + length, '\0', piece))
            return true;
        length += piece;
    }
    return false;
}

bool read_link(const char *link, char *text)
{
    ssize_t length = real.syscall(SYS_readlinkat, AT_FDCWD, link, text, ROUTE_PATH - 1);

    if (length <= 0 || length == ROUTE_PATH - 1)
        return false;
    text[length] = '\0';
    return true;
}

/* The directory that a relative name starts from, as the program knows it. */
static bool read_base(struct caught *call, int dirfd, char base[ROUTE_PATH])
{
    char link[64];

    if (dirfd == AT_FDCWD && working_place(call, base))
        return call->elsewhere = true;
    if (dirfd == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/%d/cwd", call->remote.thread);
    else
        snprintf(link, sizeof link, "/proc/%d/fd/%d", call->remote.thread, dirfd);
    if (!read_link(link, base) || base[0] != '/')
        return false;
    size_t prefix = tree_prefix(base);
    if (prefix)
        memmove(base, base + prefix, strlen(base + prefix) + 1);
    return true;
}

/* "/proc/123/fd/4" of the caller itself is "/proc/self/fd/4". */
static void call_oneself_self(const struct caught *call, char name[ROUTE_PATH])
{
    char own[32];
    size_t length = (size_t)snprintf(own, sizeof own, "/proc/%d/", call->process);

    if (strncmp(name, own, length) != 0 || strlen(name) + sizeof "/proc/self/" > ROUTE_PATH)
        return;
    memmove(name + strlen("/proc/self/"), name + length, strlen(name + length) + 1);
    memcpy(name, "/proc/self/", strlen("/proc/self/"));
}

static bool make_absolute(struct caught *call, int dirfd, char name[ROUTE_PATH])
{
    char base[ROUTE_PATH];

    if (name[0] != '/') {
        size_t length = strlen(name) + 1;
        if (!read_base(call, dirfd, base) || strlen(base) + 1 + length > ROUTE_PATH)
            return false;
        size_t above = strlen(base);
        memmove(name + above + 1, name, length);
        memcpy(name, base, above);
        name[above] = '/';
    }
    call_oneself_self(call, name);
    return true;
}

bool name_for(struct caught *call, int dirfd, uintptr_t path, char *name)
{
    call->elsewhere = false;
    return read_name(path, name) && name[0] && make_absolute(call, dirfd, name);
}

/* In the place of /dev/stdin, /dev/fd/N or /proc/self/fd/N the node that is open there. False where that is none of ours. */
static bool follow_descriptor(struct caught *call, char name[ROUTE_PATH])
{
    const struct carrier *carrier;
    struct route found;
    int fd = borrow(call, descriptor_named(name), &carrier);
    bool ours = fd >= 0 && carrier && to_carrier(carrier, fd, &found) && strlen(found.name) < ROUTE_PATH;

    if (ours)
        memcpy(name, found.name, strlen(found.name) + 1);
    close_loan(fd);
    return ours;
}

bool has_other_root(const struct caught *call)
{
    char link[64], root[ROUTE_PATH];
    snprintf(link, sizeof link, "/proc/%d/root", call->remote.thread);
    return !read_link(link, root) || strcmp(root, "/") != 0;
}

/* ---- The calls ------------------------------------------------------------------------------------- */

/* The new descriptor is the answer. */
static int64_t hand_over(int fd, int flags)
{
    int number = add_to_remote(fd, 0, SECCOMP_ADDFD_FLAG_SEND, flags & O_CLOEXEC);
    return number >= 0 || errno == ENOENT ? SENT : -errno;
}

/* The kernel hands no descriptor of O_PATH over. One that reads the placeholder is known as such all the same. */
static int without_path(int fd)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int whole = (int)real.syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC), before = errno;
    real.syscall(SYS_close, fd);
    errno = before;
    return whole;
}

/* A link itself, opened by O_PATH and O_NOFOLLOW, has no other descriptor. Where its name starts from a directory of the tree,
 * the kernel finds it. */
static bool starts_in_tree(const struct caught *call, const struct named *named)
{
    char link[64], base[ROUTE_PATH], first;

    snprintf(link, sizeof link, "/proc/%d/fd/%d", call->remote.thread, named->dirfd);
    return copy_from_remote(&first, named->path, 1) && first != '/' && read_link(link, base) && tree_prefix(base);
}

static int64_t open_for(struct caught *call, const struct named *named, const char *name)
{
    int fd = (int)call_by_number(SYS_openat, (long[6]){ AT_FDCWD, (long)name, named->flags, (long)named->mode });
    if (fd >= 0 && named->flags & O_PATH) {
        fd = without_path(fd);
        if (fd < 0 && errno == ELOOP && starts_in_tree(call, named))
            return LEAVE;
    }
    return fd < 0 ? -errno : hand_over(fd, named->flags);
}

static int64_t stat_for(const char *name, int flags, uintptr_t to)
{
    struct stat status;
    long result = call_by_number(SYS_newfstatat, (long[6]){ AT_FDCWD, (long)name, (long)&status, flags });

    if (result < 0)
        return -errno;
    return copy_to_remote(to, &status, sizeof status) ? 0 : -EFAULT;
}

static int64_t statx_for(const struct caught *call, const char *name)
{
    const uint64_t *a = call->arguments;
    struct statx status;

    if (call_by_number(SYS_statx, (long[6]){ AT_FDCWD, (long)name, (long)a[2], (long)a[3], (long)&status }) < 0)
        return -errno;
    return copy_to_remote((uintptr_t)a[4], &status, sizeof status) ? 0 : -EFAULT;
}

static int64_t access_for(const char *name, uint64_t mode, uint64_t flags)
{
#ifdef SYS_faccessat2
    if (flags)
        return result_of(call_by_number(SYS_faccessat2, (long[6]){ AT_FDCWD, (long)name, (long)mode, (long)flags }));
#endif
    return result_of(call_by_number(SYS_faccessat, (long[6]){ AT_FDCWD, (long)name, (long)mode }));
}

static int64_t readlink_for(const char *name, bool itself, uintptr_t to, uint64_t size)
{
    char text[ROUTE_PATH];
    size_t most = size < sizeof text ? (size_t)size : sizeof text, length = strlen(name);

    if ((int)size <= 0)
        return -EINVAL;
    if (itself) { /* the link was one of /proc */
        length = length < most ? length : most;
        memcpy(text, name, length);
    } else {
        long got = call_by_number(SYS_readlinkat, (long[6]){ AT_FDCWD, (long)name, (long)text, (long)most });
        if (got < 0)
            return -errno;
        length = (size_t)got;
    }
    return copy_to_remote(to, text, length) ? (int64_t)length : -EFAULT;
}

static int64_t do_for(struct caught *call, const struct named *named, const char *name, bool itself)
{
    const uint64_t *a = call->arguments;

    switch (call->number) {
#ifdef SYS_open
    case SYS_stat:
    case SYS_lstat:
        return stat_for(name, named->follow ? 0 : AT_SYMLINK_NOFOLLOW, (uintptr_t)a[1]);
    case SYS_access:
        return access_for(name, a[1], 0);
    case SYS_readlink:
        return readlink_for(name, itself, (uintptr_t)a[1], a[2]);
#endif
    case SYS_newfstatat:
        return stat_for(name, (int)a[3] & ~AT_EMPTY_PATH, (uintptr_t)a[2]);
    case SYS_statx:
        return statx_for(call, name);
    case SYS_faccessat:
        return access_for(name, a[2], 0);
#ifdef SYS_faccessat2
    case SYS_faccessat2:
        return access_for(name, a[2], a[3] & ~(uint64_t)AT_EMPTY_PATH);
#endif
    case SYS_readlinkat:
        return readlink_for(name, itself, (uintptr_t)a[2], a[3]);
    }
    return open_for(call, named, name);
}

/* Nothing of ours. A node that nobody plugged may be refused, and is told of. */
static int64_t pass_by(const struct named *named, const char *name)
{
    struct stat status;

    if (!named->opens || strncmp(name, "/dev/", 5) != 0)
        return LEAVE;
    int refusal = refuse_unplugged(AT_FDCWD, name);
    if (refusal)
        return -refusal;
    int error = real.syscall(SYS_newfstatat, AT_FDCWD, name, &status, 0) < 0 ? errno : 0;
    if ((error || !S_ISDIR(status.st_mode)) && !strstr(name, "/."))
        note_unplugged(name, error);
    return LEAVE;
}

int64_t call_on_name(struct caught *call)
{
    char name[ROUTE_PATH];
    struct named named;
    struct route found;
    int fd;

    if (!is_on_name(call, &named) || !name_for(call, named.dirfd, named.path, name))
        return LEAVE;
    bool itself = descriptor_named(name) >= 0;
    if (itself ? !follow_descriptor(call, name) : strncmp(name, "/proc/self", 10) == 0)
        return LEAVE;
    if (named.opens && openings_declared() && take_opening(AT_FDCWD, name, named.flags, named.mode, &fd))
        return fd < 0 ? -errno : hand_over(fd, named.flags);
    bool real = route_fully(AT_FDCWD, name, named.follow, &found) == ROUTE_REAL;
    if ((real && !call->elsewhere) || has_other_root(call))
        return pass_by(&named, name);
    return do_for(call, &named, name, itself);
}
#endif
