/* wrap_control.c: ioctl, and calls on a whole file: syncing, truncating, mapping, and moving data between two. */
#include <errno.h>
#include <sys/ioctl.h>

#include "calls.h"
#include "record.h"
#include "remote.h"
#include "wrap_control.h"

/* Requests of linux/fs.h, which some versions of libc's headers do not let in beside them. The sizes are those of int,
 * struct fiemap, struct file_clone_range and struct file_dedupe_range. */
enum vfs_request {
    VFS_FREEZE = _IOWR('X', 119, int),
    VFS_THAW = _IOWR('X', 120, int),
    VFS_FIEMAP = _IOWR('f', 11, char[32]),
    VFS_CLONE = _IOW(0x94, 9, int),
    VFS_CLONE_RANGE = _IOW(0x94, 13, char[32]),
    VFS_DEDUPE = _IOWR(0x94, 54, char[24])
};

/* What the kernel answers for every descriptor, whatever is behind it (fs/ioctl.c): no driver ever sees these. */
static bool answered_by_vfs(unsigned long request)
{
    switch ((uint32_t)request) {
    case FIOCLEX:
    case FIONCLEX:
    case FIONBIO:
    case FIOASYNC:
    case VFS_FREEZE:
    case VFS_THAW:
    case VFS_FIEMAP:
    case VFS_CLONE:
    case VFS_CLONE_RANGE:
    case VFS_DEDUPE:
        return true;
    }
    return false;
}

static __attribute__((noinline)) int ioctl_on_carrier(int fd, unsigned long request, uintptr_t argument)
{
    const struct carrier *carrier = known_carrier(fd);
    if (carrier && request == FIOASYNC)
        take_tag_off(fd);
    if (!carrier || answered_by_vfs(request) || (device_of(carrier)->flags & DEVICE_MONITOR))
        return real.ioctl(fd, request, argument);
    return ioctl_on(carrier, fd, request, argument);
}

INTERPOSE int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    uintptr_t argument = va_arg(args, uintptr_t);
    va_end(args);

    START_ONCE();
    return may_be_carrier(fd) ? ioctl_on_carrier(fd, request, argument) : real.ioctl(fd, request, argument);
}

int ioctl_of_another(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument)
{
    if (request == FIOASYNC)
        take_tag_off(fd);
    return answered_by_vfs(request) ? leave_to_kernel() : ioctl_on(carrier, fd, request, argument);
}

/* ---- What a socket carrier would answer unlike a device ---------------------------------------------- */

static int refused(int error)
{
    errno = error;
    return -1;
}

/* A descriptor of O_PATH is left to the kernel, which answers EBADF. */
static const struct carrier *open_carrier(int fd)
{
    const struct carrier *carrier = answering(fd, DEVICE_READ | DEVICE_WRITE);
    return carrier && !(carrier->access & O_PATH) ? carrier : NULL;
}

static bool computed(int fd)
{
    return open_carrier(fd) != NULL;
}

/* A disk can be synced (its host keeps nothing back), and so can an attribute of sysfs; a character device seldom. */
static int synced(const struct carrier *carrier)
{
    return S_ISBLK(device_of(carrier)->mode) || S_ISREG(device_of(carrier)->mode) ? 0 : refused(EINVAL);
}

static int plain_fsync(int fd)
{
    const struct carrier *carrier = open_carrier(fd);
    return carrier ? synced(carrier) : real.fsync(fd);
}

INTERPOSE int fsync(int fd)
{
    RECORDED(fd, CALL_FSYNC, 0, 0, real.fsync(fd), plain_fsync(fd));
}

static int plain_fdatasync(int fd)
{
    const struct carrier *carrier = open_carrier(fd);
    return carrier ? synced(carrier) : real.fdatasync(fd);
}

INTERPOSE int fdatasync(int fd)
{
    RECORDED(fd, CALL_FDATASYNC, 0, 0, real.fdatasync(fd), plain_fdatasync(fd));
}

/* Attributes of sysfs are shown as files; truncating one changes nothing, as there. */
static int plain_ftruncate(int fd, off_t length)
{
    const struct carrier *carrier = open_carrier(fd);
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
    if (!computed(fd))
        return real.posix_fadvise(fd, offset, length, advice);
    return length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? EINVAL : 0;
}
SAME_AS(posix_fadvise, posix_fadvise64);

static void *plain_mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    const struct carrier *carrier = flags & MAP_ANONYMOUS ? NULL : open_carrier(fd);
    if (carrier) {
        errno = (carrier->access & O_ACCMODE) == O_WRONLY ? EACCES : ENODEV;
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

