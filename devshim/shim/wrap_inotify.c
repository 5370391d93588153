/* wrap_inotify.c: inotify(7). What is plugged in a real directory lies in the run's tree, so such a directory is watched
 * in both places, and what happens in the tree is told under the real one's number. Only the descriptors that have such
 * a second watch are looked at when they are read. */
#include "wrap_inotify.h"

#include <errno.h>
#include <string.h>

#include "calls.h"
#include "connection.h"
#include "paths.h"

enum { SECOND_WATCHES = 64 };

bool may_watch;
static unsigned second_watches;

static struct second {
    int fd; /* + 1; 0: free. Taken by compare-and-swap; -1: is being entered */
    int told, tree; /* watch descriptors: the program's, and that in the tree */
} seconds[SECOND_WATCHES];

static void remember(int fd, int told, int tree)
{
    for (int i = 0; i < SECOND_WATCHES; i++) {
        int nobody = 0;
        if (seconds[i].fd == fd + 1 && seconds[i].told == told && seconds[i].tree == tree)
            return;
        if (__atomic_compare_exchange_n(&seconds[i].fd, &nobody, -1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            seconds[i].told = told;
            seconds[i].tree = tree;
            __atomic_store_n(&seconds[i].fd, fd + 1, __ATOMIC_RELEASE);
            __atomic_fetch_add(&second_watches, 1, __ATOMIC_RELEASE);
            return;
        }
    }
}

static void forget(struct second *second)
{
    __atomic_store_n(&second->fd, 0, __ATOMIC_RELEASE);
    __atomic_fetch_sub(&second_watches, 1, __ATOMIC_RELEASE);
}

/* A number has been given to a new inotify descriptor: what is known of an older one is void. */
static int fresh(int fd)
{
    may_watch = true;
    for (int i = 0; second_watches && i < SECOND_WATCHES; i++)
        if (fd >= 0 && seconds[i].fd == fd + 1)
            forget(&seconds[i]);
    return fd;
}

INTERPOSE int inotify_init(void)
{
    return fresh(LATE(inotify_init)());
}

INTERPOSE int inotify_init1(int flags)
{
    return fresh(LATE(inotify_init1)(flags));
}

static int watch_both(int fd, const struct route *found, uint32_t mask)
{
    char tree[ROUTE_PATH];
    const struct node *node = find_node(found->path, strlen(found->path));
    bool ours = in_tree(found->path, strlen(found->path), tree);
    int before = errno;

    may_watch = true; /* it may have been inherited */
    if (ours && node && node->kind == NODE_MASKED)
        return LATE(inotify_add_watch)(fd, tree, mask);
    int told = LATE(inotify_add_watch)(fd, found->path, mask);
    if (told >= 0 && ours) {
        int second = LATE(inotify_add_watch)(fd, tree, mask);
        if (second >= 0)
            remember(fd, told, second);
        errno = before;
    }
    return told;
}

INTERPOSE int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    struct route found;
    const char *at = place(AT_FDCWD, path, mask & IN_DONT_FOLLOW ? NOFOLLOW : FOLLOW, &found);
    if (at && found.kind != ROUTE_REAL && (mask & (IN_OPEN | IN_CLOSE)) && !in_borrowed_memory())
        tell_watch();
    if (at && found.kind == ROUTE_MERGED)
        return watch_both(fd, &found, mask);
    return at ? LATE(inotify_add_watch)(fd, at, mask) : -1;
}

INTERPOSE int inotify_rm_watch(int fd, int wd)
{
    int before = errno;

    for (int i = 0; second_watches && i < SECOND_WATCHES; i++)
        if (seconds[i].fd == fd + 1 && seconds[i].told == wd) {
            LATE(inotify_rm_watch)(fd, seconds[i].tree);
            forget(&seconds[i]);
        }
    errno = before;
    return LATE(inotify_rm_watch)(fd, wd);
}

/* A number may be something else's by now. */
static bool is_inotify(int fd)
{
    static const char kind[] = "anon_inode:inotify";
    char link[sizeof "/proc/self/fd/" + 10] = "/proc/self/fd/", text[sizeof kind];
    char digits[10];
    size_t at = sizeof "/proc/self/fd/" - 1, count = 0;
    int before = errno;

    do
        digits[count++] = (char)('0' + fd % 10);
    while (fd /= 10);
    while (count)
        link[at++] = digits[--count];
    link[at] = '\0';
    ssize_t length = real.readlinkat(AT_FDCWD, link, text, sizeof text);
    errno = before;
    return length == (ssize_t)sizeof kind - 1 && memcmp(text, kind, sizeof kind - 1) == 0;
}

static int told_instead_of(int fd, int wd)
{
    for (int i = 0; i < SECOND_WATCHES; i++)
        if (seconds[i].fd == fd + 1 && seconds[i].tree == wd)
            return seconds[i].told;
    return wd;
}

static bool has_second(int fd)
{
    for (int i = 0; i < SECOND_WATCHES; i++)
        if (__atomic_load_n(&seconds[i].fd, __ATOMIC_ACQUIRE) == fd + 1)
            return is_inotify(fd);
    return false;
}

/* Looked at behind the read: a watch may have come while that waited. */
ssize_t read_watches(int fd, void *buf, size_t size)
{
    ssize_t got = real.read(fd, buf, size);
    bool concerns = got > 0 && second_watches && has_second(fd);

    for (ssize_t at = 0; concerns && at + (ssize_t)sizeof(struct inotify_event) <= got;) {
        struct inotify_event *event = (struct inotify_event *)((char *)buf + at);
        event->wd = told_instead_of(fd, event->wd);
        at += (ssize_t)(sizeof *event + event->len);
    }
    return got;
}
