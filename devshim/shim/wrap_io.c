/* wrap_io.c: read, write, ioctl and their kin. An ordinary descriptor goes straight to libc. */
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>

#include "calls.h"

/* A native call on a device that the host wants to hear of (-v, recording). */
static const struct carrier *reported(int fd)
{
    return answering(fd, DEVICE_REPORT);
}

/* Looked at again only where reports are wanted: while the call lasted, the descriptor may have become another's. */
static ssize_t told(const struct carrier *carrier, int fd, uint32_t op, ssize_t result, const void *data)
{
    bool wanted = device_of(carrier)->flags & DEVICE_REPORT;
    if (wanted && (carrier = reported(fd)) != NULL)
        report(carrier, op, result, data, result > 0 ? (size_t)result : 0);
    return result;
}

/* Reads of a device that sends records: whole ones, and an end of the carrier is the device's end. */
static ssize_t records(const struct device *device, ssize_t got, size_t size)
{
    if (got == 0 && size > 0) {
        errno = (int)device->gone;
        return -1;
    }
    return got;
}

static bool too_short(const struct device *device, size_t size)
{
    if (size == 0 || size >= device->record)
        return false;
    errno = EINVAL;
    return true;
}

static ssize_t read_records(const struct device *device, int fd, void *buf, size_t size)
{
    if (too_short(device, size))
        return -1;
    return records(device, real.read(fd, buf, size - size % device->record), size);
}

static ssize_t read_records_into(const struct device *device, int fd, const struct iovec *parts, int count)
{
    struct iovec whole[IOV_MAX];
    size_t size = 0, left;

    if (count < 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    if (too_short(device, size))
        return -1;
    left = size - size % device->record;
    for (int i = 0; i < count; i++) {
        size_t length = parts[i].iov_len < left ? parts[i].iov_len : left;
        whole[i] = (struct iovec){ parts[i].iov_base, length };
        left -= length;
    }
    return records(device, real.readv(fd, whole, count), size);
}

INTERPOSE ssize_t read(int fd, void *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return real.read(fd, buf, size);
    if (device_of(carrier)->flags & DEVICE_STREAM)
        return told(carrier, fd, OP_READ, read_records(device_of(carrier), fd, buf, size), buf);
    struct iovec part = { buf, size };
    if (device_of(carrier)->flags & DEVICE_READ)
        return device_read(carrier, fd, &part, 1, OWN_POSITION, false);
    return told(carrier, fd, OP_READ, real.read(fd, buf, size), buf);
}
SAME_AS(read, __read);

INTERPOSE ssize_t readv(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_STREAM);
    if (carrier && (device_of(carrier)->flags & DEVICE_STREAM))
        return read_records_into(device_of(carrier), fd, parts, count);
    return carrier ? device_read(carrier, fd, parts, count, OWN_POSITION, false) : real.readv(fd, parts, count);
}

INTERPOSE ssize_t pread(int fd, void *buf, size_t size, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ);
    struct iovec part = { buf, size };
    if (carrier && offset < 0) {
        errno = EINVAL;
        return -1;
    }
    return carrier ? device_read(carrier, fd, &part, 1, offset, false) : real.pread(fd, buf, size, offset);
}
SAME_AS(pread, pread64);
SAME_AS(pread, __pread64);

INTERPOSE ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ);
    return carrier ? device_read(carrier, fd, parts, count, offset, false) : real.preadv(fd, parts, count, offset);
}
SAME_AS(preadv, preadv64);

INTERPOSE ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ);
    return carrier ? device_read(carrier, fd, parts, count, offset, flags & RWF_NOWAIT)
                   : real.preadv2(fd, parts, count, offset, flags);
}
SAME_AS(preadv2, preadv64v2);

INTERPOSE ssize_t write(int fd, const void *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return real.write(fd, buf, size);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    if (device_of(carrier)->flags & DEVICE_WRITE)
        return device_write(carrier, fd, &part, 1, OWN_POSITION, false);
    return told(carrier, fd, OP_WRITE, real.write(fd, buf, size), buf);
}
SAME_AS(write, __write);

INTERPOSE ssize_t writev(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    return carrier ? device_write(carrier, fd, parts, count, OWN_POSITION, false) : real.writev(fd, parts, count);
}

INTERPOSE ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    if (carrier && offset < 0) {
        errno = EINVAL;
        return -1;
    }
    return carrier ? device_write(carrier, fd, &part, 1, offset, false) : real.pwrite(fd, buf, size, offset);
}
SAME_AS(pwrite, pwrite64);
SAME_AS(pwrite, __pwrite64);

INTERPOSE ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    return carrier ? device_write(carrier, fd, parts, count, offset, false) : real.pwritev(fd, parts, count, offset);
}
SAME_AS(pwritev, pwritev64);

INTERPOSE ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    return carrier ? device_write(carrier, fd, parts, count, offset, flags & RWF_NOWAIT)
                   : real.pwritev2(fd, parts, count, offset, flags);
}
SAME_AS(pwritev2, pwritev64v2);

INTERPOSE off_t lseek(int fd, off_t offset, int whence)
{
    const struct carrier *carrier = answering(fd, DEVICE_SEEK);
    return carrier ? device_seek(carrier, offset, whence) : real.lseek(fd, offset, whence);
}
SAME_AS(lseek, lseek64);
SAME_AS(lseek, __lseek);
SAME_AS(lseek, llseek);

/* What the kernel answers for every descriptor, whatever is behind it (fs/ioctl.c). */
static bool answered_by_vfs(unsigned long request)
{
    return request == FIOCLEX || request == FIONCLEX || request == FIONBIO || request == FIOASYNC;
}

INTERPOSE int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    uintptr_t argument = va_arg(args, uintptr_t);
    va_end(args);

    const struct carrier *carrier = carrier_of(fd);
    if (!carrier || answered_by_vfs(request))
        return real.ioctl(fd, request, argument);
    return device_ioctl(carrier, fd, request, argument);
}

/* ---- What a socket carrier would answer unlike a device ---------------------------------------------- */

static int refused(int error)
{
    errno = error;
    return -1;
}

static bool computed(int fd)
{
    return answering(fd, DEVICE_READ | DEVICE_WRITE) != NULL;
}

INTERPOSE int fsync(int fd)
{
    return computed(fd) ? refused(EINVAL) : real.fsync(fd);
}

INTERPOSE int fdatasync(int fd)
{
    return computed(fd) ? refused(EINVAL) : real.fdatasync(fd);
}

INTERPOSE int ftruncate(int fd, off_t length)
{
    return computed(fd) ? refused(EINVAL) : real.ftruncate(fd, length);
}
SAME_AS(ftruncate, ftruncate64);

INTERPOSE int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
    return computed(fd) ? 0 : real.posix_fadvise(fd, offset, length, advice);
}
SAME_AS(posix_fadvise, posix_fadvise64);

INTERPOSE void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (!(flags & MAP_ANONYMOUS) && computed(fd)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    START_ONCE();
    return real.mmap(address, length, protection, flags, fd, offset);
}
SAME_AS(mmap, mmap64);

/* These would move readiness tokens about as if they were data. */
INTERPOSE ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size, unsigned flags)
{
    return computed(in) || computed(out) ? refused(EINVAL) : real.splice(in, in_offset, out, out_offset, size, flags);
}

INTERPOSE ssize_t tee(int in, int out, size_t size, unsigned flags)
{
    return computed(in) || computed(out) ? refused(EINVAL) : real.tee(in, out, size, flags);
}

INTERPOSE ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    return computed(in) || computed(out) ? refused(EINVAL) : real.sendfile(out, in, offset, size);
}
SAME_AS(sendfile, sendfile64);

INTERPOSE ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size,
                                  unsigned flags)
{
    return computed(in) || computed(out) ? refused(EINVAL)
                                         : real.copy_file_range(in, in_offset, out, out_offset, size, flags);
}

