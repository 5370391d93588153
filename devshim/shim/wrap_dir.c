/* wrap_dir.c: directory streams. Those of ordinary directories are libc's own; for a directory with plugged entries the
 * stream stays libc's too (dirfd and closedir work on it), but its entries come from listing.c.
 *
 * Such streams stand in a list that only grows and whose places are used again: readdir needs no lock, so neither a
 * fork nor a signal can leave one locked. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "listing.h"

enum { STREAM_BUFFER = 32768 }; /* as in glibc */

struct stream {
    DIR *directory; /* whose it is; NULL: free. Taken by compare-and-swap */
    struct stream *next;
    enum route_kind kind;
    int fd;
    size_t at, filled; /* in buffer */
    long position;     /* of the next entry, as telldir says it */
    char name[ROUTE_PATH];
    char buffer[STREAM_BUFFER] __attribute__((aligned(8)));
};

static struct stream *streams;
static unsigned streams_open;

static struct stream *first_stream(void)
{
    return __atomic_load_n(&streams, __ATOMIC_ACQUIRE);
}

/* The record of a stream, or NULL for libc's own. */
static struct stream *stream_of(DIR *directory)
{
    if (__builtin_expect(__atomic_load_n(&streams_open, __ATOMIC_RELAXED) == 0, 1))
        return NULL;
    for (struct stream *stream = first_stream(); stream; stream = stream->next)
        if (__atomic_load_n(&stream->directory, __ATOMIC_ACQUIRE) == directory)
            return stream;
    return NULL;
}

/* A free record, or a new one; it belongs to the directory at once. NULL with ENOMEM. */
static struct stream *claim_stream(DIR *directory)
{
    for (struct stream *stream = first_stream(); stream; stream = stream->next) {
        DIR *nobody = NULL;
        if (__atomic_compare_exchange_n(&stream->directory, &nobody, directory, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return stream;
    }
    struct stream *stream = malloc(sizeof *stream); /* as opendir itself does */
    if (!stream)
        return NULL;
    stream->directory = directory;
    stream->next = first_stream();
    while (!__atomic_compare_exchange_n(&streams, &stream->next, stream, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    return stream;
}

/* Take over the reading of a directory that libc has just opened, if it holds anything of ours. */
static DIR *adopt(DIR *directory)
{
    char name[ROUTE_PATH];

    if (!directory || !registry)
        return directory;
    int fd = dirfd(directory);
    enum route_kind kind = directory_at(fd, name);
    if (kind == ROUTE_REAL)
        return directory;
    struct stream *stream = claim_stream(directory);
    if (!stream) {
        real.closedir(directory);
        errno = ENOMEM;
        return NULL;
    }
    watch(fd);
    stream->kind = kind;
    stream->fd = fd;
    stream->at = stream->filled = 0;
    stream->position = (long)real.lseek(fd, 0, SEEK_CUR);
    memcpy(stream->name, name, strlen(name) + 1);
    __atomic_fetch_add(&streams_open, 1, __ATOMIC_RELAXED);
    return directory;
}

INTERPOSE DIR *opendir(const char *path)
{
    struct route found;
    DIR *directory = NULL;

    if (route(AT_FDCWD, path, FOLLOW, &found) == ROUTE_REAL) {
        directory = real.opendir(path);
        if (!directory)
            look_again(AT_FDCWD, path, FOLLOW, &found);
    }
    if (found.kind != ROUTE_REAL) {
        const char *at = place_of(&found, path);
        directory = at ? real.opendir(at) : NULL;
    }
    if (directory && registry)
        note_directory(dirfd(directory), AT_FDCWD, path, O_DIRECTORY, &found);
    return adopt(directory);
}

INTERPOSE DIR *fdopendir(int fd)
{
    START_ONCE();
    return adopt(real.fdopendir(fd));
}

/* The next entry; NULL at the end, or with errno. */
static struct dirent *next_entry(struct stream *stream)
{
    if (stream->at >= stream->filled) {
        ssize_t length = list_directory(stream->fd, stream->kind, stream->name, stream->buffer, STREAM_BUFFER);
        if (length <= 0)
            return NULL;
        stream->filled = (size_t)length;
        stream->at = 0;
    }
    struct dirent *entry = (struct dirent *)(stream->buffer + stream->at);
    stream->at += entry->d_reclen;
    stream->position = (long)entry->d_off;
    return entry;
}

INTERPOSE struct dirent *readdir(DIR *directory)
{
    START_ONCE();
    struct stream *stream = stream_of(directory);
    return stream ? next_entry(stream) : real.readdir(directory);
}
ALSO_CALLED(readdir, readdir64);

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
INTERPOSE int readdir_r(DIR *restrict directory, struct dirent *restrict entry, struct dirent **restrict result)
{
    struct stream *stream = stream_of(directory);
    if (!stream)
        return LATE(readdir_r)(directory, entry, result);

    int before = errno;
    errno = 0;
    struct dirent *next = next_entry(stream);
    int error = errno;
    errno = before;
    if (next)
        memcpy(entry, next, next->d_reclen);
    *result = next ? entry : NULL;
    return next ? 0 : error;
}
ALSO_CALLED(readdir_r, readdir64_r);

INTERPOSE long telldir(DIR *directory)
{
    struct stream *stream = stream_of(directory);
    return stream ? stream->position : LATE(telldir)(directory);
}

static void move_to(struct stream *stream, long position)
{
    real.lseek(stream->fd, position, SEEK_SET);
    stream->at = stream->filled = 0;
    stream->position = position;
}

INTERPOSE void seekdir(DIR *directory, long position)
{
    struct stream *stream = stream_of(directory);
    if (stream)
        move_to(stream, position);
    else
        LATE(seekdir)(directory, position);
}

INTERPOSE void rewinddir(DIR *directory)
{
    struct stream *stream = stream_of(directory);
    if (stream)
        move_to(stream, 0);
    else
        LATE(rewinddir)(directory);
}

INTERPOSE int closedir(DIR *directory)
{
    START_ONCE();
    struct stream *stream = stream_of(directory);
    if (stream) {
        __atomic_fetch_sub(&streams_open, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&stream->directory, NULL, __ATOMIC_RELEASE);
    }
    return real.closedir(directory);
}

/* ---- Without a stream -------------------------------------------------------------------------- */

INTERPOSE ssize_t getdents64(int fd, void *buffer, size_t size)
{
    char name[ROUTE_PATH];
    enum route_kind kind = directory_at(fd, name);
    return kind == ROUTE_REAL ? real.syscall(SYS_getdents64, fd, buffer, size)
                              : list_directory(fd, kind, name, buffer, size);
}

#ifdef __GLIBC__
INTERPOSE ssize_t getdirentries(int fd, char *restrict buffer, size_t size, off_t *restrict position)
{
    *position = real.lseek(fd, 0, SEEK_CUR);
    return getdents64(fd, buffer, size);
}
ALSO_CALLED(getdirentries, getdirentries64);
#endif
