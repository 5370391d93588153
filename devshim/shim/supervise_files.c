/* supervise_files.c: caught calls on descriptors, done for the caller: ioctl, read, write, fstat and their kin.
 *
 * The caller's descriptor is borrowed, so that the shim's wrappers can do the call, with the data in memory of ours. An
 * ioctl's pointers lead into the caller's memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "handles.h"
#include "listing.h"
#include "supervise.h"
#include "wrap_control.h"
#include "wrap_syscall.h"

#ifdef SUPERVISES

static int64_t result_of(long result)
{
    return result < 0 ? -errno : result;
}

/* ---- Loans ----------------------------------------------------------------------------------------- */

static void forget_process(struct caught *call)
{
    if (call->pidfd >= 0)
        real.syscall(SYS_close, call->pidfd);
    call->pidfd = -1;
    call->known = 0;
}

static bool know_process(struct caught *call)
{
    if (call->known == call->process)
        return true;
    forget_process(call);
    call->pidfd = (int)real.syscall(SYS_pidfd_open, call->process, 0);
    call->known = call->pidfd >= 0 ? call->process : 0;
    return call->pidfd >= 0;
}

static int loan(struct caught *call, int fd)
{
    for (int tries = 0; tries < 2 && know_process(call); tries++) {
        int own = (int)real.syscall(SYS_pidfd_getfd, call->pidfd, fd, 0);
        if (own >= 0 || errno != ESRCH) {
            if (own < 0 && errno == EPERM)
                remote_refused();
            return own;
        }
        forget_process(call); /* its number has become another's */
    }
    return -1;
}

int borrow(struct caught *call, int fd, const struct carrier **carrier)
{
    struct stat status;
    int own = fd >= 0 ? loan(call, fd) : -1;

    *carrier = NULL;
    if (own < 0 || real.syscall(SYS_fstat, own, &status) < 0)
        return own;
    const struct carrier *found = carrier_at(&status);
    if (found && !(device_of(found)->flags & (DEVICE_HARDWARE | DEVICE_MONITOR))) {
        watch(own);
        *carrier = call->remote.carrier = found;
        call->remote.inode = status.st_ino;
        call->remote.lent = own;
    }
    return own;
}

void close_loan(int fd)
{
    if (fd < 0)
        return;
    if (remote->lent == fd)
        remote->lent = -1;
    real.syscall(SYS_close, fd);
}

/* ---- Data ------------------------------------------------------------------------------------------ */

static ssize_t total(const struct iovec *parts, int count)
{
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        if ((ssize_t)parts[i].iov_len < 0 || (ssize_t)(sum + parts[i].iov_len) < 0)
            return -EINVAL;
        sum += parts[i].iov_len;
    }
    return sum < LARGE_DATA ? (ssize_t)sum : (ssize_t)LARGE_DATA;
}

/* Between our memory and the parts of the caller's. */
static bool copy_parts(bool out, const struct iovec *parts, int count, char *ours, size_t size)
{
    for (int i = 0; i < count && size > 0; i++) {
        size_t piece = parts[i].iov_len < size ? parts[i].iov_len : size;
        uintptr_t theirs = (uintptr_t)parts[i].iov_base;
        if (!(out ? copy_to_remote(theirs, ours, piece) : copy_from_remote(ours, theirs, piece)))
            return false;
        ours += piece;
        size -= piece;
    }
    return true;
}

/* How the data calls are told apart: what they do, and with what. */
struct moving {
    bool writes, vector, positioned, flagged;
};

static bool moves_data(long number, struct moving *how)
{
    switch (number) {
    case SYS_read:
        return *how = (struct moving){ .writes = false }, true;
    case SYS_write:
        return *how = (struct moving){ .writes = true }, true;
    case SYS_pread64:
        return *how = (struct moving){ .positioned = true }, true;
    case SYS_pwrite64:
        return *how = (struct moving){ .writes = true, .positioned = true }, true;
    case SYS_readv:
        return *how = (struct moving){ .vector = true }, true;
    case SYS_writev:
        return *how = (struct moving){ .writes = true, .vector = true }, true;
    case SYS_preadv:
        return *how = (struct moving){ .vector = true, .positioned = true }, true;
    case SYS_pwritev:
        return *how = (struct moving){ .writes = true, .vector = true, .positioned = true }, true;
    case SYS_preadv2:
        return *how = (struct moving){ .vector = true, .positioned = true, .flagged = true }, true;
    case SYS_pwritev2:
        return *how = (struct moving){ .writes = true, .vector = true, .positioned = true, .flagged = true }, true;
    }
    return false;
}

/* What the kernel does as well is the kernel's: the bytes of a terminal of which nobody wants to hear. */
static bool is_answered_here(const struct carrier *carrier, const struct moving *how)
{
    uint32_t ours = how->writes ? DEVICE_WRITE | DEVICE_REPORT : DEVICE_READ | DEVICE_REPORT | DEVICE_ASKS | DEVICE_STREAM;
    if (how->positioned && !how->flagged)
        ours = how->writes ? DEVICE_WRITE : DEVICE_READ;
    return device_of(carrier)->flags & ours;
}

static long move(const struct moving *how, const uint64_t *a, int fd, void *data, size_t size)
{
    struct iovec whole = { data, size };
    long arguments[6] = { fd, (long)data, (long)size, (long)a[3] };

    if (how->flagged) {
        arguments[1] = (long)&whole;
        arguments[2] = 1;
        arguments[5] = (long)a[5];
        return call_by_number(how->writes ? SYS_pwritev2 : SYS_preadv2, arguments);
    }
    if (how->positioned)
        return call_by_number(how->writes ? SYS_pwrite64 : SYS_pread64, arguments);
    return call_by_number(how->writes ? SYS_write : SYS_read, arguments);
}

/* Reads of what is in the carrier itself wait in the kernel. */
static bool may_wait(const struct carrier *carrier, const struct moving *how)
{
    return !(device_of(carrier)->flags & (how->writes ? DEVICE_WRITE : DEVICE_READ));
}

static int64_t move_for(struct caught *call, const struct moving *how, int fd)
{
    const uint64_t *a = call->arguments;
    struct iovec whole = { (void *)(uintptr_t)a[1], (size_t)a[2] };
    const struct iovec *parts = how->vector ? call->parts : &whole;
    int count = how->vector ? (int)a[2] : 1;

    if (how->vector && (count < 0 || count > IOV_MAX))
        return -EINVAL;
    if (how->vector && !copy_from_remote(call->parts, (uintptr_t)a[1], (size_t)count * sizeof *parts))
        return -EFAULT;
    ssize_t size = total(parts, count);
    if (size < 0)
        return size;
    char *data = room_for(call, (size_t)size);
    if (!data)
        return -ENOMEM;
    if (how->writes && !copy_parts(false, parts, count, data, (size_t)size))
        return -EFAULT;
    long moved = move(how, a, fd, data, (size_t)size);
    if (moved < 0)
        return -errno;
    return how->writes || copy_parts(true, parts, count, data, (size_t)moved) ? moved : -EFAULT;
}

static bool is_computed(const struct carrier *carrier)
{
    return device_of(carrier)->flags & (DEVICE_READ | DEVICE_WRITE) && !(carrier->access & O_PATH);
}

/* splice(2) and its kin would move readiness tokens about as if they were data. */
static int64_t pass_data(struct caught *call, int in, int out)
{
    const struct carrier *carrier;
    bool ours = false;

    for (int side = 0; side < 2; side++) {
        int fd = borrow(call, side ? out : in, &carrier);
        ours |= carrier && is_computed(carrier);
        close_loan(fd);
    }
    return ours ? -EINVAL : LEAVE;
}

/* ---- What a descriptor is -------------------------------------------------------------------------- */

static int64_t stat_for(int fd, uintptr_t to)
{
    struct stat status;
    if (call_by_number(SYS_fstat, (long[6]){ fd, (long)&status }) < 0)
        return -errno;
    return copy_to_remote(to, &status, sizeof status) ? 0 : -EFAULT;
}

static int64_t statx_for(const struct caught *call, int fd)
{
    const uint64_t *a = call->arguments;
    struct statx status;

    if (call_by_number(SYS_statx, (long[6]){ fd, (long)"", (long)a[2], (long)a[3], (long)&status }) < 0)
        return -errno;
    return copy_to_remote((uintptr_t)a[4], &status, sizeof status) ? 0 : -EFAULT;
}

/* With AT_EMPTY_PATH; the path's first byte has to be looked at. */
static bool means_itself(const struct caught *call, int flags_at)
{
    char first;
    uintptr_t path = (uintptr_t)call->arguments[1];
    return (call->arguments[flags_at] & AT_EMPTY_PATH) && (!path || (copy_from_remote(&first, path, 1) && !first));
}

/* Whether a call that was on no name of ours is on a descriptor. */
static bool is_on_descriptor(const struct caught *call)
{
    switch (call->number) {
#ifdef SYS_open
    case SYS_open:
    case SYS_creat:
    case SYS_stat:
    case SYS_lstat:
    case SYS_access:
    case SYS_readlink:
#endif
#ifdef SYS_faccessat2
    case SYS_faccessat2:
#endif
    case SYS_openat:
    case SYS_openat2:
    case SYS_readlinkat:
    case SYS_faccessat:
        return false;
    case SYS_newfstatat:
        return means_itself(call, 3);
    case SYS_statx:
        return means_itself(call, 2);
    }
    return true;
}

/* The entries of a directory of which some are plugged. */
static int64_t list_for(struct caught *call, int fd)
{
    enum { MOST = 1 << 20 };
    char name[ROUTE_PATH];
    size_t size = call->arguments[2] < MOST ? (size_t)call->arguments[2] : MOST;
    enum route_kind kind = directory_at(fd, name);
    char *entries = kind == ROUTE_REAL ? NULL : room_for(call, size);

    if (!entries)
        return LEAVE;
    ssize_t length = list_directory(fd, kind, name, entries, size);
    if (length < 0)
        return -errno;
    return copy_to_remote((uintptr_t)call->arguments[1], entries, (size_t)length) ? length : -EFAULT;
}

/* ---- The calls ------------------------------------------------------------------------------------- */

static int64_t control_for(struct caught *call, const struct carrier *carrier, int fd)
{
    call->remote.theirs = true;
    int result = ioctl_of_another(carrier, fd, (unsigned long)call->arguments[1], (uintptr_t)call->arguments[2]);
    int error = errno;
    call->remote.theirs = false;
    if (call->remote.left)
        return LEAVE;
    return result < 0 ? -error : result;
}

static int64_t do_for(struct caught *call, const struct carrier *carrier, int fd)
{
    const uint64_t *a = call->arguments;
    struct moving how;

    if (moves_data(call->number, &how) && !is_answered_here(carrier, &how))
        return LEAVE;
    if (moves_data(call->number, &how)) {
        if (may_wait(carrier, &how))
            others_take_over();
        return move_for(call, &how, fd);
    }
    switch (call->number) {
    case SYS_ioctl:
        return control_for(call, carrier, fd);
    case SYS_fstat:
        return stat_for(fd, (uintptr_t)a[1]);
    case SYS_newfstatat:
        return stat_for(fd, (uintptr_t)a[2]);
    case SYS_statx:
        return statx_for(call, fd);
    case SYS_lseek:
        return device_of(carrier)->flags & DEVICE_SEEK
                   ? result_of(call_by_number(SYS_lseek, (long[6]){ fd, (long)a[1], (long)a[2] })) : LEAVE;
    case SYS_fcntl:
        if ((int)a[1] != F_SETFL)
            return result_of(call_by_number(SYS_fcntl, (long[6]){ fd, (long)a[1] }));
        take_tag_off(fd);
        return LEAVE;
    case SYS_flock:
        return result_of(call_by_number(SYS_flock, (long[6]){ fd, (long)a[1] }));
    case SYS_fsync:
    case SYS_fdatasync:
        return is_computed(carrier) ? result_of(call_by_number(call->number, (long[6]){ fd })) : LEAVE;
    case SYS_getsockopt:
    case SYS_setsockopt:
    case SYS_getsockname:
    case SYS_getpeername:
    case SYS_shutdown:
    case SYS_sendto:
    case SYS_recvfrom:
        return -ENOTSOCK;
    }
    return LEAVE;
}

int64_t call_on_file(struct caught *call)
{
    const uint64_t *a = call->arguments;
    const struct carrier *carrier;

    switch (call->number) {
    case SYS_sendfile:
        return pass_data(call, (int)a[1], (int)a[0]);
    case SYS_tee:
        return pass_data(call, (int)a[0], (int)a[1]);
    case SYS_splice:
    case SYS_copy_file_range:
        return pass_data(call, (int)a[0], (int)a[2]);
    }
    if (!is_on_descriptor(call))
        return LEAVE;
    int fd = borrow(call, (int)a[0], &carrier);
    int64_t answer = fd < 0 ? LEAVE : call->number == SYS_getdents64 ? list_for(call, fd)
                                    : carrier ? do_for(call, carrier, fd) : LEAVE;
    close_loan(fd);
    return answer;
}
#endif
