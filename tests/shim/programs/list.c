/* list: lists a directory in one way or another, one entry a line: type, inode number, name.
 *
 * list HOW DIRECTORY, where HOW is a function's name */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void show(unsigned type, unsigned long inode, const char *name)
{
    printf("%u %lu %s\n", type, inode, name);
}

static DIR *open_or_die(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) {
        perror(path);
        exit(1);
    }
    return directory;
}

static void by_readdir(const char *path)
{
    DIR *directory = open_or_die(path);
    errno = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        show(entry->d_type, entry->d_ino, entry->d_name);
    if (errno || closedir(directory) < 0)
        perror("readdir");
}

static void by_readdir64(const char *path)
{
    DIR *directory = open_or_die(path);
    for (struct dirent64 *entry; (entry = readdir64(directory));)
        show(entry->d_type, entry->d_ino, entry->d_name);
    closedir(directory);
}

static void by_fdopendir(const char *path)
{
    int fd = open(path, O_RDONLY);
    DIR *directory = fdopendir(dup(fd));
    for (struct dirent *entry; (entry = readdir(directory));)
        show(entry->d_type, entry->d_ino, entry->d_name);
    closedir(directory);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void by_readdir_r(const char *path)
{
    DIR *directory = open_or_die(path);
    struct dirent entry, *result;
    while (readdir_r(directory, &entry, &result) == 0 && result)
        show(entry.d_type, entry.d_ino, entry.d_name);
    closedir(directory);
}

/* Each entry after a seekdir to where it is. */
static void by_seekdir(const char *path)
{
    DIR *directory = open_or_die(path);
    long position = telldir(directory);
    for (;;) {
        seekdir(directory, position);
        struct dirent *entry = readdir(directory);
        if (!entry)
            break;
        show(entry->d_type, entry->d_ino, entry->d_name);
        position = telldir(directory);
        readdir(directory);
    }
    closedir(directory);
}

static void by_rewinddir(const char *path)
{
    DIR *directory = open_or_die(path);
    while (readdir(directory))
        ;
    rewinddir(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        show(entry->d_type, entry->d_ino, entry->d_name);
    closedir(directory);
}

static void by_scandir(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        show(entries[i]->d_type, entries[i]->d_ino, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* The room of a call is small, so that the two parts of a listing meet in many ways. */
static void by_getdents64(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    char buffer[96] __attribute__((aligned(8)));
    ssize_t length;
    while ((length = getdents64(fd, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < length;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            show(entry->d_type, entry->d_ino, entry->d_name);
            at += entry->d_reclen;
        }
    if (length < 0)
        perror("getdents64");
    close(fd);
}

static void by_glob(const char *path)
{
    glob_t found;
    if (chdir(path) == 0 && glob("*", GLOB_PERIOD, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            show(0, 0, found.gl_pathv[i]);
        globfree(&found);
    }
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)where;
    show((unsigned)type, status->st_rdev, path);
    return 0;
}

static int visit_old(const char *path, const struct stat *status, int type)
{
    show((unsigned)type, status->st_rdev, path);
    return 0;
}

static void by_nftw(const char *path)
{
    nftw(path, visit, 10, FTW_PHYS);
}

static void by_nftw_chdir(const char *path)
{
    nftw(path, visit, 10, FTW_PHYS | FTW_CHDIR | FTW_DEPTH);
}

static void by_ftw(const char *path)
{
    ftw(path, visit_old, 10);
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        void (*list)(const char *);
    } ways[] = { { "readdir", by_readdir },       { "readdir64", by_readdir64 }, { "readdir_r", by_readdir_r },
                 { "fdopendir", by_fdopendir },   { "seekdir", by_seekdir },     { "rewinddir", by_rewinddir },
                 { "scandir", by_scandir },       { "getdents64", by_getdents64 }, { "glob", by_glob },
                 { "nftw", by_nftw },             { "nftw-chdir", by_nftw_chdir }, { "ftw", by_ftw } };

    for (size_t i = 0; count == 3 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, words[1]) == 0) {
            ways[i].list(words[2]);
            return 0;
        }
    fprintf(stderr, "usage: list HOW DIRECTORY\n");
    return 2;
}
