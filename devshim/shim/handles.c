/* handles.c: which descriptors are devices.
 *
 * A device's descriptor is known by the inode of its carrier, which dup, fork, exec and SCM_RIGHTS all keep;
 * a table of descriptor numbers loses every one of these. The bitmap only spares ordinary descriptors the
 * fstat. Its bits are set by each wrapper through which a carrier can come in and never cleared, because a
 * vfork child's close() runs in its parent's memory. */
#include "handles.h"

#include <errno.h>
#include <sys/syscall.h>

#include "direct.h"
#include "openfiles.h"
#include "remote.h"
#include "ring.h"

uint8_t may_be_device[WATCHED_FDS / 8];

/* Descriptors from PROBED_FDS on that were found to be ordinary when first used; until then they may have
 * been inherited. Smaller ones were looked at by watch_inherited(). Separate from the bitmap above, so that nobody ever
 * clears a bit that another thread set. */
static uint8_t examined[WATCHED_FDS / 8];

/* The raw call: the wrapper of fstat must show the node, this must show the carrier. */
int status_of_carrier(int fd, struct stat *status)
{
    int before = errno, result;

    do {
#ifdef SYS_fstat
        result = (int)real.syscall(SYS_fstat, fd, status);
#else
        result = real.fstat(fd, status);
#endif
    } while (result < 0 && errno == EINTR);
    errno = before;
    return result;
}

/* ---- Tags ------------------------------------------------------------------------------------------
 *
 * The host gives an open file that is no terminal a tag: the signal that F_SETSIG sets, which the kernel keeps with the open
 * file, not with a descriptor, and of which F_GETSIG tells in half the time that fstat takes. No two open files of a run
 * have the same. So where a descriptor was a certain carrier when it was last looked at, and shows that one's tag, it
 * still is, whatever was done to descriptors meanwhile, and by whom. */

#define GUESSED_FDS 1024

/* For each descriptor the place of the carrier that it was, plus one. Never cleared for a close: only a guess. */
static uint32_t guesses[GUESSED_FDS];

static void remember(int fd, const struct carrier *carrier)
{
    if ((unsigned)fd < GUESSED_FDS && carrier->tag)
        __atomic_store_n(&guesses[fd], carrier_place(carrier) + 1, __ATOMIC_RELAXED);
}

/* The carrier that a descriptor was and still is, or NULL. Its entry is looked at again behind the tag: as long as that
 * stands, the tag is nobody else's. */
static const struct carrier *still(int fd)
{
    if (__builtin_expect(remote != NULL, 0) && remote->lent == fd) /* nobody else closes it */
        return __atomic_load_n(&remote->carrier->inode, __ATOMIC_ACQUIRE) == remote->inode ? remote->carrier : NULL;
    uint32_t guess = (unsigned)fd < GUESSED_FDS ? __atomic_load_n(&guesses[fd], __ATOMIC_RELAXED) : 0;
    const struct carrier *carrier = guess ? carrier_in(guess - 1) : NULL;
    int before = errno;

    if (!carrier || !carrier->tag)
        return NULL;
    int tag = real.fcntl(fd, F_GETSIG);
    errno = before;
    return tag == (int)carrier->tag && carrier_in(guess - 1) ? carrier : NULL;
}

void forget_guesses(void)
{
    for (int fd = 0; fd < GUESSED_FDS; fd++)
        __atomic_store_n(&guesses[fd], 0, __ATOMIC_RELAXED);
}

int shown_signal(int fd, int signal)
{
    const struct carrier *carrier = signal > 0 ? carrier_of(fd) : NULL;
    return carrier && (int)carrier->tag == signal ? 0 : signal;
}

void take_tag_off(int fd)
{
    int before = errno;
    const struct carrier *carrier = carrier_of(fd);
    if (carrier && carrier->tag && real.fcntl(fd, F_GETSIG) == (int)carrier->tag)
        real.fcntl(fd, F_SETSIG, 0);
    errno = before;
}

/* ---- Inodes ---------------------------------------------------------------------------------------- */

static uint64_t born(const struct stat *status)
{
    return (uint64_t)status->st_ctim.tv_sec * 1000000000u + (uint64_t)status->st_ctim.tv_nsec;
}

const struct carrier *carrier_at(const struct stat *status)
{
    const struct carrier *carrier = registry ? find_carrier(status->st_dev, status->st_ino) : NULL;
    return carrier && (!carrier->born || carrier->born == born(status)) ? carrier : NULL;
}

static bool may_be_examined(int fd)
{
    return fd >= PROBED_FDS && fd < WATCHED_FDS;
}

static bool known_ordinary(int fd)
{
    return fd < 0 || (may_be_examined(fd) && is_set(examined, fd) && !is_set(may_be_device, fd));
}

const struct carrier *identify(int fd)
{
    struct stat status;

    if (!registry || known_ordinary(fd))
        return NULL;
    const struct carrier *carrier = still(fd);
    if (carrier)
        return carrier;
    return status_of_carrier(fd, &status) < 0 ? NULL : identify_by(fd, &status);
}

const struct carrier *identify_by(int fd, const struct stat *status)
{
    if (!registry || known_ordinary(fd))
        return NULL;
    const struct carrier *carrier = find_carrier(status->st_dev, status->st_ino);
    if (!carrier && ring)
        carrier = anonymous_carrier(fd, status->st_ino);
    if (carrier && (!carrier->born || carrier->born == born(status))) {
        watch(fd);
        remember(fd, carrier);
        if (stands_aside() && (registry_device(carrier->device)->flags & DEVICE_TTY))
            return NULL; /* the host's own work on a pty */
        return carrier;
    }
    if (may_be_examined(fd))
        __atomic_fetch_or(&examined[fd >> 3], 1u << (fd & 7), __ATOMIC_RELAXED);
    return NULL;
}

/* One poll() tells which of many descriptors are open: 10 ns each, where listing /proc/self/fd takes 20 us. */
void watch_inherited(void)
{
    struct pollfd probes[PROBED_FDS];
    struct stat status;
    int before = errno;

    for (int fd = 0; fd < PROBED_FDS; fd++)
        probes[fd] = (struct pollfd){ .fd = fd };
    bool probed = real.poll(probes, PROBED_FDS, 0) >= 0; /* fails where RLIMIT_NOFILE is lower */
    for (int fd = 0; fd < PROBED_FDS; fd++)
        if ((!probed || !(probes[fd].revents & POLLNVAL)) && status_of_carrier(fd, &status) == 0)
            identify_by(fd, &status);
    errno = before;
}
