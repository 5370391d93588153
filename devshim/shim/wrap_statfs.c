/* wrap_statfs.c: on which file system a path lies. What is ours lies on that of the nearest real directory above, so
 * that /dev's nodes are on /dev's and a tree below /sys is sysfs. */
#include <string.h>

#include "paths.h"

/* The name of what is ours, or NULL; out holds it. */
static char *own_name(struct route *found)
{
    return found->kind == ROUTE_DEVICE || found->kind == ROUTE_TREE ? (char *)found->name : NULL;
}

/* Cut the last name off; false at the root. */
static bool cut(char *name)
{
    char *slash = strrchr(name, '/');
    if (!slash || !name[1])
        return false;
    slash[slash == name] = '\0';
    return true;
}

/* Leave what only the tree has: there is nothing real to ask about. */
static void leave_tree(char *name)
{
    while (cut(name) && lies_in_tree(name, strlen(name)))
        ;
}

static int statfs_above(char *name, struct statfs *answer)
{
    leave_tree(name);
    int result = LATE(statfs)(name, answer);
    while (result < 0 && cut(name))
        result = LATE(statfs)(name, answer);
    return result;
}

static int statvfs_above(char *name, struct statvfs *answer)
{
    leave_tree(name);
    int result = LATE(statvfs)(name, answer);
    while (result < 0 && cut(name))
        result = LATE(statvfs)(name, answer);
    return result;
}

/* A device's descriptor, or a directory of the tree. */
static bool route_descriptor(int fd, struct route *found)
{
    const struct carrier *carrier = carrier_of(fd);
    if (carrier)
        return to_carrier(carrier, fd, found);
    if (!registry || !is_watched(fd) || !path_of(fd, found->path, sizeof found->path))
        return false;
    found->kind = lies_in_tree(found->path, strlen(found->path)) ? ROUTE_TREE : ROUTE_REAL;
    found->name = found->path;
    return found->kind == ROUTE_TREE;
}

INTERPOSE int statfs(const char *path, struct statfs *answer)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    if (!at)
        return -1;
    return own_name(&found) ? statfs_above(own_name(&found), answer) : LATE(statfs)(at, answer);
}

INTERPOSE int fstatfs(int fd, struct statfs *answer)
{
    struct route found;
    return route_descriptor(fd, &found) ? statfs_above((char *)found.name, answer) : LATE(fstatfs)(fd, answer);
}

INTERPOSE int statvfs(const char *restrict path, struct statvfs *restrict answer)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, FOLLOW, &found);
    if (!at)
        return -1;
    return own_name(&found) ? statvfs_above(own_name(&found), answer) : LATE(statvfs)(at, answer);
}

INTERPOSE int fstatvfs(int fd, struct statvfs *answer)
{
    struct route found;
    return route_descriptor(fd, &found) ? statvfs_above((char *)found.name, answer) : LATE(fstatvfs)(fd, answer);
}

ALSO_CALLED(statfs, statfs64);
ALSO_CALLED(fstatfs, fstatfs64);
ALSO_CALLED(statvfs, statvfs64);
ALSO_CALLED(fstatvfs, fstatvfs64);
#ifdef __GLIBC__
ALSO_CALLED(statfs, __statfs);
#endif
