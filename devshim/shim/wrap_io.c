/* wrap_io.c: read, write, lseek and their kin. An ordinary descriptor goes straight to libc. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/syscall.h>

#include "calls.h"
#include "direct.h"
#include "image.h"
#include "memory.h"
#include "record.h"
#include "wrap_inotify.h"

/* A native call on a device that the host wants to hear of (-v, recording). */
static const struct carrier *reported(int fd)
{
    return answering(fd, DEVICE_REPORT);
}

enum { A_MOMENT_NS = 100000 };

/* A native read of a replayed terminal: the host hears of it before it waits, for it may know that nothing will come.
 * Not at once: mostly something is on its way, and hearing of each read keeps the host from sending it. While its other
 * end is being closed a pty gives EIO, and only then the end of file: the host says which was meant. */
static bool may_wait(const struct carrier *carrier, int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    struct timespec moment = { .tv_nsec = A_MOMENT_NS };
    int before = errno;

    if (!(device_of(carrier)->flags & DEVICE_ASKS) || (real.fcntl(fd, F_GETFL) & O_NONBLOCK))
        return false;
    if (WITHOUT_GIL(real.syscall(SYS_ppoll, &one, 1, &moment, NULL, 0)) <= 0)
        tell_waiting(carrier, OP_READ);
    errno = before;
    return true;
}

static ssize_t hung_up(const struct carrier *carrier, int fd, const struct iovec *parts, int count)
{
    int error = tell_waiting(carrier, OP_READ);
    if (error == 0)
        return real.readv(fd, parts, count);
    errno = error;
    return -1;
}

static ssize_t read_native(const struct carrier *carrier, int fd, const struct iovec *parts, int count)
{
    struct carrier kept = *carrier; /* the entry goes when the device hangs up */
    bool asks = may_wait(&kept, fd);
    ssize_t got = count == 1 ? WITHOUT_GIL(real.read(fd, parts->iov_base, parts->iov_len))
                             : WITHOUT_GIL(real.readv(fd, parts, count));
    return got < 0 && errno == EIO && asks ? hung_up(&kept, fd, parts, count) : got;
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

/* RWF_* are wishes that a driver must know (preadv2(2)). */
static bool are_known(int flags)
{
    return !(flags & ~(RWF_HIPRI | RWF_NOWAIT)) || refuse(EOPNOTSUPP);
}

static bool is_position(off_t offset)
{
    return offset >= 0 || refuse(EINVAL);
}

static bool may_read(const struct carrier *carrier)
{
    int mode = (int)(carrier->access & O_ACCMODE);
    return mode == O_RDONLY || mode == O_RDWR || refuse(EBADF);
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

/* Whether the wrapper's caller is one whose memory is there for certain. */
#define CALLER_LENDS() (is_lender(__builtin_return_address(0)) ? LENT_MEMORY : 0)

static inline __attribute__((always_inline)) ssize_t plain_read(int fd, void *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return __builtin_expect(may_watch, 0) ? read_watches(fd, buf, size) : real.read(fd, buf, size);
    if (device_of(carrier)->flags & DEVICE_STREAM)
        return told(carrier, fd, OP_READ, may_read(carrier) ? read_records(device_of(carrier), fd, buf, size) : -1, buf);
    struct iovec part = { buf, size };
    if (device_of(carrier)->flags & DEVICE_READ)
        return device_read(carrier, fd, &part, 1, OWN_POSITION, CALLER_LENDS());
    return told(carrier, fd, OP_READ, read_native(carrier, fd, &part, 1), buf);
}

static __attribute__((noinline)) ssize_t recorded_read(int fd, void *buf, size_t size)
{
    const struct carrier *carrier = recorded(fd);
    struct iovec part = { buf, size };
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_READ, (int64_t)size, OWN_POSITION, 0))
        return plain_read(fd, buf, size);
    return end_read(&call, &part, 1, is_hardware(carrier) ? real.read(fd, buf, size) : plain_read(fd, buf, size));
}

INTERPOSE ssize_t read(int fd, void *buf, size_t size)
{
    return recording() ? recorded_read(fd, buf, size) : plain_read(fd, buf, size);
}
SAME_AS(read, __read);

static ssize_t plain_readv(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_STREAM | DEVICE_ASKS);
    if (carrier && !is_vector(parts, count))
        return -1;
    if (carrier && (device_of(carrier)->flags & DEVICE_STREAM))
        return may_read(carrier) ? read_records_into(device_of(carrier), fd, parts, count) : -1;
    if (carrier && !(device_of(carrier)->flags & DEVICE_READ))
        return read_native(carrier, fd, parts, count);
    return carrier ? device_read(carrier, fd, parts, count, OWN_POSITION, 0) : real.readv(fd, parts, count);
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
    return carrier ? device_read(carrier, fd, &part, 1, offset, 0) : real.pread(fd, buf, size, offset);
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
    return carrier ? device_read(carrier, fd, parts, count, offset, 0) : real.preadv(fd, parts, count, offset);
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
    if (carrier && !((offset == OWN_POSITION || is_position(offset)) && are_known(flags) && is_vector(parts, count)))
        return -1;
    return carrier ? device_read(carrier, fd, parts, count, offset, flags & RWF_NOWAIT ? WITHOUT_WAIT : 0)
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

static inline __attribute__((always_inline)) ssize_t plain_write(int fd, const void *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return real.write(fd, buf, size);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    if (device_of(carrier)->flags & DEVICE_WRITE)
        return device_write(carrier, fd, &part, 1, OWN_POSITION, CALLER_LENDS());
    return told(carrier, fd, OP_WRITE, WITHOUT_GIL(real.write(fd, buf, size)), buf);
}

static __attribute__((noinline)) ssize_t recorded_write(int fd, const void *buf, size_t size)
{
    const struct carrier *carrier = recorded(fd);
    struct iovec part = { (void *)(uintptr_t)buf, size };
    struct recording call;
    if (!carrier || !begin_recording(&call, carrier, fd, CALL_WRITE, (int64_t)size, OWN_POSITION, 0))
        return plain_write(fd, buf, size);
    return end_write(&call, &part, 1, is_hardware(carrier) ? real.write(fd, buf, size) : plain_write(fd, buf, size));
}

INTERPOSE ssize_t write(int fd, const void *buf, size_t size)
{
    return recording() ? recorded_write(fd, buf, size) : plain_write(fd, buf, size);
}
SAME_AS(write, __write);

static ssize_t plain_writev(int fd, const struct iovec *parts, int count)
{
    const struct carrier *carrier = answering(fd, DEVICE_WRITE);
    if (carrier && !is_vector(parts, count))
        return -1;
    return carrier ? device_write(carrier, fd, parts, count, OWN_POSITION, 0) : real.writev(fd, parts, count);
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
    return carrier ? device_write(carrier, fd, &part, 1, offset, 0) : real.pwrite(fd, buf, size, offset);
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
    return carrier ? device_write(carrier, fd, parts, count, offset, 0) : real.pwritev(fd, parts, count, offset);
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
    if (carrier && !((offset == OWN_POSITION || is_position(offset)) && are_known(flags) && is_vector(parts, count)))
        return -1;
    return carrier ? device_write(carrier, fd, parts, count, offset, flags & RWF_NOWAIT ? WITHOUT_WAIT : 0)
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
