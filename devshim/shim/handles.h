/* handles.h: which descriptors are devices. */
#ifndef DEVSHIM_HANDLES_H
#define DEVSHIM_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#include "interposed.h"
#include "registry.h"

#define WATCHED_FDS 65536 /* descriptors beyond it always count as "may be a device" */
#define PROBED_FDS  256   /* of inherited descriptors, these are looked at when the shim starts */

extern uint8_t may_be_device[WATCHED_FDS / 8];

/* fstat(2) as the kernel answers it, and never EINTR, as a caught call may while it waits to be received. Leaves errno alone. */
int status_of_carrier(int fd, struct stat *status);

/* The carrier behind a descriptor after a look at its inode, or NULL. Leaves errno alone. */
const struct carrier *identify(int fd);

/* The same for what somebody has looked at already. */
const struct carrier *identify_by(int fd, const struct stat *status);

/* The carrier with the inode that somebody has seen somewhere, or NULL. */
const struct carrier *carrier_at(const struct stat *status);

/* The tags by which carriers are known again are for us: what a program is shown in the place of F_GETSIG's answer. */
int shown_signal(int fd, int signal);

/* Before signals are switched on (O_ASYNC): they shall be SIGIO, or what the program has set. From then on its inode tells. */
void take_tag_off(int fd);

/* This process is about to have another registry. */
void forget_guesses(void);

/* Whether a descriptor's bit is set, while other threads set theirs. */
static inline bool is_set(const uint8_t *bitmap, int fd)
{
    return __atomic_load_n(&bitmap[fd >> 3], __ATOMIC_RELAXED) & (1u << (fd & 7));
}

/* What the bitmap says: one bit test for ordinary descriptors. Those from PROBED_FDS on may have been inherited. */
static inline bool may_be_carrier(int fd)
{
    return (unsigned)fd >= PROBED_FDS || is_set(may_be_device, fd);
}

/* The carrier behind a descriptor, recorded hardware's too, or NULL for an ordinary one. Ordinary descriptors cost one
 * bit test. */
static inline const struct carrier *known_carrier(int fd)
{
    START_ONCE();
    return may_be_carrier(fd) ? identify(fd) : NULL;
}

static inline const struct device *device_of(const struct carrier *carrier)
{
    return registry_device(carrier->device);
}

/* The carrier of a plugged device behind a descriptor; hardware that is recorded counts as ordinary. */
static inline const struct carrier *carrier_of(int fd)
{
    const struct carrier *carrier = known_carrier(fd);
    return carrier && !(device_of(carrier)->flags & DEVICE_HARDWARE) ? carrier : NULL;
}

/* The carrier if the model itself answers this kind of call (enum device_flag), else NULL. */
static inline const struct carrier *answering(int fd, uint32_t call)
{
    const struct carrier *carrier = carrier_of(fd);
    return carrier && (device_of(carrier)->flags & call) ? carrier : NULL;
}

/* A descriptor came to life through a wrapper: it may be a device. Never undone: see handles.c. */
static inline int watch(int fd)
{
    if ((unsigned)fd < WATCHED_FDS && registry && !is_set(may_be_device, fd))
        __atomic_fetch_or(&may_be_device[fd >> 3], 1u << (fd & 7), __ATOMIC_RELAXED);
    return fd;
}

/* dup and its kin: the new descriptor may be a device if the old one may. One from PROBED_FDS on may have been
 * inherited without anybody having looked at it yet. */
static inline int watch_copy(int new_fd, int old_fd)
{
    if (new_fd < 0)
        return new_fd;
    bool may = old_fd >= PROBED_FDS ? identify(old_fd) != NULL : is_set(may_be_device, old_fd);
    return may ? watch(new_fd) : new_fd;
}

/* Find the devices among the descriptors that this program inherited. Called once, by start(). */
void watch_inherited(void);

#endif
