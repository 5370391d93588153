/* supervise_changes.c: caught calls that make, move or remove names, or change what is known of one: mkdir, rename, chmod,
 * utimensat and their kin. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "paths.h"
#include "supervise.h"
#include "wrap_attributes.h"
#include "wrap_syscall.h"

#ifdef SUPERVISES

enum {
    NONE = -1,
    HERE = -1,    /* names without a slash in front start from the working directory */
    AS_IT_IS = -2 /* no name, but a link's text */
};

/* Which of a call's arguments are a directory and the name in it. */
struct place_of_name {
    int directory, name;
    bool follows;
};

/* What a call's arguments are. */
struct shape {
    long number;
    struct place_of_name first, second;
    int flags;           /* which argument may say that a link is followed, or is not */
    int flag;            /* by which bit */
    int data, data_size; /* which one leads to so many bytes more, or to nothing */
};

#define ONE(place, named, follow)  .first = { place, named, follow }, .second.name = NONE
#define TWO(place, named, place2, named2) .first = { place, named, false }, .second = { place2, named2, false }
#define PLAIN .flags = NONE, .data = NONE

static const struct shape shapes[] = {
#ifdef SYS_chmod
    { SYS_chmod, ONE(HERE, 0, true), PLAIN },
    { SYS_chown, ONE(HERE, 0, true), PLAIN },
    { SYS_lchown, ONE(HERE, 0, false), PLAIN },
    { SYS_mkdir, ONE(HERE, 0, false), PLAIN },
    { SYS_mknod, ONE(HERE, 0, false), PLAIN },
    { SYS_unlink, ONE(HERE, 0, false), PLAIN },
    { SYS_rmdir, ONE(HERE, 0, false), PLAIN },
    { SYS_rename, TWO(HERE, 0, HERE, 1), PLAIN },
    { SYS_link, TWO(HERE, 0, HERE, 1), PLAIN },
    { SYS_symlink, TWO(AS_IT_IS, 0, HERE, 1), PLAIN },
    { SYS_utime, ONE(HERE, 0, true), .flags = NONE, .data = 1, .data_size = 2 * sizeof(long) },
    { SYS_utimes, ONE(HERE, 0, true), .flags = NONE, .data = 1, .data_size = 4 * sizeof(long) },
    { SYS_futimesat, ONE(0, 1, true), .flags = NONE, .data = 2, .data_size = 4 * sizeof(long) },
#endif
#ifdef SYS_renameat
    { SYS_renameat, TWO(0, 1, 2, 3), PLAIN },
#endif
    { SYS_renameat2, TWO(0, 1, 2, 3), PLAIN },
    { SYS_symlinkat, TWO(AS_IT_IS, 0, 1, 2), PLAIN },
    { SYS_linkat, TWO(0, 1, 2, 3), .flags = 4, .flag = AT_SYMLINK_FOLLOW, .data = NONE },
    { SYS_mkdirat, ONE(0, 1, false), PLAIN },
    { SYS_mknodat, ONE(0, 1, false), PLAIN },
    { SYS_unlinkat, ONE(0, 1, false), PLAIN },
    { SYS_fchmodat, ONE(0, 1, true), PLAIN },
    { SYS_fchmodat2, ONE(0, 1, true), .flags = 3, .flag = AT_SYMLINK_NOFOLLOW, .data = NONE },
    { SYS_fchownat, ONE(0, 1, true), .flags = 4, .flag = AT_SYMLINK_NOFOLLOW, .data = NONE },
    { SYS_utimensat, ONE(0, 1, true), .flags = 3, .flag = AT_SYMLINK_NOFOLLOW, .data = 2, .data_size = 4 * sizeof(long) },
    { SYS_truncate, ONE(HERE, 0, true), PLAIN },
};

static const struct shape *shape_of(long number)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].number == number)
            return &shapes[i];
    return NULL;
}

/* Put an absolute name of ours into a call's arguments. True where it is one that the kernel would not find. */
static bool name_place(struct caught *call, const struct place_of_name *place, bool follows, char *name, long arguments[6])
{
    struct route found;
    int dirfd = place->directory < 0 ? AT_FDCWD : (int)call->arguments[place->directory];

    if (place->name == NONE)
        return false;
    uintptr_t at = (uintptr_t)call->arguments[place->name];
    bool known = place->directory == AS_IT_IS ? read_name(at, name) : name_for(call, dirfd, at, name);
    arguments[place->name] = known ? (long)name : 0;
    if (!known || place->directory == AS_IT_IS)
        return false;
    if (place->directory != HERE)
        arguments[place->directory] = AT_FDCWD;
    return route_fully(AT_FDCWD, name, follows ? FOLLOW : NOFOLLOW, &found) != ROUTE_REAL || call->elsewhere;
}

int64_t call_on_changes(struct caught *call)
{
    const struct shape *shape = shape_of(call->number);
    char first[ROUTE_PATH], second[ROUTE_PATH];
    long arguments[6], data[4];

    if (!shape)
        return LEAVE;
    for (int i = 0; i < 6; i++)
        arguments[i] = (long)call->arguments[i];
    bool flagged = shape->flags != NONE && arguments[shape->flags] & shape->flag;
    bool ours = name_place(call, &shape->first, shape->first.follows != flagged, first, arguments);
    ours |= name_place(call, &shape->second, false, second, arguments);
    if (!ours || has_other_root(call))
        return LEAVE;
    if (!arguments[shape->first.name] || (shape->second.name != NONE && !arguments[shape->second.name]))
        return LEAVE; /* the kernel says what is wrong with a name */
    if (shape->data != NONE && arguments[shape->data]) {
        if (!copy_from_remote(data, (uintptr_t)arguments[shape->data], (size_t)shape->data_size))
            return -EFAULT;
        arguments[shape->data] = (long)data;
    }
    long result = call_by_number(call->number, arguments);
    return result < 0 ? -errno : result;
}
#endif
