/* paths.h: where a path leads: to libc as ever, to a device, or into the run's own tree. */
#ifndef DEVSHIM_PATHS_H
#define DEVSHIM_PATHS_H

#include <limits.h>

#include "handles.h"

#define ROUTE_PATH 1024 /* longer paths are never a node's: frames here must fit on a signal stack */
#define MAX_LINKS  40   /* as in the kernel: then ELOOP */

enum { NOFOLLOW = 0, FOLLOW = 1 };

enum route_kind {
    ROUTE_REAL = 0,  /* nothing of ours: make libc's call with what the program gave */
    ROUTE_DEVICE,    /* a plugged node; path is its placeholder, a file with the node's mode, owner and times */
    ROUTE_TREE,      /* exists only in the run's tree: use path instead */
    ROUTE_MERGED,    /* a real directory (path) that has plugged entries beside its own */
    ROUTE_ELSEWHERE, /* something real that only a detour through the tree leads to: use path instead */
    ROUTE_HIDDEN,    /* to answer as if nothing were there: error is ENOENT */
    ROUTE_ERROR      /* the path cannot be followed: error is ENOTDIR or ELOOP */
};

struct route {
    enum route_kind kind;
    int error;               /* errno for ROUTE_HIDDEN and ROUTE_ERROR */
    int fd;                  /* ROUTE_DEVICE by /dev/stdin, /dev/fd/N, /proc/self/fd/N: that N; else -1 */
    uint32_t device;         /* ROUTE_DEVICE: index */
    const struct node *node; /* ROUTE_DEVICE: the registry's entry; never NULL from route() */
    const char *name;        /* as the program knows it: absolute and normal; inside path */
    bool beside;             /* ROUTE_TREE: the program's own directory and name lead there, too */
    char path[ROUTE_PATH];   /* as the kernel knows it */
};

/* Bytes that may follow the "/" of a path that is of interest. Only ever gains some. */
extern uint8_t first_bytes[256 / 8];
extern uint32_t seen_changes; /* registry->changes when first_bytes was made */
extern bool cwd_matters;      /* the working directory was once at, above or below a node, or in the tree */
extern bool cwd_known;

void look_at_roots(void);
void look_at_cwd(void);

/* The slow half of route(). */
enum route_kind route_slowly(int dirfd, const char *path, int follow, struct route *out);

/* A descriptor that watch() has marked: it may be a device, or a directory of interest. */
static inline bool is_watched(int fd)
{
    return (unsigned)fd >= WATCHED_FDS || is_set(may_be_device, fd);
}

/* NULL, -1 and their like, at which nothing ever lies: the kernel answers EFAULT. */
static inline bool is_no_address(const char *path)
{
    return (uintptr_t)path + 4096 < 8192;
}

/* Whether a path can be of interest, judged by its first bytes: for most paths all that the shim costs. */
static inline bool may_be_routed(int dirfd, const char *path)
{
    if (__builtin_expect(!registry, 0)) { /* most times this is all that is to be asked */
        START_ONCE();
        if (!registry)
            return false;
    }
    __asm__("" : "+r"(path)); /* the kernel answers EFAULT for NULL, which headers declare impossible */
    if (is_no_address(path))
        return false;
    if (__builtin_expect(__atomic_load_n(&seen_changes, __ATOMIC_ACQUIRE) != __atomic_load_n(&registry->changes, __ATOMIC_RELAXED), 0))
        look_at_roots();
    if (path[0] == '/') {
        return is_set(first_bytes, (uint8_t)path[1]);
    }
    if (dirfd != AT_FDCWD)
        return is_watched(dirfd);
    if (__builtin_expect(!__atomic_load_n(&cwd_known, __ATOMIC_ACQUIRE), 0))
        look_at_cwd();
    return __atomic_load_n(&cwd_matters, __ATOMIC_RELAXED);
}

/* Where a path leads, by its text and the registry: no system call for ordinary paths. What only symbolic links or
 * unknown directories tell is not seen here: after the real call use look_again(). Leaves errno alone. */
static inline enum route_kind route(int dirfd, const char *path, int follow, struct route *out)
{
    if (!may_be_routed(dirfd, path))
        return out->kind = ROUTE_REAL;
    return route_slowly(dirfd, path, follow, out);
}

/* After a real call on a ROUTE_REAL path failed: whether links lead to something of ours after all (then out says
 * where). Looks at errno to see whether that can be, and leaves it alone. */
bool look_again(int dirfd, const char *path, int follow, struct route *out);

/* After a real call on a ROUTE_REAL path succeeded with something on this file system: whether it may be a real node
 * that a plugged one shadows, reached over links. False at once where nothing is shadowed. */
bool may_shadow(dev_t dev);

/* Where a path leads, links included, by hand and slowly: for calls that must not be made twice. */
enum route_kind route_fully(int dirfd, const char *path, int follow, struct route *out);

/* Walk the whole path, link by link (walk.c). base: absolute, in the program's view; "" for an absolute path. */
enum route_kind walk(const char *base, const char *path, int follow, struct route *out);

/* The path to give to libc for a route: the program's own for ROUTE_REAL, NULL with errno set where the call fails. */
const char *place_of(const struct route *route, const char *path);

/* The same for calls relative to a directory: the program's own name where that does, which is the shorter way. */
const char *place_at(const struct route *route, const char *path);

/* The same in one step, for calls on names that are rare enough for route_fully(). */
static inline const char *place(int dirfd, const char *path, int follow, struct route *out)
{
    route_fully(dirfd, path, follow, out);
    return place_of(out, path);
}

/* Fill out for a plugged node. False if its names do not fit. */
bool to_device(const struct node *node, int fd, struct route *out);

/* Fill out for what opening /proc/self/fd/N leads to. False where that is no device. */
bool to_descriptor(int fd, struct route *out);

/* Fill out for the device behind a descriptor; node is NULL after its unplugging. */
bool to_carrier(const struct carrier *carrier, int fd, struct route *out);

/* N where an absolute path names this process's descriptor N (/dev/stdin, /dev/fd/N, /proc/self/fd/N), else -1. */
int descriptor_named(const char *path);

/* Something was opened (open, openat, opendir): where it is a directory, remember whether paths relative to it matter.
 * flags: those of open(). out: what route() or look_again() said. Ordinary absolute paths cost no system call. Returns fd. */
int note_directory(int fd, int dirfd, const char *path, int flags, const struct route *out);

/* The path of a descriptor or of AT_FDCWD, as the program knows it. False where it has none. */
bool path_of(int dirfd, char *path, size_t size);

/* The same, and whether it is a directory of the run's tree. */
bool path_and_side(int dirfd, char *path, size_t size, bool *tree);

/* Length of the start of a path that leads into the run's tree; 0: it does not. What follows is the program's name. */
size_t tree_prefix(const char *path);

/* A directory with real entries beside the plugged ones. */
static inline bool is_merged(const struct node *node)
{
    return node && (node->kind == NODE_MERGED || node->kind == NODE_MASKED);
}

/* Whether an absolute, normal path exists only in the tree: the nearest node at or above it says so (walk.c). */
bool lies_in_tree(const char *name, size_t length);

/* A path at or below a root of the registry, by text. */
bool is_below_root(const char *path, size_t length);

/* A path at, above or below a root, or in the tree. */
bool is_of_interest(const char *path);

/* Whether a file system carries nodes: the one of a root. */
bool carries_nodes(dev_t dev);

/* Write the tree's path of a name: $DEVSHIM_RUN/tree + name. False where it does not fit. */
bool in_tree(const char *name, size_t length, char path[ROUTE_PATH]);

/* What stands for fstatat before glibc 2.33: __fxstatat. */
int earlier_fstatat(int dirfd, const char *path, struct stat *status, int flags);

/* libc's fstatat and fstat, whatever it calls them. */
static inline int libc_fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
    if (__builtin_expect(!real.fstatat, 0))
        return earlier_fstatat(dirfd, path, status, flags);
    return real.fstatat(dirfd, path, status, flags);
}

static inline int libc_fstat(int fd, struct stat *status)
{
    return real.fstat ? real.fstat(fd, status) : libc_fstatat(fd, "", status, AT_EMPTY_PATH);
}

#endif
