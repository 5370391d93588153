/* wrap_stdio.c: stdio streams on devices.
 *
 * A FILE reads and writes inside libc, past every wrapper. Where the carrier itself holds the data (a tty) that
 * is right. Where the model computes, the stream is a cookie stream over our read and write instead, with the
 * descriptor's number put in, so that fileno() answers. */
#include "wrap_stdio.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "calls.h"
#include "connection.h"
#include "opening.h"
#include "record.h"
#include "wrap_open.h"

/* The cookie is the descriptor's number, and whether its buffer is one of ours. */
enum { OWN_BUFFER = 1 << 30 };

static int fd_of(void *cookie)
{
    return (int)((intptr_t)cookie & ~OWN_BUFFER);
}

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
    return read(fd_of(cookie), buf, size);
}

static ssize_t stream_write(void *cookie, const char *buf, size_t size)
{
    ssize_t written = write(fd_of(cookie), buf, size);
    return written < 0 ? 0 : written; /* fopencookie(3): 0 is the error of a write */
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    off_t position = lseek(fd_of(cookie), *offset, whence);
    if (position < 0)
        return -1;
    *offset = position;
    return 0;
}

/* The streams that stand at 0, 1 and 2 in place of libc's own. */
static FILE *adopted[3];

/* Buffers of the size that libc would have taken, so that a program reads and writes as without us. One for each
 * descriptor: a second stream on it has a default one. */
enum { BUFFERED = 256 };
static char *buffers[BUFFERED];

static char *make_buffer(int fd, size_t *size)
{
    struct stat status;

    if (fd >= BUFFERED || buffers[fd] || libc_fstat(fd, &status) < 0)
        return NULL;
    *size = status.st_blksize > 0 && status.st_blksize <= 65536 ? (size_t)status.st_blksize : BUFSIZ;
    return buffers[fd] = malloc(*size);
}

static int stream_close(void *cookie)
{
    int fd = fd_of(cookie);
    if ((intptr_t)cookie & OWN_BUFFER) { /* which the stream does not look at any more */
        free(buffers[fd]);
        buffers[fd] = NULL;
    }
    if (fd <= 2)
        adopted[fd] = NULL;
    return close(fd);
}

/* glibc keeps the methods of a stream right behind it (libio/libioP.h, struct _IO_FILE_plus). */
static const void *methods_of(const FILE *stream)
{
    return *(const void *const *)(const void *)(stream + 1);
}

static const void *cookie_methods;

/* A program's own cookie streams have the same methods, but no descriptor. */
bool is_stream_of_ours(const FILE *stream)
{
    return __builtin_expect(cookie_methods != NULL, 0) && methods_of(stream) == cookie_methods && stream->_fileno >= 0;
}

static FILE *cookie_stream(int fd, const char *mode)
{
    cookie_io_functions_t functions = { stream_read, stream_write, stream_seek, stream_close };
    char plain[3] = { mode[0], strchr(mode, '+') ? '+' : '\0', '\0' }; /* fopencookie knows no more than these */
    size_t size = 0;
    char *buffer = make_buffer(fd, &size);
    FILE *stream = fopencookie((void *)(intptr_t)(buffer ? fd | OWN_BUFFER : fd), plain, functions);

    if (stream) {
        stream->_fileno = fd;
        cookie_methods = methods_of(stream);
        bool terminal = (recorded(fd) || direct_host()) && isatty(fd);
        if (terminal || buffer)
            setvbuf(stream, buffer, terminal ? _IOLBF : _IOFBF, buffer ? size : 0);
    }
    return stream;
}

/* Whether libc's own reads and writes would go past what has to see them: a model, a recording, or in the host's own
 * process the wrapper that lets the interpreter go while it waits. */
static bool computed(int fd)
{
    return answering(fd, DEVICE_READ | DEVICE_WRITE) || recorded(fd) || (direct_host() && known_carrier(fd));
}

static FILE *stream_on(int fd, const char *mode)
{
    return computed(fd) ? cookie_stream(fd, mode) : real.fdopen(fd, mode);
}

/* fopen(3)'s modes as open(2)'s flags; -1 with EINVAL. */
static int flags_of(const char *mode)
{
    int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;

    switch (mode[0]) {
    case 'r':
        break;
    case 'w':
        flags |= O_CREAT | O_TRUNC;
        break;
    case 'a':
        flags |= O_CREAT | O_APPEND;
        break;
    default:
        errno = EINVAL;
        return -1;
    }
    if (strchr(mode, 'e'))
        flags |= O_CLOEXEC;
    return strchr(mode, 'x') ? flags | O_EXCL : flags;
}

/* The path opened, where a model file answers or it leads to a device or into the run's tree; -2 where it is an ordinary one. */
static int open_ours(const char *path, const char *mode)
{
    struct route route;
    int flags = flags_of(mode), fd;

    if (flags >= 0 && openings_declared() && take_opening(AT_FDCWD, path, flags, 0666, &fd))
        return fd;
    if (flags < 0 || (route_fully(AT_FDCWD, path, FOLLOW, &route) == ROUTE_REAL
                      && !device_to_record(AT_FDCWD, path, flags)))
        return -2;
    return open_unasked(AT_FDCWD, path, flags, 0666);
}

/* What fdopen(3) looks at: the mode has to be one that the descriptor allows, and sets O_APPEND. */
static bool allows(int fd, const char *mode)
{
    int has = fcntl(fd, F_GETFL), wanted = flags_of(mode);

    if (has < 0 || wanted < 0)
        return false;
    if ((has & O_ACCMODE) != O_RDWR && (has & O_ACCMODE) != (wanted & O_ACCMODE)) {
        errno = EINVAL;
        return false;
    }
    return !(wanted & O_APPEND) || (has & O_APPEND) || fcntl(fd, F_SETFL, has | O_APPEND) == 0;
}

INTERPOSE FILE *fdopen(int fd, const char *mode)
{
    if (!computed(fd))
        return real.fdopen(fd, mode);
    return allows(fd, mode) ? cookie_stream(fd, mode) : NULL;
}
SAME_AS(fdopen, _IO_fdopen);

INTERPOSE FILE *fopen(const char *path, const char *mode)
{
    START_ONCE();
    int fd = registry ? open_ours(path, mode) : -2;
    if (fd == -2)
        return real.fopen(path, mode);
    if (fd < 0)
        return NULL;
    FILE *stream = stream_on(fd, mode);
    if (!stream)
        real.syscall(SYS_close, fd);
    return stream;
}
SAME_AS(fopen, fopen64);
SAME_AS(fopen, _IO_fopen);

/* libc formats into a buffer and writes that itself. */
static int write_formatted(int fd, char *text, int length)
{
    for (int done = 0; done < length;) {
        ssize_t written = write(fd, text + done, (size_t)(length - done));
        if (written < 0) {
            length = -1;
            break;
        }
        done += (int)written;
    }
    int error = errno;
    free(text);
    errno = error;
    return length;
}

INTERPOSE int vdprintf(int fd, const char *format, va_list args)
{
    char *text;
    if (!answering(fd, DEVICE_WRITE) && !recorded(fd))
        return LATE(vdprintf)(fd, format, args);
    int length = vasprintf(&text, format, args);
    return length < 0 ? length : write_formatted(fd, text, length);
}

INTERPOSE int dprintf(int fd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vdprintf(fd, format, args);
    va_end(args);
    return length;
}

#ifdef __GLIBC__
extern int __vasprintf_chk(char **text, int flag, const char *format, va_list args);

INTERPOSE int __vdprintf_chk(int fd, int flag, const char *format, va_list args);
int __vdprintf_chk(int fd, int flag, const char *format, va_list args)
{
    char *text;
    if (!answering(fd, DEVICE_WRITE) && !recorded(fd))
        return LATE(__vdprintf_chk)(fd, flag, format, args);
    int length = __vasprintf_chk(&text, flag, format, args);
    return length < 0 ? length : write_formatted(fd, text, length);
}

INTERPOSE int __dprintf_chk(int fd, int flag, const char *format, ...);
int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = __vdprintf_chk(fd, flag, format, args);
    va_end(args);
    return length;
}
#endif

static void replace_standard(FILE *old, FILE *new)
{
    if (old == stdin)
        stdin = new;
    else if (old == stdout)
        stdout = new;
    else if (old == stderr)
        stderr = new;
}

/* The standard streams live on, closed, as libc's do. */
static FILE *cannot_reopen(FILE *stream)
{
    int error = errno;
    if (stream == stdin || stream == stdout || stream == stderr)
        real.syscall(SYS_close, fileno(stream));
    else
        fclose(stream);
    errno = error;
    return NULL;
}

/* libc's own stream on what it need not know of: only the descriptor is exchanged. */
static FILE *exchange_descriptor(int fd, const char *mode, FILE *stream)
{
    FILE *same = real.freopen("/dev/null", mode, stream);
    bool done = same && dup2(fd, fileno(same)) >= 0;
    real.syscall(SYS_close, fd);
    return done ? same : NULL;
}

/* A FILE cannot be turned into a cookie stream in place, nor back: the standard ones are exchanged, for others the
 * result has to be used, as the manual page shows it. */
INTERPOSE FILE *freopen(const char *path, const char *mode, FILE *stream)
{
    START_ONCE();
    bool ours = registry && is_stream_of_ours(stream); /* libc's freopen() would take it for one of its own */
    int fd = registry && path ? open_ours(path, mode) : -2;
    if (fd == -2 && !ours)
        return real.freopen(path, mode, stream);
    if (!path)
        return stream; /* another mode of one and the same: a cookie stream has no such thing */
    int wanted = fileno(stream), flags = flags_of(mode);
    fflush(stream);
    if (fd == -2 && flags >= 0)
        fd = open(path, flags, 0666);
    if (fd < 0)
        return cannot_reopen(stream);
    if (!ours && !computed(fd))
        return exchange_descriptor(fd, mode, stream);
    if (wanted >= 0 && wanted != fd && real.dup2(fd, wanted) >= 0) {
        real.syscall(SYS_close, fd);
        fd = watch(wanted);
    }
    FILE *new = stream_on(fd, mode);
    if (new)
        replace_standard(stream, new);
    return new;
}
SAME_AS(freopen, freopen64);

void adopt_standard_stream(int fd)
{
    static const char *const modes[] = { "r", "w", "w" };
    FILE **streams[] = { &stdin, &stdout, &stderr };

    if (!computed(fd) || (adopted[fd] && *streams[fd] == adopted[fd]) || in_borrowed_memory())
        return;
    FILE *stream = cookie_stream(fd, modes[fd]);
    if (!stream)
        return;
    if (fd == 2)
        setvbuf(stream, NULL, _IONBF, 0);
    *streams[fd] = adopted[fd] = stream;
}

void adopt_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        adopt_standard_stream(fd);
}
