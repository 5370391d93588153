/* listing.c: what a directory holds, real and plugged entries as one.
 *
 * The real entries come first, without those that something plugged replaces; then those of the same directory in the
 * run's tree. Where a reader is, the descriptor's own position says: those of the second part lie beyond any that a
 * file system uses. So nothing need be kept per descriptor, and dup, fork, exec and seekdir work as the kernel does. */
#include "listing.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "direct.h"
#include "picture.h"

#define FAR_POSITION  ((off_t)0x7fffffffffff0000) /* ext4 and btrfs end a directory at 0x7fffffffffffffff */
#define NEAR_POSITION ((off_t)0x7fff0000) /* sysfs and proc know none beyond 0x7fffffff, which is their end */
#define TREE_ENTRIES  ((off_t)0xfff0)

enum { TREE_BUFFER = 2048 };

enum route_kind directory_at(int fd, char name[ROUTE_PATH])
{
    struct stat status;
    enum route_kind kind = ROUTE_REAL;
    int before = errno;

    START_ONCE();
    bool matters = registry && fd >= 0 && !stands_aside()
                   && (is_watched(fd) || (libc_fstat(fd, &status) == 0 && carries_nodes(status.st_dev)));
    if (matters && path_of(fd, name, ROUTE_PATH)) {
        before_following(name, strlen(name));
        const struct node *node = find_node(name, strlen(name));
        if (is_merged(node))
            kind = ROUTE_MERGED;
        else if (lies_in_tree(name, strlen(name)))
            kind = ROUTE_TREE;
    }
    errno = before;
    return kind;
}

static ssize_t read_entries(int fd, void *buffer, size_t size)
{
    return real.syscall(SYS_getdents64, fd, buffer, size);
}

/* The registry's entry for a name in a directory. */
static const struct node *node_in(const char *directory, const char *name)
{
    char path[ROUTE_PATH];
    size_t above = strcmp(directory, "/") == 0 ? 0 : strlen(directory), length = strlen(name);

    if (above + length + 2 > sizeof path)
        return NULL;
    memcpy(path, directory, above);
    path[above] = '/';
    memcpy(path + above + 1, name, length + 1);
    return find_node(path, above + 1 + length);
}

static uint32_t kind_of(const struct node *node)
{
    return node ? node->kind : NODE_FREE;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* A placeholder is a plain file; the program sees what the device is. */
static void show_type(struct dirent *entry, const struct node *node)
{
    if (kind_of(node) == NODE_DEVICE)
        entry->d_type = (unsigned char)IFTODT(registry_device(node->device)->mode);
}

/* Keep, in place, the entries that the program may see: of a real directory those that nothing plugged replaces. */
static size_t filter(const char *directory, enum route_kind kind, char *entries, size_t size)
{
    bool masked = kind == ROUTE_MERGED && kind_of(find_node(directory, strlen(directory))) == NODE_MASKED;
    size_t kept = 0;

    for (size_t at = 0; at < size;) {
        struct dirent *entry = (struct dirent *)(entries + at);
        size_t length = entry->d_reclen;
        const struct node *node = node_in(directory, entry->d_name);
        uint32_t found = kind_of(node);
        at += length;
        if (found == NODE_HIDDEN || (kind == ROUTE_MERGED && (found == NODE_DEVICE || found == NODE_TREE)))
            continue;
        if (masked && found != NODE_PASSED && !is_merged(node) && !is_dots(entry->d_name))
            continue;
        show_type(entry, node);
        memmove(entries + kept, entry, length);
        kept += length;
    }
    return kept;
}

/* Entries from the real directory, or from one that exists only in the tree. 0 at its end. */
static ssize_t list_first(int fd, enum route_kind kind, const char *name, void *buffer, size_t size)
{
    ssize_t length;

    while ((length = read_entries(fd, buffer, size)) > 0) {
        size_t kept = filter(name, kind, buffer, (size_t)length);
        if (kept)
            return (ssize_t)kept;
    }
    return length;
}

/* Where the plugged entries begin that a position is among; 0: it is among the real ones. */
static off_t beginning_of(off_t position)
{
    if (position >= FAR_POSITION && position < FAR_POSITION + TREE_ENTRIES)
        return FAR_POSITION;
    return position >= NEAR_POSITION && position < NEAR_POSITION + TREE_ENTRIES ? NEAR_POSITION : 0;
}

/* The same for a directory whose real entries have all been read; what its file system accepts as a position. */
static off_t begin_plugged(int fd)
{
    return real.lseek(fd, FAR_POSITION, SEEK_SET) == FAR_POSITION ? FAR_POSITION : NEAR_POSITION;
}

/* Copy what is plugged in this directory, from the given position on, as far as it fits. */
static ssize_t copy_plugged(int tree, const char *name, off_t from, char *buffer, size_t size)
{
    char entries[TREE_BUFFER] __attribute__((aligned(8)));
    size_t filled = 0;
    ssize_t length;
    off_t position = beginning_of(from);

    while ((length = read_entries(tree, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < length;) {
            struct dirent *entry = (struct dirent *)(entries + at);
            const struct node *node = node_in(name, entry->d_name);
            at += entry->d_reclen;
            if (kind_of(node) != NODE_DEVICE && kind_of(node) != NODE_TREE)
                continue;
            if (position++ < from)
                continue;
            if (filled + entry->d_reclen > size)
                return filled ? (ssize_t)filled : -EINVAL;
            entry->d_off = position;
            show_type(entry, node);
            memcpy(buffer + filled, entry, entry->d_reclen);
            filled += entry->d_reclen;
        }
    }
    return length < 0 ? -errno : (ssize_t)filled;
}

static ssize_t list_plugged(int fd, const char *name, off_t from, char *buffer, size_t size)
{
    char path[ROUTE_PATH];

    if (!in_tree(name, strlen(name), path))
        return 0;
    int before = errno;
    int tree = real.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree < 0 && errno == ENOENT) { /* nothing is plugged here (any more) */
        errno = before;
        return 0;
    }
    if (tree < 0)
        return -1;
    ssize_t length = copy_plugged(tree, name, from, buffer, size);
    real.syscall(SYS_close, tree);
    if (length < 0) {
        errno = (int)-length;
        return -1;
    }
    off_t position = from;
    for (ssize_t at = 0; at < length; at += ((struct dirent *)(buffer + at))->d_reclen)
        position = ((struct dirent *)(buffer + at))->d_off;
    real.lseek(fd, position, SEEK_SET);
    return length;
}

ssize_t list_directory(int fd, enum route_kind kind, const char *name, void *buffer, size_t size)
{
    int before = errno;
    off_t from = kind == ROUTE_MERGED ? real.lseek(fd, 0, SEEK_CUR) : 0;

    if (!beginning_of(from)) {
        ssize_t length = list_first(fd, kind, name, buffer, size);
        if (length || kind != ROUTE_MERGED)
            return length;
        from = begin_plugged(fd);
    }
    errno = before;
    return list_plugged(fd, name, from, buffer, size);
}
