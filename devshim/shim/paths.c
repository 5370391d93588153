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

#include "direct.h"
#include "picture.h"

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

bool to_descriptor(int fd, struct route *out)
{
    const struct carrier *carrier = fd >= 0 ? carrier_of(fd) : NULL;

    if (!carrier || !to_carrier(carrier, fd, out))
        return false;
    if (!out->node)
        refuse(out, ROUTE_ERROR, ENXIO); /* unplugged: there is nothing to open anew */
    return true;
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
    if (follow && to_descriptor(descriptor_named(path), out))
        return out->kind;

    before_following(path, length);
    const struct node *node = is_below_root(path, length) ? nearest_node(path, length) : NULL;
    bool itself = node && node->length == length;
    switch (node ? node->kind : NODE_FREE) {
    case NODE_DEVICE:
        if (!itself)
            return refuse(out, ROUTE_ERROR, ENOTDIR);
        if (to_device(node, -1, out))
            return ROUTE_DEVICE;
        break;
    case NODE_HIDDEN:
        if (!itself)
            break;
        return refuse(out, ROUTE_HIDDEN, ENOENT);
    case NODE_MASKED:
        if (!itself)
            return refuse(out, ROUTE_HIDDEN, ENOENT);
        __attribute__((fallthrough));
    case NODE_MERGED:
        if (!itself)
            break;
        memcpy(out->path, path, length + 1);
        out->name = out->path;
        return out->kind = ROUTE_MERGED;
    case NODE_TREE:
        return walk("", path, follow, out);
    }
    return out->kind = ROUTE_REAL;
}

/* Whether a walk from a directory of the tree has ended at a name in it, with no link on the way. */
static bool is_beside(const char *base, const char *path, const char *name)
{
    size_t above = strlen(base);
    return !strchr(path, '/') && strncmp(name, base, above) == 0 && name[above] == '/'
           && strcmp(name + above + 1, path) == 0;
}

enum route_kind route_slowly(int dirfd, const char *path, int follow, struct route *out)
{
    size_t length;

    if (stands_aside()) /* what the host and its models open is the real thing */
        return out->kind = ROUTE_REAL;
    if (path[0] == '/') {
        if (is_normal(path, &length))
            return route_normal(path, length, follow, out);
        return is_below_root(path, strlen(path)) || path[1] == '/' || path[1] == '.'
                   ? walk("", path, follow, out)
                   : (out->kind = ROUTE_REAL);
    }
    char base[ROUTE_PATH];
    bool tree;
    if (!path[0] || !path_and_side(dirfd, base, sizeof base, &tree))
        return out->kind = ROUTE_REAL;
    if (dirfd != AT_FDCWD && !is_of_interest(base) && !tree_prefix(base))
        return out->kind = ROUTE_REAL;
    if (walk(base, path, follow, out) == ROUTE_TREE)
        out->beside = tree && dirfd != AT_FDCWD && is_beside(base, path, out->name);
    return out->kind;
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
    if (route(dirfd, path, follow, out) != ROUTE_REAL || !registry || !path || !path[0] || stands_aside())
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

const char *place_at(const struct route *route, const char *path)
{
    return route->kind == ROUTE_TREE && route->beside ? path : place_of(route, path);
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
