/* calls.h: one call on a device, one answer. All behave as the system call of their name: -1 and errno. */
#ifndef DEVSHIM_CALLS_H
#define DEVSHIM_CALLS_H

#include "handles.h"

#define OWN_POSITION ((int64_t)-1) /* read and write at the file's own position */

int device_open(const struct node *node, const char *placeholder, int flags, mode_t mode);

/* how: in what a read or write differs from the usual. */
enum how {
    WITHOUT_WAIT = 1,  /* as with RWF_NOWAIT */
    LENT_MEMORY = 2,   /* its memory is there for certain: image.h, is_lender() */
};
ssize_t device_read(const struct carrier *carrier, int fd, const struct iovec *parts, int count, int64_t offset,
                    unsigned how);
ssize_t device_write(const struct carrier *carrier, int fd, const struct iovec *parts, int count, int64_t offset,
                     unsigned how);
int64_t device_seek(const struct carrier *carrier, int64_t offset, int whence);
int device_ioctl(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument);

/* operation: flock(2)'s, with enum lock_flag. Returns 0, or what a LOCK_TEST found. */
int64_t device_lock(const struct carrier *carrier, int operation);

/* A node was asked for that nobody plugged. Returns 0, or the errno with which a guard refuses it. */
int note_miss(const char *path, int error);

/* A call is about to wait in the kernel (DEVICE_ASKS): the host may let it find something. Returns the errno with which
 * a terminal that has hung up fails, 0: with the end of file. Leaves errno alone. */
int tell_waiting(const struct carrier *carrier, enum op op);

/* Opens and closes of nodes are about to be watched (inotify(7)). Leaves errno alone. */
void tell_watch(void);

/* A real node is about to be opened that is not recorded. Returns the index of its device if the host has it recorded from
 * now on, else 0. */
uint32_t ask_to_record(const char *path);

/* A native call on a device is over (DEVICE_REPORT): tell the host what it was. Leaves errno alone. */
void report(const struct carrier *carrier, uint32_t op, int64_t result, const void *data, size_t size);

#endif
