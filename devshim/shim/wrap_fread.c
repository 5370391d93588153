/* wrap_fread.c: fread on a stream on a device that computes. glibc's cookie streams fill their buffer and copy from it,
 * byte by byte where there is none; on a file it reads what would fill the buffer anyway right to where it is wanted. A
 * driver sees the difference: it gives whole records, or refuses. */
#include <errno.h>
#include <pthread.h>

#include "calls.h"
#include "interposed.h"
#include "wrap_stdio.h"

#undef fread_unlocked /* a macro, where the compiler optimizes */

/* glibc's libio/libio.h; <bits/types/struct_FILE.h> names the two others. */
enum stream_flag { STREAM_NO_READS = 0x4, STREAM_IN_BACKUP = 0x100, STREAM_PUTTING = 0x800 };

/* Go back to the buffer from what ungetc() gave back, all of which has been read. Exported, but declared nowhere. */
extern void _IO_free_backup_area(FILE *stream);

/* Below this size glibc does not read by whole buffers (libio/fileops.c, _IO_file_xsgetn). */
enum { SMALLEST_BLOCK = 128 };

static size_t room_of(const FILE *stream)
{
    return (size_t)(stream->_IO_buf_end - stream->_IO_buf_base);
}

static bool reads_directly(const FILE *stream, size_t left)
{
    return !(stream->_flags & (STREAM_NO_READS | STREAM_PUTTING)) && stream->_IO_buf_base && left >= room_of(stream);
}

/* One read past the buffer, which is empty. Returns 0 at the end and after an error. */
static size_t read_directly(FILE *stream, char *data, size_t left)
{
    size_t room = room_of(stream);
    ssize_t got = read(stream->_fileno, data, room < SMALLEST_BLOCK ? left : left - left % room);

    stream->_IO_read_base = stream->_IO_read_ptr = stream->_IO_read_end = stream->_IO_buf_base;
    stream->_IO_write_base = stream->_IO_write_ptr = stream->_IO_write_end = stream->_IO_buf_base;
    if (got <= 0) {
        stream->_flags |= got ? _IO_ERR_SEEN : _IO_EOF_SEEN;
        return 0;
    }
    if (stream->_offset >= 0)
        stream->_offset += got;
    return (size_t)got;
}

static size_t read_bytes(FILE *stream, char *data, size_t wanted)
{
    __typeof__(fread_unlocked) *libc = LATE(fread_unlocked);
    size_t given = 0, part = 1;

    while (given < wanted && part > 0) {
        if (stream->_IO_read_ptr == stream->_IO_read_end && (stream->_flags & STREAM_IN_BACKUP))
            _IO_free_backup_area(stream);
        size_t left = wanted - given, lies = (size_t)(stream->_IO_read_end - stream->_IO_read_ptr);
        if (lies > 0)
            part = libc(data + given, 1, lies < left ? lies : left, stream);
        else if (reads_directly(stream, left))
            part = read_directly(stream, data + given, left);
        else
            return given + libc(data + given, 1, left, stream);
        given += part;
    }
    return given;
}

static size_t read_items(void *data, size_t size, size_t count, FILE *stream)
{
    size_t wanted;

    if (size == 0 || count == 0 || __builtin_mul_overflow(size, count, &wanted))
        return 0;
    return read_bytes(stream, data, wanted) / size;
}

static void unlock(void *stream)
{
    funlockfile(stream);
}

/* Threads that are cancelled leave it unlocked. Before glibc 2.34 what sees to that was a library's that only threads need,
 * and the newer way to say it, in <pthread.h>, needs one that each program would have to load. */
static size_t read_items_locked(void *data, size_t size, size_t count, FILE *stream)
{
    static void (*push)(struct _pthread_cleanup_buffer *, void (*)(void *), void *);
    static void (*pop)(struct _pthread_cleanup_buffer *, int);
    struct _pthread_cleanup_buffer cleanup;

    if (!push || !pop) {
        push = (__typeof__(push))(uintptr_t)dlsym(RTLD_DEFAULT, "_pthread_cleanup_push");
        pop = (__typeof__(pop))(uintptr_t)dlsym(RTLD_DEFAULT, "_pthread_cleanup_pop");
    }
    flockfile(stream);
    if (pop)
        push(&cleanup, unlock, stream);
    size_t items = read_items(data, size, count, stream);
    if (pop)
        pop(&cleanup, 0);
    unlock(stream);
    return items;
}

INTERPOSE size_t fread(void *data, size_t size, size_t count, FILE *stream)
{
    return is_stream_of_ours(stream) ? read_items_locked(data, size, count, stream)
                                     : LATE(fread)(data, size, count, stream);
}
SAME_AS(fread, _IO_fread);

INTERPOSE size_t fread_unlocked(void *data, size_t size, size_t count, FILE *stream)
{
    return is_stream_of_ours(stream) ? read_items(data, size, count, stream)
                                     : LATE(fread_unlocked)(data, size, count, stream);
}

#ifdef __GLIBC__
/* _FORTIFY_SOURCE's: room is the size of data, and libc's own ends the program where that is too small. */
INTERPOSE size_t __fread_chk(void *data, size_t room, size_t size, size_t count, FILE *stream);
size_t __fread_chk(void *data, size_t room, size_t size, size_t count, FILE *stream)
{
    size_t wanted;
    bool fits = !__builtin_mul_overflow(size, count, &wanted) && wanted <= room;
    return fits && is_stream_of_ours(stream) ? read_items_locked(data, size, count, stream)
                                             : LATE(__fread_chk)(data, room, size, count, stream);
}

INTERPOSE size_t __fread_unlocked_chk(void *data, size_t room, size_t size, size_t count, FILE *stream);
size_t __fread_unlocked_chk(void *data, size_t room, size_t size, size_t count, FILE *stream)
{
    size_t wanted;
    bool fits = !__builtin_mul_overflow(size, count, &wanted) && wanted <= room;
    return fits && is_stream_of_ours(stream) ? read_items(data, size, count, stream)
                                             : LATE(__fread_unlocked_chk)(data, room, size, count, stream);
}
#endif
