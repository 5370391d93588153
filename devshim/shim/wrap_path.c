/* wrap_path.c: what a path leads to, and where the program is: access, readlink, realpath, chdir, getcwd. */
#include <errno.h>
#include <string.h>

#include "paths.h"
#include "procfds.h"

#ifdef __GLIBC__
extern void __chk_fail(void) __attribute__((noreturn));
#endif

/* ---- access ------------------------------------------------------------------------------------ */

static int access_at(int dirfd, const char *path, int mode, int flags)
{
    struct route found;
    int follow = flags & AT_SYMLINK_NOFOLLOW ? NOFOLLOW : FOLLOW;

    __asm__("" : "+r"(path)); /* headers say that it is no NULL */
    bool itself = (flags & AT_EMPTY_PATH) && !is_no_address(path) && !path[0];
    const struct carrier *carrier = itself ? carrier_of(dirfd) : NULL;
    if (carrier && to_carrier(carrier, dirfd, &found))
        return real.faccessat(AT_FDCWD, found.path, mode, flags & ~AT_EMPTY_PATH);
    if (route(dirfd, path, follow, &found) == ROUTE_REAL) {
        int result = real.faccessat(dirfd, path, mode, flags);
        if (result == 0 || !look_again(dirfd, path, follow, &found))
            return result;
    }
    const char *at = place_at(&found, path);
    return at ? real.faccessat(dirfd, at, mode, flags) : -1;
}

INTERPOSE int access(const char *path, int mode)
{
    return access_at(AT_FDCWD, path, mode, 0);
}

INTERPOSE int faccessat(int dirfd, const char *path, int mode, int flags)
{
    return access_at(dirfd, path, mode, flags);
}

#ifdef __GLIBC__
INTERPOSE int euidaccess(const char *path, int mode)
{
    return access_at(AT_FDCWD, path, mode, AT_EACCESS);
}
SAME_AS(euidaccess, eaccess);
#endif

/* ---- Links ------------------------------------------------------------------------------------- */

static ssize_t answer_text(char *buffer, size_t size, const char *text)
{
    size_t length = strlen(text) < size ? strlen(text) : size;
    memcpy(buffer, text, length);
    return (ssize_t)length;
}

/* A link into the tree, as /proc/self/cwd may be one, shows the program's name. There is no NUL in the buffer. */
static ssize_t without_tree(char *buffer, ssize_t length)
{
    char tree[ROUTE_PATH];

    if (!registry || length <= 0 || buffer[0] != '/' || !in_tree("", 0, tree))
        return length;
    size_t prefix = strlen(tree);
    if ((size_t)length <= prefix || memcmp(buffer, tree, prefix) != 0 || buffer[prefix] != '/')
        return length;
    memmove(buffer, buffer + prefix, (size_t)length - prefix);
    return length - (ssize_t)prefix;
}

/* /proc/self/fd/N of a device: the kernel would name its carrier. */
static bool name_of_descriptor(const char *path, struct route *found)
{
    int fd = may_be_routed(AT_FDCWD, path) && strncmp(path, "/dev/std", 8) != 0 ? descriptor_named(path) : -1;
    const struct carrier *carrier = fd >= 0 ? carrier_of(fd) : NULL;
    return carrier && to_carrier(carrier, fd, found);
}

INTERPOSE ssize_t readlinkat(int dirfd, const char *restrict path, char *restrict buffer, size_t size)
{
    struct route found;

    if (name_of_descriptor(path, &found))
        return answer_text(buffer, size, found.name);
    if (route(dirfd, path, NOFOLLOW, &found) == ROUTE_REAL) {
        ssize_t length = real.readlinkat(dirfd, path, buffer, size);
        if (text_leads_to_carrier(dirfd, path, buffer, length, &found))
            return answer_text(buffer, size, found.name);
        if (length >= 0 || !look_again(dirfd, path, NOFOLLOW, &found))
            return without_tree(buffer, length);
    }
    const char *at = place_at(&found, path);
    return at ? real.readlinkat(dirfd, at, buffer, size) : -1;
}

INTERPOSE ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    return readlinkat(AT_FDCWD, path, buffer, size);
}

#ifdef __GLIBC__
INTERPOSE ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room);
ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room)
        __chk_fail();
    return readlink(path, buffer, size);
}

INTERPOSE ssize_t __readlinkat_chk(int dirfd, const char *path, char *buffer, size_t size, size_t room);
ssize_t __readlinkat_chk(int dirfd, const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room)
        __chk_fail();
    return readlinkat(dirfd, path, buffer, size);
}
#endif

/* ---- realpath ---------------------------------------------------------------------------------- */

/* realpath(3): where resolved is NULL the answer is malloc's. */
static char *give(const char *name, char *resolved)
{
    return resolved ? memcpy(resolved, name, strlen(name) + 1) : strdup(name);
}

static char *realpath_as_routed(const struct route *found, const char *path, char *resolved)
{
    struct stat status;
    const char *at = place_of(found, path);

    if (!at)
        return NULL;
    if (found->kind != ROUTE_DEVICE && found->kind != ROUTE_TREE)
        return real.realpath(at, resolved);
    return libc_fstatat(AT_FDCWD, at, &status, 0) == 0 ? give(found->name, resolved) : NULL;
}

/* Whether links have led to something real that is hidden, or in whose place something is plugged. */
static bool is_shadowed(const char *path, const char *answer, struct route *found)
{
    struct stat status;
    int before = errno;
    bool is = registry && (registry->flags & REGISTRY_SHADOWS) && libc_fstatat(AT_FDCWD, answer, &status, 0) == 0
              && may_shadow(status.st_dev) && route_fully(AT_FDCWD, path, FOLLOW, found) != ROUTE_REAL;

    errno = before;
    return is;
}

INTERPOSE char *realpath(const char *restrict path, char *restrict resolved)
{
    struct route found;

    if (route(AT_FDCWD, path, FOLLOW, &found) == ROUTE_REAL) {
        char *answer = real.realpath(path, resolved);
        struct stat status;
        if (registry && libc_fstatat(AT_FDCWD, path, &status, 0) == 0 && leads_to_carrier(AT_FDCWD, path, &status, &found)) {
            if (answer != resolved)
                free(answer);
            return give(found.name, resolved);
        }
        if (answer && is_shadowed(path, answer, &found)) {
            if (answer != resolved)
                free(answer);
        } else if (answer || !look_again(AT_FDCWD, path, FOLLOW, &found)) {
            return answer;
        }
    }
    return realpath_as_routed(&found, path, resolved);
}

#ifdef __GLIBC__
INTERPOSE char *canonicalize_file_name(const char *path)
{
    return realpath(path, NULL);
}

INTERPOSE char *__realpath_chk(const char *path, char *resolved, size_t room);
char *__realpath_chk(const char *path, char *resolved, size_t room)
{
    if (room < PATH_MAX)
        __chk_fail();
    return realpath(path, resolved);
}
#endif

/* ---- The working directory --------------------------------------------------------------------- */

INTERPOSE int chdir(const char *path)
{
    struct route found;
    int result = -1;

    START_ONCE();
    if (registry && !cwd_known)
        look_at_cwd(); /* before: a vfork child's chdir is not its parent's */
    if (route(AT_FDCWD, path, FOLLOW, &found) == ROUTE_REAL)
        result = real.chdir(path);
    if (result < 0 && (found.kind != ROUTE_REAL || look_again(AT_FDCWD, path, FOLLOW, &found))) {
        const char *at = place_of(&found, path);
        result = at ? real.chdir(at) : -1;
    }
    if (result == 0)
        look_at_cwd();
    return result;
}

INTERPOSE int fchdir(int fd)
{
    START_ONCE();
    if (registry && !cwd_known)
        look_at_cwd();
    int result = real.fchdir(fd);
    if (result == 0)
        look_at_cwd();
    return result;
}

static char *cut_tree(char *path)
{
    size_t prefix = path && registry ? tree_prefix(path) : 0;

    if (prefix && path[prefix])
        memmove(path, path + prefix, strlen(path + prefix) + 1);
    return path;
}

INTERPOSE char *getcwd(char *buffer, size_t size)
{
    START_ONCE();
    return cut_tree(real.getcwd(buffer, size));
}

INTERPOSE char *get_current_dir_name(void)
{
    START_ONCE();
    return cut_tree(LATE(get_current_dir_name)());
}

#ifdef __GLIBC__
INTERPOSE char *__getcwd_chk(char *buffer, size_t size, size_t room);
char *__getcwd_chk(char *buffer, size_t size, size_t room)
{
    if (size > room)
        __chk_fail();
    return getcwd(buffer, size);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
INTERPOSE char *getwd(char *buffer)
{
    char *answer;

    START_ONCE();
    answer = LATE(getwd)(buffer);
    return answer ? cut_tree(answer) : NULL;
}

INTERPOSE char *__getwd_chk(char *buffer, size_t room);
char *__getwd_chk(char *buffer, size_t room)
{
    char *answer = getwd(buffer);
    if (answer && strlen(answer) >= room)
        __chk_fail();
    return answer;
}
#endif
