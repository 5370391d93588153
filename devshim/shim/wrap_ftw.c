/* wrap_ftw.c: ftw and nftw. libc's own never call an exported opendir; where plugged nodes may lie below, the walk is
 * done here on ours, with one directory open at a time. */
#include <errno.h>
#include <search.h>
#include <string.h>

#include "paths.h"

struct search {
    __nftw_func_t visit;
    __ftw_func_t visit_old; /* ftw's function: no struct FTW */
    int flags;
    int start;    /* where relative paths begin; AT_FDCWD unless FTW_CHDIR moves us */
    dev_t device; /* FTW_MOUNT: stay on this one */
    void *seen;   /* tsearch's tree of directories, so that links make no circles */
    char path[PATH_MAX];
};

struct place_seen {
    dev_t device;
    ino_t inode;
};

static int compare_places(const void *one, const void *other)
{
    const struct place_seen *a = one, *b = other;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* 1: a new one; 0: seen before; -1: ENOMEM. */
static int see(struct search *search, const struct stat *status)
{
    struct place_seen *key = malloc(sizeof *key);
    if (!key)
        return -1;
    *key = (struct place_seen){ status->st_dev, status->st_ino };
    struct place_seen **entry = tsearch(key, &search->seen, compare_places);
    if (entry && *entry == key)
        return 1;
    free(key);
    return entry ? 0 : -1;
}

static int visit(struct search *search, const struct stat *status, int type, int level, int base)
{
    static const int old_types[] = { [FTW_F] = FTW_F,  [FTW_D] = FTW_D,  [FTW_DNR] = FTW_DNR, [FTW_NS] = FTW_NS,
                                     [FTW_SL] = FTW_F, [FTW_DP] = FTW_D, [FTW_SLN] = FTW_NS };
    struct FTW where = { .base = base, .level = level };

    if (search->visit_old)
        return search->visit_old(search->path, status, old_types[type]);
    return search->visit(search->path, status, type, &where);
}

/* Go to the directory whose path has this length, for FTW_CHDIR. */
static int go_to(struct search *search, size_t length)
{
    if (!(search->flags & FTW_CHDIR))
        return 0;
    char saved = search->path[length];
    search->path[length] = '\0';
    int result = search->path[0] == '/' ? 0 : fchdir(search->start);
    if (result == 0 && length)
        result = chdir(search->path);
    search->path[length] = saved;
    return result;
}

static int search_at(struct search *search, int level, int base);

/* The entries of the directory at search->path. */
static int search_below(struct search *search, struct dirent **entries, int count, int level)
{
    size_t length = strlen(search->path);
    int result = go_to(search, length);
    size_t base = length && search->path[length - 1] == '/' ? length : length + 1;

    for (int i = 0; i < count && result == 0; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (base + strlen(name) >= sizeof search->path) {
            errno = ENAMETOOLONG;
            result = -1;
            break;
        }
        search->path[base - 1] = '/';
        memcpy(search->path + base, name, strlen(name) + 1);
        result = search_at(search, level + 1, (int)base);
        search->path[length] = '\0';
        if ((search->flags & FTW_ACTIONRETVAL) && result == FTW_SKIP_SUBTREE)
            result = 0;
    }
    if ((search->flags & FTW_ACTIONRETVAL) && result == FTW_SKIP_SIBLINGS)
        result = 0;
    return result;
}

static int search_directory(struct search *search, const struct stat *status, int level, int base)
{
    struct dirent **entries;
    int count = scandirat(search->start, search->path, &entries, NULL, NULL);

    if (count < 0)
        return errno == EACCES ? visit(search, status, FTW_DNR, level, base) : -1;
    int result = search->flags & FTW_DEPTH ? 0 : visit(search, status, FTW_D, level, base);
    if (result == 0)
        result = search_below(search, entries, count, level);
    while (count)
        free(entries[--count]);
    free(entries);
    if (result == 0 && (search->flags & FTW_CHDIR))
        result = go_to(search, base > 1 ? (size_t)base - 1 : (size_t)base);
    if (result == 0 && (search->flags & FTW_DEPTH))
        result = visit(search, status, FTW_DP, level, base);
    return result;
}

/* What lies at search->path, and below. */
static int search_at(struct search *search, int level, int base)
{
    struct stat status;
    bool physical = search->flags & FTW_PHYS;
    int type = FTW_F;

    if (fstatat(search->start, search->path, &status, physical ? AT_SYMLINK_NOFOLLOW : 0) < 0) {
        if (errno != EACCES && errno != ENOENT)
            return -1;
        bool link = !physical && fstatat(search->start, search->path, &status, AT_SYMLINK_NOFOLLOW) == 0
                    && S_ISLNK(status.st_mode);
        if (!link && level == 0)
            return -1;
        return visit(search, &status, link ? FTW_SLN : FTW_NS, level, base);
    }
    if (level == 0)
        search->device = status.st_dev;
    if (S_ISLNK(status.st_mode))
        type = FTW_SL;
    if (!S_ISDIR(status.st_mode))
        return visit(search, &status, type, level, base);
    if ((search->flags & FTW_MOUNT) && status.st_dev != search->device)
        return 0;
    int fresh = physical ? 1 : see(search, &status);
    return fresh <= 0 ? fresh : search_directory(search, &status, level, base);
}

static int search_from(const char *path, __nftw_func_t new, __ftw_func_t old, int flags)
{
    size_t length = strlen(path);
    if (length == 0 || length >= PATH_MAX) {
        errno = length ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    struct search *search = malloc(sizeof *search);
    if (!search)
        return -1;
    *search = (struct search){ .visit = new, .visit_old = old, .flags = flags, .start = AT_FDCWD };
    while (length > 1 && path[length - 1] == '/')
        length--;
    memcpy(search->path, path, length);
    const char *slash = memrchr(search->path, '/', length);
    int base = slash && length > 1 ? (int)(slash - search->path) + 1 : 0;

    int result = 0;
    if (flags & FTW_CHDIR) {
        search->start = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        result = search->start < 0 ? -1 : base ? go_to(search, (size_t)base) : 0;
    }
    if (result == 0)
        result = search_at(search, 0, base);
    if ((flags & FTW_ACTIONRETVAL) && (result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS))
        result = 0;

    int error = errno;
    if (search->start >= 0) {
        result |= fchdir(search->start);
        close(search->start);
    }
    tdestroy(search->seen, free);
    free(search);
    errno = error;
    return result;
}

/* Whether anything of ours can lie below. */
static bool is_worth_searching(const char *path)
{
    char resolved[PATH_MAX];

    START_ONCE();
    return registry && realpath(path, resolved) && is_of_interest(resolved);
}

INTERPOSE int nftw(const char *path, __nftw_func_t function, int descriptors, int flags)
{
    return is_worth_searching(path) ? search_from(path, function, NULL, flags)
                                    : LATE(nftw)(path, function, descriptors, flags);
}

INTERPOSE int ftw(const char *path, __ftw_func_t function, int descriptors)
{
    return is_worth_searching(path) ? search_from(path, NULL, function, 0)
                                    : LATE(ftw)(path, function, descriptors);
}

ALSO_CALLED(nftw, nftw64);
ALSO_CALLED(ftw, ftw64);
