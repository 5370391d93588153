/* arguments.h: carries an ioctl's argument, with all that its pointers point to, to the host and back. */
#ifndef DEVSHIM_ARGUMENTS_H
#define DEVSHIM_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* One argument on its way: where each segment lies in the program. */
struct argument {
    const struct ioctl_table *table;
    struct ioctl_entry entry;
    bool described;   /* the table knows the request */
    uint32_t element; /* bytes of one element of the argument: all of it, except where IOCTL_SIZED */
    uintptr_t address;
    uint32_t count;
    struct {
        uintptr_t address;
        uint32_t length;
        bool out; /* the call may write it */
    } segments[MAX_SEGMENTS];
};

/* Look the request up. False where the carrier's kernel object answers it (IOCTL_NATIVE). A request that
 * nobody described is taken at its number's word (_IOC_DIR, _IOC_SIZE). */
bool describe_argument(struct argument *walk, const struct ioctl_table *table, uint32_t request,
                       uintptr_t address, bool described);

/* Copy all of it into the slot. 0, or the errno: EFAULT, E2BIG, ENOMEM. */
int collect_argument(struct argument *walk, struct slot *slot);

/* The same into a room of a fixed size. Returns the bytes used, or minus the errno: -ENOMEM where the room is too small. */
int64_t collect_argument_into(struct argument *walk, void *room, uint32_t size);

/* After the call: copy what it may have written into a room, in the same form, marked SEGMENT_WRITE; the other segments
 * have no bytes. Returns the bytes used, 0 where nothing can have been written, or minus the errno. */
int64_t collect_results_into(const struct argument *walk, void *room, uint32_t size);

/* After a call whose pointers are those of its answer (IOCTL_FOLLOWS): the argument and all that they lead to, likewise. */
int64_t collect_followed_into(struct argument *walk, void *room, uint32_t size);

/* Copy back what the host marked in an answer, which lies in a room of so many bytes, and fill what it says of memory that
 * earlier calls named. False on a bad address. */
bool return_argument(const struct argument *walk, const void *room, uint32_t size);

#endif
