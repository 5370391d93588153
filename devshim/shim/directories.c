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
            memset(first_bytes, 0xff, sizeof first_bytes); /* nodes in "/" itself */
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

bool path_of(int dirfd, char *path, size_t size)
{
    int before = errno;
    bool known = dirfd == AT_FDCWD ? real.syscall(SYS_getcwd, path, size) > 0 && path[0] == '/'
                                   : kernel_path_of(dirfd, path, size);
    errno = before;
    if (!known)
        return false;
    size_t prefix = tree_prefix(path);
    if (prefix)
        memmove(path, path + prefix, strlen(path + prefix) + 1);
    return true;
}

void look_at_cwd(void)
{
    char path[ROUTE_PATH];
    int before = errno;

    if (registry && real.syscall(SYS_getcwd, path, sizeof path) > 0 && is_of_interest(path))
        cwd_matters = true;
    cwd_known = true;
    errno = before;
}

int note_directory(int fd, int dirfd, const char *path, const struct route *out)
{
    struct stat status;

    if (fd < 0 || (out->kind == ROUTE_REAL && !may_be_routed(dirfd, path)))
        return fd;
    int before = errno;
    bool matters = out->kind != ROUTE_REAL || path[0] != '/' || is_of_interest(path);
    if (matters && libc_fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        watch(fd);
    errno = before;
    return fd;
}

/* ---- libc -------------------------------------------------------------------------------------- */

#ifdef __GLIBC__
extern int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags);
#endif

int libc_fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
#ifdef __GLIBC__
    if (!real.fstatat)
        return LATE(__fxstatat)(1, dirfd, path, status, flags);
#endif
    return real.fstatat(dirfd, path, status, flags);
}

int libc_fstat(int fd, struct stat *status)
{
    return real.fstat ? real.fstat(fd, status) : libc_fstatat(fd, "", status, AT_EMPTY_PATH);
}
