/* walk.c: where a path leads, followed name by name as the kernel does it (path_resolution(7)).
 *
 * The kernel follows links by itself and knows nothing of plugged nodes: a link to /dev/ttyUSB0 dangles for it. So
 * where it may matter the path is walked here, asking the registry about each name and readlink about the rest. */
#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "paths.h"
#include "picture.h"
#include "procfds.h"

struct walk {
    char at[ROUTE_PATH]; /* where we are: absolute, normal, links resolved; "" is the root */
    size_t length;
    char rest[ROUTE_PATH]; /* what is still to go */
    bool in_tree;          /* at exists only in the run's tree */
    bool left_real;        /* the kernel cannot follow this path by itself */
    int links;
};

enum step { STEP_ON, STEP_DONE };

static enum step finish(struct route *out, enum route_kind kind, int error)
{
    out->kind = kind;
    out->error = error;
    return STEP_DONE;
}

/* At a directory or file that is no device: where the path ends, or where the kernel can go on by itself. */
static enum step arrive(struct walk *walk, struct route *out)
{
    size_t rest = strlen(walk->rest);

    if (walk->length + rest + 2 > ROUTE_PATH)
        return finish(out, ROUTE_REAL, 0);
    memcpy(walk->at + walk->length, walk->rest, rest + 1); /* it begins with "/" */
    size_t length = walk->length + rest;
    if (!length)
        memcpy(walk->at, "/", (length = 1) + 1);
    if (walk->in_tree) {
        if (!in_tree(walk->at, length, out->path))
            return finish(out, ROUTE_REAL, 0);
        out->name = out->path + tree_prefix(out->path);
        out->beside = false;
        return finish(out, ROUTE_TREE, 0);
    }
    memcpy(out->path, walk->at, length + 1);
    out->name = out->path;
    const struct node *node = find_node(out->path, length);
    if (is_merged(node))
        return finish(out, ROUTE_MERGED, 0);
    return finish(out, walk->left_real ? ROUTE_ELSEWHERE : ROUTE_REAL, 0);
}

bool lies_in_tree(const char *name, size_t length)
{
    const struct node *node = nearest_node(name, length);
    return node && node->kind == NODE_TREE;
}

static void go_up(struct walk *walk)
{
    while (walk->length && walk->at[--walk->length] != '/')
        ;
    walk->at[walk->length] = '\0';
    if (walk->in_tree)
        walk->in_tree = lies_in_tree(walk->at, walk->length);
}

/* Replace the name that we are at by what its link says. */
static enum step follow_link(struct walk *walk, const char *link, size_t size, struct route *out)
{
    size_t prefix = tree_prefix(link), rest = strlen(walk->rest);

    if (++walk->links > MAX_LINKS)
        return finish(out, ROUTE_ERROR, ELOOP);
    link += prefix;
    size -= prefix;
    if (size + rest + 1 > sizeof walk->rest)
        return finish(out, ROUTE_REAL, 0);
    memmove(walk->rest + size, walk->rest, rest + 1);
    memcpy(walk->rest, link, size);
    if (link[0] == '/' || prefix) {
        walk->length = 0;
        walk->at[0] = '\0';
        walk->in_tree = false;
    } else {
        go_up(walk);
    }
    return STEP_ON;
}

/* A name that is no node: follow it if it is a link, on the disk or in the tree. */
static enum step pass(struct walk *walk, bool followed, struct route *out)
{
    char path[ROUTE_PATH], link[ROUTE_PATH];
    const char *place = walk->at;

    if (walk->in_tree) {
        if (!in_tree(walk->at, walk->length, path))
            return finish(out, ROUTE_REAL, 0);
        place = path;
    } else if (followed) {
        if (to_descriptor(descriptor_named(walk->at), out))
            return walk->rest[0] ? finish(out, ROUTE_ERROR, ENOTDIR) : STEP_DONE;
    }
    ssize_t size = followed ? real.readlinkat(AT_FDCWD, place, link, sizeof link - 1) : -1;
    if (size < 0)
        return !followed || errno == EINVAL ? STEP_ON : arrive(walk, out); /* the real call gives the reason */
    link[size] = '\0';
    if (!walk->in_tree && text_leads_to_carrier(AT_FDCWD, walk->at, link, size, out)) {
        if (!out->node)
            return finish(out, ROUTE_ERROR, ENXIO); /* unplugged: there is nothing to open anew */
        return walk->rest[0] ? finish(out, ROUTE_ERROR, ENOTDIR) : STEP_DONE;
    }
    bool magic = link[0] != '/' && strncmp(walk->at, "/proc/", 6) == 0 && strchr(link, ':'); /* pipe:[1] */
    return magic ? arrive(walk, out) : follow_link(walk, link, (size_t)size, out);
}

static enum step take_name(struct walk *walk, const char *name, size_t size, int follow, struct route *out)
{
    if (size == 1 && name[0] == '.')
        return STEP_ON;
    if (size == 2 && name[0] == '.' && name[1] == '.') {
        go_up(walk);
        return STEP_ON;
    }
    if (walk->length + size + 2 > sizeof walk->at)
        return finish(out, ROUTE_REAL, 0);
    walk->at[walk->length] = '/';
    memcpy(walk->at + walk->length + 1, name, size);
    walk->length += size + 1;
    walk->at[walk->length] = '\0';

    before_following(walk->at, walk->length == 4 || walk->at[1] == 'p' ? walk->length : 0);
    const struct node *node = walk->in_tree ? find_node(walk->at, walk->length) : nearest_node(walk->at, walk->length);
    if (node && node->length != walk->length) {
        if (node->kind == NODE_MASKED)
            return finish(out, ROUTE_HIDDEN, ENOENT);
        node = NULL;
    }
    switch (node ? node->kind : NODE_FREE) {
    case NODE_DEVICE:
        if (walk->rest[0])
            return finish(out, ROUTE_ERROR, ENOTDIR);
        return to_device(node, -1, out) ? STEP_DONE : finish(out, ROUTE_REAL, 0);
    case NODE_HIDDEN:
        return finish(out, ROUTE_HIDDEN, ENOENT);
    case NODE_MERGED:
    case NODE_MASKED:
        walk->in_tree = false;
        return STEP_ON;
    case NODE_TREE:
        walk->in_tree = walk->left_real = true;
        if (node->directory)
            return STEP_ON;
    }
    return pass(walk, follow || walk->rest[0], out); /* a trailing "/" follows too */
}

static bool openat2_missing; /* then it is not asked again: valgrind warns each time */

/* In the tree the kernel may go the rest of the way in one step, where no link is on it: it says so itself. False where
 * one is, where it is no more than one name, or the kernel is too old (openat2(2)); then names are taken one by one. */
static bool leap(struct walk *walk, int follow, struct route *out, enum step *step)
{
    struct open_how how = { .flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW), .resolve = RESOLVE_NO_SYMLINKS };
    char path[ROUTE_PATH];
    bool relative = walk->rest[0] != '/'; /* the first names of what openat() was given */
    size_t rest = strlen(walk->rest), length = walk->length + relative + rest;

    if (__atomic_load_n(&openat2_missing, __ATOMIC_RELAXED))
        return false;
    if (rest < 2 || !strchr(walk->rest + 1, '/') || walk->rest[rest - 1] == '/' || walk->rest[0] == '.'
        || strstr(walk->rest, "/.") || strstr(walk->rest, "//") || length + 1 > ROUTE_PATH || !in_tree(walk->at, walk->length, path)
        || strlen(path) + rest + 2 > ROUTE_PATH)
        return false;
    strcat(strcat(path, relative ? "/" : ""), walk->rest);
    int fd = (int)real.syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (fd < 0) {
        if (errno == ENOSYS)
            __atomic_store_n(&openat2_missing, true, __ATOMIC_RELAXED);
        return false;
    }
    real.syscall(SYS_close, fd);
    if (relative)
        walk->at[walk->length] = '/';
    memcpy(walk->at + walk->length + relative, walk->rest, rest + 1);
    walk->length = length;
    walk->rest[0] = '\0';
    const struct node *node = find_node(walk->at, length);
    if (node && node->kind == NODE_DEVICE)
        *step = to_device(node, -1, out) ? STEP_DONE : finish(out, ROUTE_REAL, 0);
    else
        *step = arrive(walk, out);
    return true;
}

/* Take the next name off the rest and go there. */
static enum step advance(struct walk *walk, int follow, struct route *out)
{
    char name[NAME_MAX + 1];
    enum step step;

    if (walk->in_tree && leap(walk, follow, out, &step))
        return step;
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t size = strcspn(start, "/");

    if (!size) {
        walk->rest[0] = '\0';
        return arrive(walk, out);
    }
    if (size > NAME_MAX)
        return finish(out, ROUTE_REAL, 0);
    memcpy(name, start, size);
    memmove(walk->rest, start + size, strlen(start + size) + 1);
    return take_name(walk, name, size, follow, out);
}

enum route_kind walk(const char *base, const char *path, int follow, struct route *out)
{
    struct walk walk;
    size_t length = strlen(path);
    int before = errno;

    walk.length = path[0] == '/' || strcmp(base, "/") == 0 ? 0 : strlen(base);
    if (walk.length >= ROUTE_PATH || length >= ROUTE_PATH)
        return out->kind = ROUTE_REAL;
    memcpy(walk.at, base, walk.length);
    walk.at[walk.length] = '\0';
    memcpy(walk.rest, path, length + 1);
    walk.links = 0;
    before_following(walk.at, walk.length);
    walk.in_tree = walk.left_real = lies_in_tree(walk.at, walk.length);
    while (advance(&walk, follow, out) == STEP_ON)
        ;
    errno = before;
    return out->kind;
}
