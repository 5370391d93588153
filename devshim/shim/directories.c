/* directories.c: which directories matter: those above and below nodes, and those of the run's tree.
 *
 * What is noted here is noted for good: a flag that a vfork child sets does its parent no harm, one that it cleared
 * would. Async-signal-safe throughout. */
#include "paths.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define MAX_ROOTS 32

uint8_t first_bytes[256 / 8];
uint32_t seen_changes = ~0u;
bool cwd_matters, cwd_known;

static const char tree_directory[] = "/tree";

static void mark_first_byte(char byte)
{
    __atomic_fetch_or(&first_bytes[(uint8_t)byte >> 3], 1u << ((uint8_t)byte & 7), __ATOMIC_RELAXED);
}

/* Each root's text ends with "/", which lies between it and the node's name. */
static const char *next_root(const char *root)
{
    const char *end = registry->roots + (registry->root_length < sizeof registry->roots ? registry->root_length
                                                                                         : sizeof registry->roots);
    const char *next = root ? root + strlen(root) + 1 : registry->roots;
    return next < end && *next ? next : NULL;
}

void look_at_roots(void)
{
    uint32_t changes = __atomic_load_n(&registry->changes, __ATOMIC_ACQUIRE);

    for (const char *root = NULL; (root = next_root(root));)
        if (root[1])
            mark_first_byte(root[1]);
        else
            for (int byte = 0; byte < 256; byte++) /* nodes in "/" itself */
                mark_first_byte((char)byte);
    mark_first_byte('\0'); /* "/" */
    mark_first_byte('/');
    mark_first_byte('.');
    mark_first_byte('p'); /* /proc/self/fd/N */
    __atomic_store_n(&seen_changes, changes, __ATOMIC_RELEASE);
}

bool is_of_interest(const char *path)
{
    size_t length = strlen(path);

    if (length == 1 || tree_prefix(path))
        return true;
    for (const char *root = NULL; (root = next_root(root));) {
        size_t size = strlen(root);
        if (length >= size ? memcmp(path, root, size) == 0 : memcmp(path, root, length) == 0 && root[length] == '/')
            return true;
    }
    return false;
}

bool is_below_root(const char *path, size_t length)
{
    for (const char *root = NULL; (root = next_root(root));) {
        size_t size = strlen(root);
        if (length >= size ? memcmp(path, root, size) == 0 : length + 1 == size && memcmp(path, root, length) == 0)
            return true;
    }
    return false;
}

bool carries_nodes(dev_t dev)
{
    static dev_t devs[MAX_ROOTS];
    static unsigned count;
    static uint32_t counted = ~0u;

    uint32_t changes = __atomic_load_n(&registry->changes, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&counted, __ATOMIC_ACQUIRE) != changes) {
        unsigned found = 0;
        int before = errno;
        for (const char *root = NULL; found < MAX_ROOTS && (root = next_root(root));) {
            struct stat status;
            if (libc_fstatat(AT_FDCWD, root, &status, 0) == 0)
                devs[found++] = status.st_dev;
        }
        errno = before;
        __atomic_store_n(&count, found, __ATOMIC_RELEASE);
        __atomic_store_n(&counted, changes, __ATOMIC_RELEASE);
    }
    for (unsigned i = 0; i < count; i++)
        if (devs[i] == dev)
            return true;
    return false;
}

/* ---- The tree ---------------------------------------------------------------------------------- */

bool in_tree(const char *name, size_t length, char path[ROUTE_PATH])
{
    size_t prefix = strlen(run_directory);

    if (prefix + sizeof tree_directory + length > ROUTE_PATH)
        return false;
    memcpy(path, run_directory, prefix);
    memcpy(path + prefix, tree_directory, sizeof tree_directory - 1);
    memcpy(path + prefix + sizeof tree_directory - 1, name, length);
    path[prefix + sizeof tree_directory - 1 + length] = '\0';
    return true;
}

size_t tree_prefix(const char *path)
{
    size_t prefix = strlen(run_directory);

    if (!prefix || strncmp(path, run_directory, prefix) != 0
        || strncmp(path + prefix, tree_directory, sizeof tree_directory - 1) != 0)
        return 0;
    size_t length = prefix + sizeof tree_directory - 1;
    return path[length] == '/' || !path[length] ? length : 0;
}

/* ---- Directories ------------------------------------------------------------------------------- */

/* The path of a descriptor as the kernel shows it; readlink leaves no NUL. */
static bool kernel_path_of(int fd, char *path, size_t size)
{
    char link[sizeof "/proc/self/fd/" + 10] = "/proc/self/fd/";
    char digits[10];
    size_t at = sizeof "/proc/self/fd/" - 1, count = 0;

    if (fd < 0)
        return false;
    do
        digits[count++] = (char)('0' + fd % 10);
    while (fd /= 10);
    while (count)
        link[at++] = digits[--count];
    link[at] = '\0';
    ssize_t length = real.readlinkat(AT_FDCWD, link, path, size);
    if (length <= 0 || (size_t)length >= size)
        return false;
    path[length] = '\0';
    return path[0] == '/';
}

/* Paths of directories in /sys, and above, by their mounts and inodes: libudev and its like follow each path there name
 * by name, again and again, and readlink below /proc takes longer than all else that they ask for. Only there, because
 * nobody can move a directory of sysfs; and only until something is plugged or pulled. Whoever finds an entry being
 * written goes on without: nobody waits, and an entry that a dead child of vfork has left so is merely lost. */
enum { LATELY = 128 };
struct place {
    uint64_t mount, inode;
};
static struct lately {
    uint32_t sequence; /* odd: somebody writes it */
    uint32_t changes;  /* registry->changes of that time */
    struct place place;
    uint16_t length;
    bool tree; /* it lies in the run's tree */
    char path[221];
} lately[LATELY];

/* False where the kernel (before 5.8) or its headers do not tell mounts. */
static bool look_at_place(int fd, struct place *place)
{
#ifdef STATX_MNT_ID
    const unsigned wanted = STATX_INO | STATX_TYPE | STATX_MNT_ID;
    struct statx status;

    if (fd < 0 || !registry || real.statx(fd, "", AT_EMPTY_PATH, wanted, &status) < 0
        || (status.stx_mask & wanted) != wanted || !S_ISDIR(status.stx_mode))
        return false;
    *place = (struct place){ .mount = status.stx_mnt_id, .inode = status.stx_ino };
    return true;
#else
    (void)fd, (void)place;
    return false;
#endif
}

static bool path_known(const struct place *place, char *path, size_t size, bool *tree)
{
    const struct lately *entry = &lately[place->inode % LATELY];
    uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_ACQUIRE);
    size_t length = entry->length;

    if ((sequence & 1) || !length || length >= sizeof entry->path || length >= size
        || entry->place.inode != place->inode || entry->place.mount != place->mount
        || entry->changes != __atomic_load_n(&registry->changes, __ATOMIC_ACQUIRE))
        return false;
    memcpy(path, entry->path, length);
    path[length] = '\0';
    *tree = entry->tree;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED) == sequence;
}

static void remember_path(const struct place *place, const char *path, bool tree, uint32_t changes)
{
    struct lately *entry = &lately[place->inode % LATELY];
    uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED);
    size_t length = strlen(path);
    bool fixed = strncmp(path, "/sys/", 5) == 0 || strcmp(path, "/sys") == 0 || length == 1;

    if (!fixed || length >= sizeof entry->path || (sequence & 1)
        || !__atomic_compare_exchange_n(&entry->sequence, &sequence, sequence + 1, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
        return;
    entry->changes = changes;
    entry->place = *place;
    entry->length = (uint16_t)length;
    entry->tree = tree;
    memcpy(entry->path, path, length);
    __atomic_store_n(&entry->sequence, sequence + 2, __ATOMIC_RELEASE);
}

static bool path_anew(int dirfd, char *path, size_t size, bool *tree)
{
    bool known = dirfd == AT_FDCWD ? real.syscall(SYS_getcwd, path, size) > 0 && path[0] == '/'
                                   : kernel_path_of(dirfd, path, size);
    size_t prefix = known ? tree_prefix(path) : 0;

    *tree = prefix > 0;
    if (prefix)
        memmove(path, path + prefix, strlen(path + prefix) + 1);
    return known;
}

bool path_and_side(int dirfd, char *path, size_t size, bool *tree)
{
    struct place place;
    int before = errno;
    bool found = look_at_place(dirfd, &place), known = found && path_known(&place, path, size, tree);

    if (!known) {
        uint32_t changes = registry ? __atomic_load_n(&registry->changes, __ATOMIC_ACQUIRE) : 0;
        known = path_anew(dirfd, path, size, tree);
        if (known && found)
            remember_path(&place, path, *tree, changes);
    }
    errno = before;
    return known;
}

bool path_of(int dirfd, char *path, size_t size)
{
    bool tree;
    return path_and_side(dirfd, path, size, &tree);
}

void look_at_cwd(void)
{
    char path[ROUTE_PATH];
    int before = errno;

    if (registry && real.syscall(SYS_getcwd, path, sizeof path) > 0 && is_of_interest(path))
        __atomic_store_n(&cwd_matters, true, __ATOMIC_RELAXED);
    __atomic_store_n(&cwd_known, true, __ATOMIC_RELEASE);
    errno = before;
}

int note_directory(int fd, int dirfd, const char *path, int flags, const struct route *out)
{
    struct stat status;
    bool certain = flags & (O_DIRECTORY | O_PATH); /* what else O_PATH opens is never read: marking it costs nothing */

    if (fd < 0 || (out->kind == ROUTE_REAL && !may_be_routed(dirfd, path)))
        return fd;
    int before = errno;
    bool matters = out->kind != ROUTE_REAL || path[0] != '/' || is_of_interest(path);
    if (matters && (certain || (libc_fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))))
        watch(fd);
    errno = before;
    return fd;
}

/* ---- libc -------------------------------------------------------------------------------------- */

#ifdef __GLIBC__
extern int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags);
#endif

int earlier_fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
#ifdef __GLIBC__
    return LATE(__fxstatat)(1, dirfd, path, status, flags);
#else
    return real.fstatat(dirfd, path, status, flags);
#endif
}
