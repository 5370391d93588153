/* supervise_places.c: caught calls on where the caller is, and in which file system: chdir, getcwd, statfs and their kin.
 *
 * Nobody can change another process's working directory. Where that would be a directory of the run's tree, the caller gets
 * a descriptor of it at a high number, which its children inherit as they would the directory; names without a slash in
 * front start there. A child with the shim in it goes there for good (supervised.c). */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "handles.h"
#include "listing.h"
#include "paths.h"
#include "supervise.h"
#include "supervised.h"
#include "wrap_syscall.h"

#ifdef SUPERVISES

static bool anybody_moved; /* until then nobody's descriptors are looked at */

/* ---- The mark -------------------------------------------------------------------------------------- */

/* The caller's, as a descriptor of ours; -1: none. */
static int borrow_place(struct caught *call)
{
    const struct carrier *carrier;
    int fd = __atomic_load_n(&anybody_moved, __ATOMIC_RELAXED) ? borrow(call, PLACE_DESCRIPTOR, &carrier) : -1;

    if (fd >= 0 && real.fcntl(fd, F_GETSIG) != PLACE_SIGNAL) {
        close_loan(fd);
        return -1;
    }
    return fd;
}

bool working_place(struct caught *call, char *path)
{
    char link[40];
    int fd = borrow_place(call);

    if (fd < 0)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    bool known = read_link(link, path);
    close_loan(fd);
    size_t prefix = known ? tree_prefix(path) : 0;
    if (prefix)
        memmove(path, path + prefix, strlen(path + prefix) + 1);
    return known;
}

/* Put a descriptor of ours there, and close it here. */
static bool put_place(int fd)
{
    return add_to_remote(fd, PLACE_DESCRIPTOR, SECCOMP_ADDFD_FLAG_SETFD, false) >= 0;
}

/* Something that means nothing, because nobody can close it there. */
static void leave_place(struct caught *call)
{
    int fd = borrow_place(call);

    if (fd < 0)
        return;
    close_loan(fd);
    fd = (int)real.syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        put_place(fd);
}

/* Whether the number is the program's own. */
static bool place_is_taken(struct caught *call)
{
    const struct carrier *carrier;
    int fd = borrow(call, PLACE_DESCRIPTOR, &carrier);
    struct stat status;
    bool taken = fd >= 0 && real.fcntl(fd, F_GETSIG) != PLACE_SIGNAL
                 && !(real.syscall(SYS_fstat, fd, &status) == 0 && S_ISCHR(status.st_mode));

    close_loan(fd);
    return taken;
}

static int64_t enter(struct caught *call, const char *name)
{
    int fd = (int)call_by_number(SYS_openat, (long[6]){ AT_FDCWD, (long)name, O_RDONLY | O_DIRECTORY | O_CLOEXEC });

    if (fd < 0)
        return -errno;
    if (place_is_taken(call) || real.fcntl(fd, F_SETSIG, PLACE_SIGNAL) < 0) {
        close_loan(fd);
        return LEAVE;
    }
    __atomic_store_n(&anybody_moved, true, __ATOMIC_RELAXED);
    return put_place(fd) ? 0 : LEAVE; /* fewer descriptors are allowed */
}

/* ---- Working directories --------------------------------------------------------------------------- */

static int64_t change_directory(struct caught *call)
{
    char name[ROUTE_PATH];
    struct route found;

    if (!name_for(call, AT_FDCWD, (uintptr_t)call->arguments[0], name) || has_other_root(call))
        return LEAVE;
    enum route_kind kind = route_fully(AT_FDCWD, name, FOLLOW, &found);
    if (call->elsewhere || (kind != ROUTE_REAL && kind != ROUTE_MERGED))
        return enter(call, name);
    if (real.syscall(SYS_faccessat, AT_FDCWD, name, X_OK) == 0)
        leave_place(call);
    return LEAVE;
}

static int64_t tell_directory(struct caught *call)
{
    char path[ROUTE_PATH], link[40];
    bool ours = working_place(call, path);

    if (!ours) { /* or it came with the shim, and was the tree's when this was executed */
        snprintf(link, sizeof link, "/proc/%d/cwd", call->remote.thread);
        size_t prefix = read_link(link, path) ? tree_prefix(path) : 0;
        if (!prefix)
            return LEAVE;
        memmove(path, path + prefix, strlen(path + prefix) + 1);
    }
    size_t length = strlen(path) + 1;
    if (length > call->arguments[1])
        return -ERANGE;
    return copy_to_remote((uintptr_t)call->arguments[0], path, length) ? (int64_t)length : -EFAULT;
}

/* ---- File systems ---------------------------------------------------------------------------------- */

static int64_t tell_file_system(const struct caught *call, long number, long what)
{
    struct statfs answer;

    if (call_by_number(number, (long[6]){ what, (long)&answer }) < 0)
        return -errno;
    return copy_to_remote((uintptr_t)call->arguments[1], &answer, sizeof answer) ? 0 : -EFAULT;
}

static int64_t tell_of_descriptor(struct caught *call)
{
    char name[ROUTE_PATH];
    const struct carrier *carrier;
    int fd = borrow(call, (int)call->arguments[0], &carrier);
    bool ours = fd >= 0 && (carrier || directory_at(fd, name) != ROUTE_REAL);

    if (ours && !carrier)
        watch(fd);
    int64_t answer = ours ? tell_file_system(call, SYS_fstatfs, fd) : LEAVE;
    close_loan(fd);
    return answer;
}

int64_t call_on_whereabouts(struct caught *call)
{
    char name[ROUTE_PATH];
    struct route found;

    switch (call->number) {
    case SYS_chdir:
        return change_directory(call);
    case SYS_fchdir:
        leave_place(call);
        return LEAVE;
    case SYS_getcwd:
        return tell_directory(call);
    case SYS_fstatfs:
        return tell_of_descriptor(call);
    case SYS_statfs:
        if (!name_for(call, AT_FDCWD, (uintptr_t)call->arguments[0], name) || has_other_root(call)
            || (route_fully(AT_FDCWD, name, FOLLOW, &found) == ROUTE_REAL && !call->elsewhere))
            return LEAVE;
        return tell_file_system(call, SYS_statfs, (long)name);
    }
    return LEAVE;
}
#endif
