/* wrap_fts.c: fts(3). libc's own never calls an exported opendir; where plugged nodes may lie below one of the paths, the
 * walk is done here on ours. It never changes the working directory: fts_accpath is the whole path. */
#include <errno.h>
#include <fts.h>
#include <string.h>

#include "interposed.h"
#include "paths.h"

enum { WALKED_HERE = 1 << 20 }; /* in fts_options, above all that libc uses */

typedef int (*comparer)(const FTSENT **, const FTSENT **);

static bool is_dot(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* ---- Entries ------------------------------------------------------------------------------------------ */

/* One piece of memory: the entry with its name, what stat() says of it, and its path. NULL with ENOMEM. */
static FTSENT *new_entry(FTSENT *parent, const char *folder, const char *name)
{
    size_t before = strlen(folder), length = strlen(name);
    bool slash = before > 0 && folder[before - 1] != '/';
    size_t stat_at = (offsetof(FTSENT, fts_name) + length + sizeof(max_align_t)) & ~(sizeof(max_align_t) - 1);
    size_t path_at = stat_at + sizeof(struct stat);
    FTSENT *entry = calloc(1, path_at + before + slash + length + 1);

    if (!entry)
        return NULL;
    entry->fts_parent = parent;
    entry->fts_level = parent ? (short)(parent->fts_level + 1) : FTS_ROOTPARENTLEVEL;
    entry->fts_instr = FTS_NOINSTR;
    entry->fts_statp = (struct stat *)(void *)((char *)entry + stat_at);
    entry->fts_path = entry->fts_accpath = (char *)entry + path_at;
    memcpy(entry->fts_path, folder, before);
    if (slash)
        entry->fts_path[before] = '/';
    memcpy(entry->fts_path + before + slash, name, length + 1);
    entry->fts_pathlen = (unsigned short)(before + slash + length);
    memcpy(entry->fts_name, name, length + 1);
    entry->fts_namelen = (unsigned short)length;
    return entry;
}

static void free_list(FTSENT *entry)
{
    while (entry) {
        FTSENT *next = entry->fts_link;
        free(entry);
        entry = next;
    }
}

static unsigned short directory(FTSENT *entry)
{
    const struct stat *status = entry->fts_statp;

    if (entry->fts_level > FTS_ROOTLEVEL && is_dot(entry->fts_name))
        return FTS_DOT;
    for (FTSENT *above = entry->fts_parent; above && above->fts_level >= FTS_ROOTLEVEL; above = above->fts_parent)
        if (above->fts_ino == status->st_ino && above->fts_dev == status->st_dev) {
            entry->fts_cycle = above;
            return FTS_DC;
        }
    return FTS_D;
}

/* What an entry is: FTS_F and its kin. */
static unsigned short look_at(const FTS *walk, FTSENT *entry, bool follow)
{
    struct stat *status = entry->fts_statp;

    follow |= walk->fts_options & FTS_LOGICAL;
    if ((follow ? stat(entry->fts_path, status) : lstat(entry->fts_path, status)) < 0) {
        int error = errno;
        if (follow && lstat(entry->fts_path, status) == 0) {
            errno = 0;
            return FTS_SLNONE;
        }
        memset(status, 0, sizeof *status);
        entry->fts_errno = error;
        return FTS_NS;
    }
    entry->fts_dev = status->st_dev;
    entry->fts_ino = status->st_ino;
    entry->fts_nlink = status->st_nlink;
    if (S_ISDIR(status->st_mode))
        return directory(entry);
    return S_ISLNK(status->st_mode) ? FTS_SL : S_ISREG(status->st_mode) ? FTS_F : FTS_DEFAULT;
}

/* Entries in a list, sorted where that is wanted. */
static FTSENT *in_order(const FTS *walk, FTSENT *list, size_t count)
{
    FTSENT **all = walk->fts_compar && count > 1 ? malloc(count * sizeof *all) : NULL, **at = all;

    if (!all)
        return list;
    for (FTSENT *entry = list; entry; entry = entry->fts_link)
        *at++ = entry;
    qsort(all, count, sizeof *all, walk->fts_compar);
    for (size_t i = 0; i < count; i++)
        all[i]->fts_link = i + 1 < count ? all[i + 1] : NULL;
    list = all[0];
    free(all);
    return list;
}

static bool tells_enough(const FTS *walk, const struct dirent *entry)
{
    bool may_lead_on = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN
                       || (entry->d_type == DT_LNK && (walk->fts_options & FTS_LOGICAL));
    return (walk->fts_options & FTS_NAMEONLY) || ((walk->fts_options & FTS_NOSTAT) && !may_lead_on);
}

/* What a directory holds; NULL where it holds nothing, or cannot be read: then fts_info says so, where it is its turn. */
static FTSENT *children(FTS *walk, FTSENT *parent, bool entered)
{
    FTSENT *first = NULL, **end = &first;
    DIR *stream = opendir(parent->fts_path);
    size_t count = 0;
    struct dirent *found;

    if (!stream) {
        if (entered) {
            parent->fts_info = FTS_DNR;
            parent->fts_errno = errno;
        }
        return NULL;
    }
    while ((found = readdir(stream))) {
        if (!(walk->fts_options & FTS_SEEDOT) && is_dot(found->d_name))
            continue;
        FTSENT *entry = new_entry(parent, parent->fts_path, found->d_name);
        if (!entry) {
            closedir(stream);
            free_list(first);
            parent->fts_info = FTS_ERR;
            walk->fts_options |= FTS_STOP;
            errno = ENOMEM;
            return NULL;
        }
        entry->fts_info = tells_enough(walk, found) ? FTS_NSOK : look_at(walk, entry, false);
        *end = entry;
        end = &entry->fts_link;
        count++;
    }
    closedir(stream);
    return in_order(walk, first, count);
}

/* ---- The walk ----------------------------------------------------------------------------------------- */

/* Before the first entry: one whose link is the first root, and whose level says that there is none yet. */
static FTS *begin_walk(char *const *paths, int options, comparer compare)
{
    FTS *walk = calloc(1, sizeof *walk);
    FTSENT *above = walk ? new_entry(NULL, "", "") : NULL, *first = NULL, **end = &first;
    size_t count = 0;

    if (!above) {
        free(walk);
        return NULL;
    }
    walk->fts_options = options | WALKED_HERE;
    walk->fts_compar = (int (*)(const void *, const void *))compare;
    walk->fts_cur = above;
    above->fts_info = FTS_INIT;
    for (; *paths; paths++, count++) {
        FTSENT *root = **paths ? new_entry(above, "", *paths) : NULL;
        if (!root) {
            int error = **paths ? ENOMEM : ENOENT;
            above->fts_link = first;
            fts_close(walk);
            errno = error;
            return NULL;
        }
        root->fts_info = look_at(walk, root, options & FTS_COMFOLLOW);
        *end = root;
        end = &root->fts_link;
    }
    above->fts_link = in_order(walk, first, count);
    return walk;
}

static void drop_children(FTS *walk)
{
    free_list(walk->fts_child);
    walk->fts_child = NULL;
}

static FTSENT *followed(FTS *walk, FTSENT *entry)
{
    entry->fts_info = look_at(walk, entry, true);
    return walk->fts_cur = entry;
}

/* A root is named by all of its path until it is its turn. */
static void enter_root(FTS *walk, FTSENT *root)
{
    const char *last = root->fts_name[1] ? strrchr(root->fts_name, '/') : NULL;

    if (last) {
        root->fts_namelen = (unsigned short)strlen(last + 1);
        memmove(root->fts_name, last + 1, root->fts_namelen + 1u);
    }
    walk->fts_dev = root->fts_dev;
}

/* Behind an entry: the next beside it, or the directory above, for the second time. */
static FTSENT *after(FTS *walk, FTSENT *entry)
{
    for (;;) {
        FTSENT *next = entry->fts_link, *parent = entry->fts_parent;
        bool last = !next;
        if (entry->fts_level == FTS_ROOTPARENTLEVEL)
            entry->fts_link = NULL; /* it stays until its roots are done */
        else
            free(entry);
        if (last && (!parent || parent->fts_level == FTS_ROOTPARENTLEVEL)) {
            free(parent ? parent : entry);
            errno = 0;
            return walk->fts_cur = NULL;
        }
        if (last) {
            parent->fts_info = parent->fts_errno ? FTS_ERR : FTS_DP;
            return walk->fts_cur = parent;
        }
        entry = next;
        if (entry->fts_level == FTS_ROOTLEVEL)
            enter_root(walk, entry);
        int wish = entry->fts_instr;
        entry->fts_instr = wish == FTS_SKIP ? FTS_SKIP : FTS_NOINSTR;
        if (wish == FTS_FOLLOW)
            return followed(walk, entry);
        if (wish != FTS_SKIP)
            return walk->fts_cur = entry;
    }
}

static FTSENT *step(FTS *walk)
{
    FTSENT *entry = walk->fts_cur;
    int wish = entry->fts_instr;

    entry->fts_instr = FTS_NOINSTR;
    if (wish == FTS_AGAIN) {
        entry->fts_info = look_at(walk, entry, false);
        return entry;
    }
    if (wish == FTS_FOLLOW && (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE))
        return followed(walk, entry);
    if (entry->fts_info != FTS_D)
        return after(walk, entry);
    if (wish == FTS_SKIP || ((walk->fts_options & FTS_XDEV) && entry->fts_dev != walk->fts_dev)) {
        drop_children(walk);
        entry->fts_info = FTS_DP;
        return entry;
    }
    if (walk->fts_options & FTS_NAMEONLY) {
        walk->fts_options &= ~FTS_NAMEONLY;
        drop_children(walk);
    }
    FTSENT *first = walk->fts_child ? walk->fts_child : children(walk, entry, true);
    walk->fts_child = NULL;
    if (first)
        return walk->fts_cur = first;
    if (walk->fts_options & FTS_STOP)
        return NULL;
    if (entry->fts_info == FTS_D)
        entry->fts_info = FTS_DP;
    return entry;
}

/* ---- What programs call ------------------------------------------------------------------------------- */

/* Whether anything of ours can lie below one of these. */
static bool worth_walking(char *const *paths)
{
    char resolved[PATH_MAX];

    START_ONCE();
    for (; registry && *paths; paths++)
        if (realpath(*paths, resolved) && is_of_interest(resolved))
            return true;
    return false;
}

INTERPOSE FTS *fts_open(char *const *paths, int options, comparer compare)
{
    if ((options & ~FTS_OPTIONMASK) || !worth_walking(paths))
        return LATE(fts_open)(paths, options, compare);
    return begin_walk(paths, options, compare);
}
ALSO_CALLED(fts_open, fts64_open);

INTERPOSE FTSENT *fts_read(FTS *walk)
{
    if (!(walk->fts_options & WALKED_HERE))
        return LATE(fts_read)(walk);
    return walk->fts_cur && !(walk->fts_options & FTS_STOP) ? step(walk) : NULL;
}
ALSO_CALLED(fts_read, fts64_read);

INTERPOSE FTSENT *fts_children(FTS *walk, int wish)
{
    FTSENT *entry = walk->fts_cur;

    if (!(walk->fts_options & WALKED_HERE))
        return LATE(fts_children)(walk, wish);
    if (wish && wish != FTS_NAMEONLY) {
        errno = EINVAL;
        return NULL;
    }
    errno = 0;
    if (!entry || (walk->fts_options & FTS_STOP))
        return NULL;
    if (entry->fts_info == FTS_INIT)
        return entry->fts_link;
    if (entry->fts_info != FTS_D)
        return NULL;
    drop_children(walk);
    walk->fts_options = (walk->fts_options & ~FTS_NAMEONLY) | wish;
    return walk->fts_child = children(walk, entry, false);
}
ALSO_CALLED(fts_children, fts64_children);

INTERPOSE int fts_close(FTS *walk)
{
    if (!(walk->fts_options & WALKED_HERE))
        return LATE(fts_close)(walk);
    drop_children(walk);
    for (FTSENT *entry = walk->fts_cur; entry;) {
        FTSENT *parent = entry->fts_parent;
        free_list(entry);
        entry = parent;
    }
    free(walk);
    return 0;
}
ALSO_CALLED(fts_close, fts64_close);
