/* supervise_watches.c: caught calls on inotify descriptors. A directory with plugged nodes is watched in two places, as
 * wrap_inotify.c does it in the program, and what happens in the tree is told under the number that the caller has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "paths.h"
#include "supervise.h"

#ifdef SUPERVISES

enum { MOST_SECONDS = 256 };

static struct second {
    pid_t process; /* 0: free; written last */
    int fd, told, tree;
} seconds[MOST_SECONDS];
static int seconds_made; /* none: no read is looked at */

static struct second *second_of(pid_t process, int fd, int told)
{
    for (int i = 0; i < MOST_SECONDS; i++)
        if (__atomic_load_n(&seconds[i].process, __ATOMIC_ACQUIRE) == process && seconds[i].fd == fd
            && (told < 0 || seconds[i].told == told))
            return &seconds[i];
    return NULL;
}

/* The oldest are forgotten. Only who has the seat comes here, or one whom it was taken from: adding is atomic. */
static void remember(pid_t process, int fd, int told, int tree)
{
    struct second *second = second_of(process, fd, told);

    if (!second)
        second = &seconds[(unsigned)__atomic_fetch_add(&seconds_made, 1, __ATOMIC_RELAXED) % MOST_SECONDS];
    __atomic_store_n(&second->process, 0, __ATOMIC_RELEASE);
    second->fd = fd;
    second->told = told;
    second->tree = tree;
    __atomic_store_n(&second->process, process, __ATOMIC_RELEASE);
}

static int64_t watch_both(struct caught *call, int fd, const struct route *found)
{
    uint32_t mask = (uint32_t)call->arguments[2];
    char tree[ROUTE_PATH];
    long told = real.syscall(SYS_inotify_add_watch, fd, found->path, mask);

    if (told < 0)
        return -errno;
    if (in_tree(found->path, strlen(found->path), tree)) {
        long second = real.syscall(SYS_inotify_add_watch, fd, tree, mask);
        if (second >= 0)
            remember(call->process, (int)call->arguments[0], (int)told, (int)second);
    }
    return told;
}

static int64_t add_watch(struct caught *call)
{
    char name[ROUTE_PATH];
    struct route found;
    const struct carrier *carrier;
    int follow = call->arguments[2] & IN_DONT_FOLLOW ? NOFOLLOW : FOLLOW;

    if (!name_for(call, AT_FDCWD, (uintptr_t)call->arguments[1], name) || has_other_root(call)
        || (route_fully(AT_FDCWD, name, follow, &found) == ROUTE_REAL && !call->elsewhere))
        return LEAVE;
    int fd = borrow(call, (int)call->arguments[0], &carrier);
    if (fd < 0)
        return LEAVE;
    const char *at = place_of(&found, name);
    int64_t answer = -errno;
    if (found.kind == ROUTE_MERGED)
        answer = watch_both(call, fd, &found);
    else if (at) {
        long watch = real.syscall(SYS_inotify_add_watch, fd, at, (uint32_t)call->arguments[2]);
        answer = watch < 0 ? -errno : watch;
    }
    close_loan(fd);
    return answer;
}

static int64_t remove_watch(struct caught *call)
{
    struct second *second = second_of(call->process, (int)call->arguments[0], (int)call->arguments[1]);
    const struct carrier *carrier;
    int fd = second ? borrow(call, (int)call->arguments[0], &carrier) : -1;

    if (fd >= 0)
        real.syscall(SYS_inotify_rm_watch, fd, second->tree);
    if (second)
        __atomic_store_n(&second->process, 0, __ATOMIC_RELEASE);
    close_loan(fd);
    return LEAVE;
}

static bool is_inotify(int fd)
{
    static const char kind[] = "anon_inode:inotify";
    char link[40], text[ROUTE_PATH];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return read_link(link, text) && strcmp(text, kind) == 0;
}

static int told_instead_of(pid_t process, int fd, int wd)
{
    for (int i = 0; i < MOST_SECONDS; i++)
        if (seconds[i].process == process && seconds[i].fd == fd && seconds[i].tree == wd)
            return seconds[i].told;
    return wd;
}

static int64_t read_events(struct caught *call, int fd)
{
    enum { MOST = 1 << 20 };
    size_t size = call->arguments[2] < MOST ? (size_t)call->arguments[2] : MOST;
    char *data = room_for(call, size);

    if (!data)
        return -ENOMEM;
    others_take_over();
    ssize_t got = real.syscall(SYS_read, fd, data, size);
    if (got < 0)
        return -errno;
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= got;) {
        struct inotify_event *event = (struct inotify_event *)(data + at);
        event->wd = told_instead_of(call->process, (int)call->arguments[0], event->wd);
        at += (ssize_t)(sizeof *event + event->len);
    }
    return copy_to_remote((uintptr_t)call->arguments[1], data, (size_t)got) ? got : -EFAULT;
}

static int64_t read_watches_for(struct caught *call)
{
    const struct carrier *carrier;

    if (!__atomic_load_n(&seconds_made, __ATOMIC_RELAXED) || !second_of(call->process, (int)call->arguments[0], -1))
        return LEAVE;
    int fd = borrow(call, (int)call->arguments[0], &carrier);
    int64_t answer = fd >= 0 && is_inotify(fd) ? read_events(call, fd) : LEAVE; /* a number may be another file's by now */
    close_loan(fd);
    return answer;
}

int64_t call_on_watch(struct caught *call)
{
    switch (call->number) {
    case SYS_inotify_add_watch:
        return add_watch(call);
    case SYS_inotify_rm_watch:
        return remove_watch(call);
    case SYS_read:
        return read_watches_for(call);
    }
    return LEAVE;
}
#endif
