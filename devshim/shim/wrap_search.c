/* wrap_search.c: scandir and glob. Inside libc they never call an exported opendir, so they are done here on ours. */
#include <errno.h>
#include <string.h>

#include "paths.h"

/* ---- scandir ----------------------------------------------------------------------------------- */

typedef int (*chooser)(const struct dirent *);
typedef int (*comparer)(const struct dirent **, const struct dirent **);

static void free_all(struct dirent **entries, size_t count)
{
    while (count)
        free(entries[--count]);
    free(entries);
}

static struct dirent *copy_of(const struct dirent *entry)
{
    struct dirent *copy = malloc(entry->d_reclen);
    return copy ? memcpy(copy, entry, entry->d_reclen) : NULL;
}

/* Add to a growing array. False with ENOMEM. */
static bool append(struct dirent ***entries, size_t *count, const struct dirent *entry)
{
    if ((*count & (*count + 1)) == 0) { /* 0, 1, 3, 7, ... are full */
        struct dirent **grown = realloc(*entries, 2 * (*count + 1) * sizeof **entries);
        if (!grown)
            return false;
        *entries = grown;
    }
    struct dirent *copy = copy_of(entry);
    if (copy)
        (*entries)[(*count)++] = copy;
    return copy;
}

/* Read all of a stream and close it. */
static int collect(DIR *directory, struct dirent ***answer, chooser choose, comparer compare)
{
    struct dirent **entries = NULL, *entry;
    size_t count = 0;
    int before = errno;

    if (!directory)
        return -1;
    errno = 0;
    while ((entry = readdir(directory))) {
        bool wanted = !choose || choose(entry);
        errno = 0; /* what the program's function did to it is no error of ours */
        if (wanted && !append(&entries, &count, entry))
            break;
    }
    int error = errno;
    closedir(directory);
    if (error) {
        free_all(entries, count);
        errno = error;
        return -1;
    }
    if (compare && count)
        qsort(entries, count, sizeof *entries, (int (*)(const void *, const void *))compare);
    errno = before;
    *answer = entries;
    return (int)count;
}

INTERPOSE int scandir(const char *restrict path, struct dirent ***restrict answer, chooser choose, comparer compare)
{
    return collect(opendir(path), answer, choose, compare);
}

static DIR *opendir_at(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !directory)
        close(fd);
    return directory;
}

INTERPOSE int scandirat(int dirfd, const char *restrict path, struct dirent ***restrict answer, chooser choose,
                        comparer compare)
{
    return collect(opendir_at(dirfd, path), answer, choose, compare);
}

ALSO_CALLED(scandir, scandir64);
ALSO_CALLED(scandirat, scandirat64);

/* ---- glob -------------------------------------------------------------------------------------- */

#ifdef GLOB_ALTDIRFUNC
static void *glob_opendir(const char *path)
{
    return opendir(path);
}

static struct dirent *glob_readdir(void *directory)
{
    return readdir(directory);
}

static void glob_closedir(void *directory)
{
    closedir(directory);
}

static int glob_stat(const char *restrict path, struct stat *restrict status)
{
    return stat(path, status);
}

static int glob_lstat(const char *restrict path, struct stat *restrict status)
{
    return lstat(path, status);
}

INTERPOSE int glob(const char *restrict pattern, int flags, int (*error)(const char *, int), glob_t *restrict found)
{
    START_ONCE();
    if (!registry || (flags & GLOB_ALTDIRFUNC))
        return LATE(glob)(pattern, flags, error, found);
    found->gl_opendir = glob_opendir;
    found->gl_readdir = glob_readdir;
    found->gl_closedir = glob_closedir;
    found->gl_stat = glob_stat;
    found->gl_lstat = glob_lstat;
    int result = LATE(glob)(pattern, flags | GLOB_ALTDIRFUNC, error, found);
    found->gl_flags &= ~GLOB_ALTDIRFUNC;
    return result;
}
ALSO_CALLED(glob, glob64);
#endif
