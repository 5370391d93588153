/* wrap_places.c: calls of administrators on paths: mounting, swapping, accounting, chroot, fanotify(7). A plugged node's
 * placeholder stands for it, so the kernel says what it says of any file that is no directory and no disk. */
#include <errno.h>
#include <sys/syscall.h>

#include "paths.h"
#include "wrap_places.h"

static const char *where(const char *path, struct route *found)
{
    return place(AT_FDCWD, path, FOLLOW, found);
}

INTERPOSE int chroot(const char *path)
{
    struct route found;
    const char *at = where(path, &found);
    return at ? LATE(chroot)(at) : -1;
}

/* The source is a path, or any word that the file system understands. */
INTERPOSE int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
    struct route device, found;
    bool named = !is_no_address(source) && source[0] == '/';
    const char *from = named ? where(source, &device) : source;
    const char *at = named && !from ? NULL : where(target, &found);
    return at ? LATE(mount)(from, at, type, flags, data) : -1;
}

INTERPOSE int umount2(const char *path, int flags)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, flags & UMOUNT_NOFOLLOW ? NOFOLLOW : FOLLOW, &found);
    return at ? LATE(umount2)(at, flags) : -1;
}

INTERPOSE int umount(const char *path)
{
    return umount2(path, 0);
}

INTERPOSE int swapon(const char *path, int flags)
{
    struct route found;
    const char *at = where(path, &found);
    return at ? LATE(swapon)(at, flags) : -1;
}

INTERPOSE int swapoff(const char *path)
{
    struct route found;
    const char *at = where(path, &found);
    return at ? LATE(swapoff)(at) : -1;
}

INTERPOSE int quotactl(int command, const char *special, int id, caddr_t address)
{
    struct route found;
    const char *at = where(special, &found);
    return at || found.kind == ROUTE_REAL ? LATE(quotactl)(command, at, id, address) : -1;
}

/* A placeholder is a regular file: the kernel would write its records there. */
INTERPOSE int acct(const char *path)
{
    struct route found;
    const char *at = where(path, &found);
    if (at && found.kind == ROUTE_DEVICE) {
        errno = geteuid() == 0 ? EACCES : EPERM;
        return -1;
    }
    return at || found.kind == ROUTE_REAL ? LATE(acct)(at) : -1;
}

INTERPOSE int fanotify_mark(int fd, unsigned flags, uint64_t mask, int dirfd, const char *path)
{
    struct route found;
    const char *at = place(dirfd, path, flags & FAN_MARK_DONT_FOLLOW ? NOFOLLOW : FOLLOW, &found);
    return at || found.kind == ROUTE_REAL ? LATE(fanotify_mark)(fd, flags, mask, dirfd, at) : -1;
}

bool call_on_place(long number, const long arguments[6], long *result)
{
    const char *first = (const char *)arguments[0], *second = (const char *)arguments[1];

    switch (number) {
    case SYS_chroot:
        return *result = chroot(first), true;
    case SYS_mount:
        return *result = mount(first, second, (const char *)arguments[2], (unsigned long)arguments[3],
                               (const void *)arguments[4]), true;
    case SYS_umount2:
        return *result = umount2(first, (int)arguments[1]), true;
    case SYS_swapon:
        return *result = swapon(first, (int)arguments[1]), true;
    case SYS_swapoff:
        return *result = swapoff(first), true;
    case SYS_quotactl:
        return *result = quotactl((int)arguments[0], second, (int)arguments[2], (caddr_t)arguments[3]), true;
    case SYS_acct:
        return *result = acct(first), true;
    case SYS_fanotify_mark:
        return *result = fanotify_mark((int)arguments[0], (unsigned)arguments[1], (uint64_t)arguments[2],
                                       (int)arguments[3], (const char *)arguments[4]), true;
    }
    return false;
}
