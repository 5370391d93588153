/* walks.c: says what fts(3) finds, in ways that differ by option and wish. walks FOLDER... (relative) */
#define _GNU_SOURCE
#include <sys/types.h>
#include <fts.h>
#include <sys/stat.h>

#include "check.h"

static int by_name(const FTSENT **one, const FTSENT **other)
{
    return strcmp((*one)->fts_name, (*other)->fts_name);
}

static void tell(const FTSENT *entry)
{
    printf("found %d %d %s %s %d %d %s", entry->fts_info, entry->fts_level, entry->fts_name, entry->fts_path,
           entry->fts_pathlen, entry->fts_namelen, entry->fts_parent->fts_name);
    if (entry->fts_info == FTS_DC)
        printf(" circle to %s", entry->fts_cycle->fts_name);
    if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR)
        printf(" %s", strerror(entry->fts_errno));
    if (entry->fts_info == FTS_D)
        CHECK(S_ISDIR(entry->fts_statp->st_mode));
    putchar('\n');
}

static void walk(char **paths, int options, int wishes)
{
    FTS *walk = fts_open(paths, options | FTS_NOCHDIR, by_name);
    int again = 0;

    CHECK(walk);
    for (FTSENT *child = wishes ? fts_children(walk, 0) : NULL; child; child = child->fts_link)
        printf("root %d %s\n", child->fts_info, child->fts_name); /* paths are libc's own business so far */
    for (FTSENT *entry; (entry = fts_read(walk));) {
        tell(entry);
        if (!wishes || entry->fts_info == FTS_DP)
            continue;
        if (strcmp(entry->fts_name, "skipped") == 0)
            fts_set(walk, entry, FTS_SKIP);
        if (strcmp(entry->fts_name, "link") == 0 && entry->fts_info == FTS_SL)
            fts_set(walk, entry, FTS_FOLLOW);
        if (strcmp(entry->fts_name, "a") == 0 && !again++)
            fts_set(walk, entry, FTS_AGAIN);
        if (entry->fts_info != FTS_D || strcmp(entry->fts_name, "sub") != 0)
            continue;
        for (FTSENT *child = fts_children(walk, wishes == 2 ? FTS_NAMEONLY : 0); child; child = child->fts_link) {
            printf("child %d %s %d\n", wishes == 2 ? 0 : child->fts_info, child->fts_name, child->fts_pathlen);
            if (strcmp(child->fts_name, "unwanted") == 0 && wishes == 1)
                fts_set(walk, child, FTS_SKIP);
        }
    }
    CHECK(errno == 0 && fts_close(walk) == 0);
}

/* Who asks for what is in a directory that cannot be read hears of it again when it is the directory's turn. */
static void vanished(char **paths)
{
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    CHECK(walk);
    for (FTSENT *entry; (entry = fts_read(walk));) {
        tell(entry);
        if (strcmp(entry->fts_name, "empty") == 0 && entry->fts_info == FTS_D)
            CHECK(rmdir(entry->fts_path) == 0 && !fts_children(walk, 0) && errno == ENOENT);
    }
    CHECK(fts_close(walk) == 0);
}

int main(int argc, char **argv)
{
    static const int options[] = { FTS_PHYSICAL, FTS_LOGICAL, FTS_PHYSICAL | FTS_COMFOLLOW, FTS_PHYSICAL | FTS_SEEDOT,
                                   FTS_PHYSICAL | FTS_XDEV };
    CHECK(argc > 1);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (int wishes = 0; wishes < 3; wishes++)
            walk(argv + 1, options[i], wishes);
    FTS *early = fts_open(argv + 1, FTS_PHYSICAL, NULL);
    CHECK(early && fts_read(early) && fts_read(early) && fts_close(early) == 0);
    char *nothing[] = { argv[1], "", NULL };
    CHECK(!fts_open(nothing, FTS_PHYSICAL, NULL) && errno == ENOENT);
    CHECK(!fts_open(argv + 1, 1 << 30, NULL) && errno == EINVAL);
    vanished(argv + 1);
    return 0;
}
