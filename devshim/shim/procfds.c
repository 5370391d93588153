/* procfds.c: descriptors as /proc shows them, those of other processes too: links that lead to carriers.
 *
 * lsof, fuser and their like ask /proc who has a device open; the kernel shows them a pty or a socket. A link there is
 * known by what it leads to: the carrier's inode is in the registry, whichever process holds it. */
#include "procfds.h"

#include <errno.h>
#include <string.h>

#include "direct.h"

static const struct carrier *device_carrier_at(const struct stat *status)
{
    const struct carrier *carrier = registry && !stands_aside() ? carrier_at(status) : NULL;
    return carrier && !(device_of(carrier)->flags & (DEVICE_HARDWARE | DEVICE_MONITOR)) ? carrier : NULL;
}

static bool is_link_of_proc(int dirfd, const char *path)
{
    struct stat link, proc;
    return libc_fstatat(dirfd, path, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode)
           && libc_fstatat(AT_FDCWD, "/proc/", &proc, 0) == 0 && link.st_dev == proc.st_dev;
}

bool link_leads_to_carrier(int dirfd, const char *path, const struct stat *status, struct route *out)
{
    const struct carrier *carrier = device_carrier_at(status);
    int before = errno;
    bool leads = carrier && is_link_of_proc(dirfd, path) && to_carrier(carrier, -1, out);

    errno = before;
    return leads;
}

bool text_leads_to_carrier(int dirfd, const char *path, const char *text, ssize_t length, struct route *out)
{
    static const char pty[] = "/dev/pts/", socket[] = "socket:[";
    struct stat status;
    size_t size = length > 0 ? (size_t)length : 0;

    if (!registry
        || !((size >= sizeof pty - 1 && memcmp(text, pty, sizeof pty - 1) == 0)
             || (size >= sizeof socket - 1 && memcmp(text, socket, sizeof socket - 1) == 0)))
        return false;
    int before = errno;
    bool leads = libc_fstatat(dirfd, path, &status, 0) == 0 && leads_to_carrier(dirfd, path, &status, out);
    errno = before;
    return leads;
}

void note_descriptor_link(int fd, const char *path)
{
    struct stat status;

    if (path[0] == '/' && (path[1] != 'p' || strncmp(path, "/proc/", 6) != 0))
        return;
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (!*name || name[strspn(name, "0123456789")])
        return;
    int before = errno;
    if (libc_fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && device_carrier_at(&status))
        watch(fd);
    errno = before;
}
