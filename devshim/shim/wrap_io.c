/* wrap_io.c: read, write, ioctl and their kin. An ordinary descriptor goes straight to libc. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "calls.h"
#include "direct.h"
#include "memory.h"
#include "record.h"
#include "wrap_inotify.h"

/* A native call on a device that the host wants to hear of (-v, recording). */
static const struct carrier *reported(int fd)
{
    return answering(fd, DEVICE_REPORT);
}

/* A native read of a replayed terminal: the host hears of it before it waits, for it may know that nothing will come. */
static void may_wait(const struct carrier *carrier, int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    struct timespec none = { 0 };

    if (!(device_of(carrier)->flags & DEVICE_ASKS) || (real.fcntl(fd, F_GETFL) & O_NONBLOCK))
        return;
    if (real.syscall(SYS_ppoll, &one, 1, &none, NULL, 0) == 0)
        tell_waiting(carrier, OP_READ);
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
    return records(device, WITHOUT_GIL(real.read(fd, buf, size - size % device->record)), size);
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
    return records(device, WITHOUT_GIL(real.readv(fd, whole, count)), size);
}

/* The body of a wrapper whose call may be recorded: as the kernel answers for hardware, else as ever. */
#define RECORDED(fd, what, first, second, hardware, plain)                                          \
    struct recording call;                                                                          \
    const struct carrier *behind = recorded(fd);                                                    \
    if (!behind || !begin_recording(&call, behind, fd, what, first, second, 0))                     \
        return plain;                                                                               \
    return end_recording(&call, is_hardware(behind) ? hardware : plain)

static bool refuse(int error)
{
    errno = error;
    return false;
}

/* Looked at before anybody follows it: the kernel answers a bad vector with EINVAL or EFAULT (readv(2)). */
static bool is_vector(const struct iovec *parts, int count)
{
    struct iovec some[16];

    if (count < 0 || count > IOV_MAX)
        return refuse(EINVAL);
    for (int i = 0, most = (int)(sizeof some / sizeof *some); i < count; i += most)
        if (!copy_from_target(some, (uintptr_t)(parts + i), sizeof *some * (size_t)(count - i < most ? count - i : most)))
            return refuse(EFAULT);
    return true;
}

static bool is_position(off_t offset)
{
    return offset >= 0 || refuse(EINVAL);
}

static bool may_read(const struct carrier *carrier)
{
    return (carrier->access & O_ACCMODE) != O_WRONLY || refuse(EBADF);
}

/* Bytes that a vector has room for. */
static int64_t asked(const struct iovec *parts, int count)
{
    int64_t sum = 0;
    if (!is_vector(parts, count))
        return 0;
    for (int i = 0; i < count; i++)
        sum += (int64_t)parts[i].iov_len;
    return sum;
}

static ssize_t plain_read(int fd, void *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return __builtin_expect(second_watches != 0, 0) ? read_watches(fd, buf, size) : real.read(fd, buf, size);
    if (device_of(carrier)->flags & DEVICE_STREAM)
        return told(carrier, fd, OP_READ, may_read(carrier) ? read_records(device_of(carrier), fd, buf, size) : -1, buf);
    struct iovec part = { buf, size };
    if (device_of(carrier)->flags & DEVICE_READ)
        return device_read(carrier, fd, &part, 1, OWN_POSITION, false);
    may_wait(carrier, fd);
    return told(carrier, fd, OP_READ, WITHOUT_GIL(real.read(fd, buf, size)), buf);
}

INTERPOSE ssize_t read(int fd, void *buf, size_t size)
{
    const struct carrier *carrier = recorded(fd);
    struct iovec part = { buf, size };
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_READ, (int64_t)size, OWN_POSITION, 0))
        return plain_read(fd, buf, size);
    return end_read(&call, &part, 1, is_hardware(carrier) ? real.read(fd, buf, size) : plain_read(fd, buf, size));
}
SAME_AS(read, __read);

static ssize_t plain_readv(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_STREAM | DEVICE_ASKS);
    if (carrier && !is_vector(parts, count))
        return -1;
    if (carrier && (device_of(carrier)->flags & DEVICE_STREAM))
        return may_read(carrier) ? read_records_into(device_of(carrier), fd, parts, count) : -1;
    if (carrier && !(device_of(carrier)->flags & DEVICE_READ)) {
        may_wait(carrier, fd);
        return real.readv(fd, parts, count);
    }
    return carrier ? device_read(carrier, fd, parts, count, OWN_POSITION, false) : real.readv(fd, parts, count);
}

INTERPOSE ssize_t readv(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_READ, asked(parts, count), OWN_POSITION, 0))
        return plain_readv(fd, parts, count);
    return end_read(&call, parts, count, is_hardware(carrier) ? real.readv(fd, parts, count) : plain_readv(fd, parts, count));
}

static ssize_t plain_pread(int fd, void *buf, size_t size, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ);
    struct iovec part = { buf, size };
    if (carrier && offset < 0) {
        errno = EINVAL;
        return -1;
    }
    return carrier ? device_read(carrier, fd, &part, 1, offset, false) : real.pread(fd, buf, size, offset);
}

INTERPOSE ssize_t pread(int fd, void *buf, size_t size, off_t offset)
{
    const struct carrier *carrier = recorded(fd);
    struct iovec part = { buf, size };
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_READ, (int64_t)size, offset, 0))
        return plain_pread(fd, buf, size, offset);
    return end_read(&call, &part, 1, is_hardware(carrier) ? real.pread(fd, buf, size, offset) : plain_pread(fd, buf, size, offset));
}
SAME_AS(pread, pread64);
SAME_AS(pread, __pread64);

static ssize_t plain_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ);
    if (carrier && !(is_position(offset) && is_vector(parts, count)))
        return -1;
    return carrier ? device_read(carrier, fd, parts, count, offset, false) : real.preadv(fd, parts, count, offset);
}

INTERPOSE ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_READ, asked(parts, count), offset, 0))
        return plain_preadv(fd, parts, count, offset);
    return end_read(&call, parts, count, is_hardware(carrier) ? real.preadv(fd, parts, count, offset) : plain_preadv(fd, parts, count, offset));
}
SAME_AS(preadv, preadv64);

static ssize_t plain_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ);
    if (carrier && !((offset == OWN_POSITION || is_position(offset)) && is_vector(parts, count)))
        return -1;
    return carrier ? device_read(carrier, fd, parts, count, offset, flags & RWF_NOWAIT)
                   : real.preadv2(fd, parts, count, offset, flags);
}

INTERPOSE ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_READ, asked(parts, count), offset, 0))
        return plain_preadv2(fd, parts, count, offset, flags);
    return end_read(&call, parts, count, is_hardware(carrier) ? real.preadv2(fd, parts, count, offset, flags) : plain_preadv2(fd, parts, count, offset, flags));
}
SAME_AS(preadv2, preadv64v2);

static ssize_t plain_write(int fd, const void *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return real.write(fd, buf, size);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    if (device_of(carrier)->flags & DEVICE_WRITE)
        return device_write(carrier, fd, &part, 1, OWN_POSITION, false);
    return told(carrier, fd, OP_WRITE, WITHOUT_GIL(real.write(fd, buf, size)), buf);
}

INTERPOSE ssize_t write(int fd, const void *buf, size_t size)
{
    const struct carrier *carrier = recorded(fd);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_WRITE, (int64_t)size, OWN_POSITION, 0))
        return plain_write(fd, buf, size);
    return end_write(&call, &part, 1, is_hardware(carrier) ? real.write(fd, buf, size) : plain_write(fd, buf, size));
}
SAME_AS(write, __write);

static ssize_t plain_writev(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    if (carrier && !is_vector(parts, count))
        return -1;
    return carrier ? device_write(carrier, fd, parts, count, OWN_POSITION, false) : real.writev(fd, parts, count);
}

INTERPOSE ssize_t writev(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_WRITE, asked(parts, count), OWN_POSITION, 0))
        return plain_writev(fd, parts, count);
    return end_write(&call, parts, count, is_hardware(carrier) ? real.writev(fd, parts, count) : plain_writev(fd, parts, count));
}

static ssize_t plain_pwrite(int fd, const void *buf, size_t size, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    if (carrier && offset < 0) {
        errno = EINVAL;
        return -1;
    }
    return carrier ? device_write(carrier, fd, &part, 1, offset, false) : real.pwrite(fd, buf, size, offset);
}

INTERPOSE ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset)
{
    const struct carrier *carrier = recorded(fd);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_WRITE, (int64_t)size, offset, 0))
        return plain_pwrite(fd, buf, size, offset);
    return end_write(&call, &part, 1, is_hardware(carrier) ? real.pwrite(fd, buf, size, offset) : plain_pwrite(fd, buf, size, offset));
}
SAME_AS(pwrite, pwrite64);
SAME_AS(pwrite, __pwrite64);

static ssize_t plain_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    if (carrier && !(is_position(offset) && is_vector(parts, count)))
        return -1;
    return carrier ? device_write(carrier, fd, parts, count, offset, false) : real.pwritev(fd, parts, count, offset);
}

INTERPOSE ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_WRITE, asked(parts, count), offset, 0))
        return plain_pwritev(fd, parts, count, offset);
    return end_write(&call, parts, count, is_hardware(carrier) ? real.pwritev(fd, parts, count, offset) : plain_pwritev(fd, parts, count, offset));
}
SAME_AS(pwritev, pwritev64);

static ssize_t plain_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    if (carrier && !((offset == OWN_POSITION || is_position(offset)) && is_vector(parts, count)))
        return -1;
    return carrier ? device_write(carrier, fd, parts, count, offset, flags & RWF_NOWAIT)
                   : real.pwritev2(fd, parts, count, offset, flags);
}

INTERPOSE ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    const struct carrier *carrier = recorded(fd);
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_WRITE, asked(parts, count), offset, 0))
        return plain_pwritev2(fd, parts, count, offset, flags);
    return end_write(&call, parts, count, is_hardware(carrier) ? real.pwritev2(fd, parts, count, offset, flags) : plain_pwritev2(fd, parts, count, offset, flags));
}
SAME_AS(pwritev2, pwritev64v2);

static off_t plain_lseek(int fd, off_t offset, int whence)
{
    const struct carrier *carrier = answering(fd, DEVICE_SEEK);
    return carrier ? device_seek(carrier, offset, whence) : real.lseek(fd, offset, whence);
}

INTERPOSE off_t lseek(int fd, off_t offset, int whence)
{
    RECORDED(fd, CALL_SEEK, offset, whence, real.lseek(fd, offset, whence), plain_lseek(fd, offset, whence));
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

    const struct carrier *carrier = known_carrier(fd);
    if (!carrier || answered_by_vfs(request) || (device_of(carrier)->flags & DEVICE_MONITOR))
        return real.ioctl(fd, request, argument);
    return ioctl_on(carrier, fd, request, argument);
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

/* A disk can be synced (its host keeps nothing back), a character device seldom. */
static int synced(const struct carrier *carrier)
{
    return S_ISBLK(device_of(carrier)->mode) ? 0 : refused(EINVAL);
}

static int plain_fsync(int fd)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
    return carrier ? synced(carrier) : real.fsync(fd);
}

INTERPOSE int fsync(int fd)
{
    RECORDED(fd, CALL_FSYNC, 0, 0, real.fsync(fd), plain_fsync(fd));
}

static int plain_fdatasync(int fd)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
    return carrier ? synced(carrier) : real.fdatasync(fd);
}

INTERPOSE int fdatasync(int fd)
{
    RECORDED(fd, CALL_FDATASYNC, 0, 0, real.fdatasync(fd), plain_fdatasync(fd));
}

/* Attributes of sysfs are shown as files; truncating one changes nothing, as there. */
static int plain_ftruncate(int fd, off_t length)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
    if (!carrier)
        return real.ftruncate(fd, length);
    return S_ISREG(device_of(carrier)->mode) && length >= 0 && (carrier->access & O_ACCMODE) != O_RDONLY
               ? 0
               : refused(EINVAL);
}

INTERPOSE int ftruncate(int fd, off_t length)
{
    RECORDED(fd, CALL_FTRUNCATE, length, 0, real.ftruncate(fd, length), plain_ftruncate(fd, length));
}
SAME_AS(ftruncate, ftruncate64);

INTERPOSE int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
    return computed(fd) ? 0 : real.posix_fadvise(fd, offset, length, advice);
}
SAME_AS(posix_fadvise, posix_fadvise64);

static void *plain_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (!(flags & MAP_ANONYMOUS) && computed(fd)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    START_ONCE();
    return real.mmap(address, length, protection, flags, fd, offset);
}

INTERPOSE void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    const struct carrier *carrier = flags & MAP_ANONYMOUS ? NULL : recorded(fd);
    int64_t how = (int64_t)flags << 32 | (uint32_t)protection;
    struct recording call;

    if (!carrier || !begin_recording(&call, carrier, fd, CALL_MMAP, (int64_t)length, offset, how))
        return plain_mmap(address, length, protection, flags, fd, offset);
    void *map = is_hardware(carrier) ? real.mmap(address, length, protection, flags, fd, offset)
                                     : plain_mmap(address, length, protection, flags, fd, offset);
    end_recording(&call, map == MAP_FAILED ? -1 : 0);
    return map;
}
SAME_AS(mmap, mmap64);

/* Data that goes past the program's memory is not seen. */
static void pass_by(const char *name, int in, int out)
{
    const struct carrier *carrier = recorded(in);
    if (!carrier)
        carrier = recorded(out);
    if (carrier)
        lose_recording(carrier, name);
}

/* These would move readiness tokens about as if they were data. */
INTERPOSE ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size, unsigned flags)
{
    pass_by("splice", in, out);
    return computed(in) || computed(out) ? refused(EINVAL) : real.splice(in, in_offset, out, out_offset, size, flags);
}

INTERPOSE ssize_t tee(int in, int out, size_t size, unsigned flags)
{
    pass_by("tee", in, out);
    return computed(in) || computed(out) ? refused(EINVAL) : real.tee(in, out, size, flags);
}

INTERPOSE ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    pass_by("sendfile", in, out);
    return computed(in) || computed(out) ? refused(EINVAL) : real.sendfile(out, in, offset, size);
}
SAME_AS(sendfile, sendfile64);

INTERPOSE ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size,
                                  unsigned flags)
{
    pass_by("copy_file_range", in, out);
    return computed(in) || computed(out) ? refused(EINVAL)
                                         : real.copy_file_range(in, in_offset, out, out_offset, size, flags);
}

