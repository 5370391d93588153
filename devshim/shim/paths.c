/* paths.c: where a path leads, by its text.
 *
 * Ordinary paths are let through after a look at two bytes, for a shim in somebody else's process may not cost what
 * it does not need. Links and strange directories are looked at afterwards: a link to a plugged node dangles, so the
 * real call has failed and time no longer matters (look_again), or it leads to a real node of the same name, and
 * then what was found lies on /dev's file system (may_shadow).
 *
 * Everything here may run in a signal handler or a vfork child: no locks, no memory, and flags only ever set. */
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

/* At or below a root, by text. */
static bool is_below_root(const char *path, size_t length)
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

bool to_device(const struct node *node, int fd, struct route *out)
{
    out->kind = ROUTE_DEVICE;
    out->fd = fd;
    out->node = node;
    out->device = node->device;
    if (!in_tree(registry_text(node->path), node->length, out->path))
        return false;
    out->name = out->path + tree_prefix(out->path);
    return true;
}

bool to_carrier(const struct carrier *carrier, int fd, struct route *out)
{
    const char *name = registry_text(device_of(carrier)->path);
    const struct node *node = find_node(name, strlen(name));

    if (node && node->kind == NODE_DEVICE)
        return to_device(node, fd, out);
    if (!in_tree(name, strlen(name), out->path)) /* unplugged, and still open */
        return false;
    out->kind = ROUTE_DEVICE;
    out->fd = fd;
    out->node = NULL;
    out->device = carrier->device;
    out->name = out->path + tree_prefix(out->path);
    return true;
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

/* ---- Routes ------------------------------------------------------------------------------------ */

/* A decimal number at the start of a text; -1: none. end is put behind it. */
static int number_at(const char *text, const char **end)
{
    int number = 0;

    *end = text;
    for (; **end >= '0' && **end <= '9' && number < 100000000; ++*end)
        number = number * 10 + (**end - '0');
    return *end > text ? number : -1;
}

/* What follows in a path after some text, or NULL where it starts otherwise. */
static const char *after(const char *path, const char *start)
{
    size_t length = strlen(start);
    return strncmp(path, start, length) == 0 ? path + length : NULL;
}

int descriptor_named(const char *path)
{
    static const char *const standard[] = { "in", "out", "err" };
    const char *rest = after(path, "/dev/"), *end;

    if (rest && after(rest, "std")) {
        for (int i = 0; i < 3; i++)
            if (strcmp(rest + 3, standard[i]) == 0)
                return i;
        return -1;
    }
    if (rest) {
        rest = after(rest, "fd/");
    } else if ((rest = after(path, "/proc/"))) {
        int process = number_at(rest, &end);
        if (process < 0)
            end = after(rest, "self") ? rest + 4 : after(rest, "thread-self") ? rest + 11 : "";
        else if (process != (int)real.syscall(SYS_getpid))
            return -1;
        rest = after(end, "/fd/");
    }
    int fd = rest ? number_at(rest, &end) : -1;
    return fd >= 0 && !*end ? fd : -1;
}

static enum route_kind refuse(struct route *out, enum route_kind kind, int error)
{
    out->error = error;
    return out->kind = kind;
}

/* No "//", "/./", "/../", and nothing after the last name: then the registry can be asked at once. */
static bool is_normal(const char *path, size_t *length)
{
    const char *at = path;

    while (*at == '/') {
        const char *name = ++at;
        while (*at && *at != '/')
            at++;
        size_t size = (size_t)(at - name);
        if (size == 0 || (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))))
            return false;
    }
    *length = (size_t)(at - path);
    return *length < ROUTE_PATH;
}

/* An absolute, normal path that the registry may know as it stands. */
static enum route_kind route_normal(const char *path, size_t length, int follow, struct route *out)
{
    int fd = follow ? descriptor_named(path) : -1;
    const struct carrier *carrier = fd >= 0 ? carrier_of(fd) : NULL;
    if (carrier && to_carrier(carrier, fd, out))
        return ROUTE_DEVICE;

    const struct node *node = is_below_root(path, length) ? find_node(path, length) : NULL;
    switch (node ? node->kind : NODE_FREE) {
    case NODE_DEVICE:
        if (to_device(node, -1, out))
            return ROUTE_DEVICE;
        break;
    case NODE_HIDDEN:
        return refuse(out, ROUTE_HIDDEN, ENOENT);
    case NODE_MERGED:
        memcpy(out->path, path, length + 1);
        out->name = out->path;
        return out->kind = ROUTE_MERGED;
    case NODE_TREE:
        return walk("", path, follow, out);
    }
    return out->kind = ROUTE_REAL;
}

enum route_kind route_slowly(int dirfd, const char *path, int follow, struct route *out)
{
    size_t length;

    if (path[0] == '/') {
        if (is_normal(path, &length))
            return route_normal(path, length, follow, out);
        return is_below_root(path, strlen(path)) || path[1] == '/' || path[1] == '.'
                   ? walk("", path, follow, out)
                   : (out->kind = ROUTE_REAL);
    }
    char base[ROUTE_PATH];
    if (!path[0] || !path_of(dirfd, base, sizeof base))
        return out->kind = ROUTE_REAL;
    if (dirfd != AT_FDCWD && !is_of_interest(base) && !tree_prefix(base))
        return out->kind = ROUTE_REAL;
    return walk(base, path, follow, out);
}

/* Whether a path can lead to something of ours over links: two system calls instead of one for each of its names. */
static bool may_lead_here(int dirfd, const char *path, int follow)
{
    char parent[ROUTE_PATH];
    struct stat status;
    const char *slash = strrchr(path, '/');

    if (follow && real.readlinkat(dirfd, path, parent, 1) >= 0)
        return true;
    if (!slash || strlen(path) >= sizeof parent)
        return false;
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(parent, path, length);
    parent[length] = '\0';
    if (!slash[1])
        return true;
    return libc_fstatat(dirfd, parent, &status, 0) != 0 || carries_nodes(status.st_dev);
}

enum route_kind route_fully(int dirfd, const char *path, int follow, struct route *out)
{
    if (route(dirfd, path, follow, out) != ROUTE_REAL || !registry || !path || !path[0])
        return out->kind;
    int before = errno;
    char base[ROUTE_PATH] = "";
    if (may_lead_here(dirfd, path, follow) && (path[0] == '/' || path_of(dirfd, base, sizeof base)))
        walk(base, path, follow, out);
    errno = before;
    return out->kind;
}

static bool shadows(void)
{
    return registry->flags & REGISTRY_SHADOWS;
}

bool look_again(int dirfd, const char *path, int follow, struct route *out)
{
    if (!registry || (errno != ENOENT && errno != ENXIO && !shadows()) || errno == EFAULT)
        return false;
    return route_fully(dirfd, path, follow, out) != ROUTE_REAL;
}

bool may_shadow(dev_t dev)
{
    return registry && shadows() && carries_nodes(dev);
}

const char *place_of(const struct route *route, const char *path)
{
    switch (route->kind) {
    case ROUTE_REAL:
        return path;
    case ROUTE_HIDDEN:
    case ROUTE_ERROR:
        errno = route->error;
        return NULL;
    default:
        return route->path;
    }
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
