/* record.h: what the wrappers say of calls on recorded devices: that one begins, and what became of it.
 *
 *     struct recording call;
 *     if (!begin_recording(&call, carrier, fd, CALL_SEEK, offset, whence, 0))
 *         return as_ever(...);
 *     return end_recording(&call, as_ever(...));
 *
 * All leave errno as the call left it. */
#ifndef DEVSHIM_RECORD_H
#define DEVSHIM_RECORD_H

#include "handles.h"
#include "ring.h"

struct recording {
    uint64_t number;
    uint32_t file, device;
    uint16_t call;
};

/* Whether anything is recorded in this run. A ring may be there from the run before (ring.h). */
static inline bool recording(void)
{
    return __builtin_expect(ring != NULL, 0) && (registry->flags & REGISTRY_RECORDS);
}

/* Whether calls on this carrier are. */
static inline bool is_recorded(const struct carrier *carrier)
{
    return device_of(carrier)->flags & DEVICE_RECORD;
}

/* The carrier behind a descriptor whose calls are recorded, else NULL: nothing but a test where nothing is. */
static inline const struct carrier *recorded(int fd)
{
    const struct carrier *carrier = recording() ? known_carrier(fd) : NULL;
    return carrier && is_recorded(carrier) ? carrier : NULL;
}

/* Whether it is hardware: then the kernel answers on the program's own descriptor. */
static inline bool is_hardware(const struct carrier *carrier)
{
    return device_of(carrier)->flags & DEVICE_HARDWARE;
}

/* The body of a wrapper whose call may be recorded: as the kernel answers for hardware, else as ever. */
#define RECORDED(fd, what, first, second, hardware, plain)                                          \
    struct recording call;                                                                          \
    const struct carrier *behind = recorded(fd);                                                    \
    if (!behind || !begin_recording(&call, behind, fd, what, first, second, 0))                     \
        return plain;                                                                               \
    return end_recording(&call, is_hardware(behind) ? hardware : plain)

/* Take what an exec handed on. Called once, by start(). */
void start_recording(void);

/* The same for a process that has joined another run, of which no exec knows anything. */
void start_recording_again(void);

/* What an exec hands on: "DEVSHIM_FILES=...", or NULL where nothing is recorded. room: for at least LONGEST_HANDED_ON. */
#define HANDED_ON "DEVSHIM_FILES"
#define LONGEST_HANDED_ON 2048
char *hand_on_files(char *room);

/* A call begins; first to third as enum record_call says. False where it is not recorded; then nothing is to be ended. */
bool begin_recording(struct recording *call, const struct carrier *carrier, int fd, enum record_call what, int64_t first,
                     int64_t second, int64_t third);

/* It has returned this. Returns the same. */
int64_t end_recording(const struct recording *call, int64_t result);

/* The same for a read, whose bytes lie in the program's memory. */
int64_t end_read(const struct recording *call, const struct iovec *parts, int count, int64_t result);

/* The same for a write. */
int64_t end_write(const struct recording *call, const struct iovec *parts, int count, int64_t result);

/* An ioctl on a recorded device from begin to end: by the model, or by the kernel. */
int record_ioctl(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument);

/* An ioctl on any known carrier. */
int ioctl_on(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument);

/* An open of a recorded device begins, or a failed one has ended; result: the descriptor or -1. */
bool begin_open(struct recording *call, uint32_t device, const char *path, int flags, mode_t mode);
int end_open(const struct recording *call, int result);

/* The index of the recorded device that opening a path would open, after asking the host about a node that it has not
 * seen; 0: none, or none that is recorded. */
uint32_t device_to_record(int dirfd, const char *path, int flags);

/* A call that moves data past the program's memory cannot be recorded; name: as people know it. */
void lose_recording(const struct carrier *carrier, const char *name);

/* A descriptor has been copied: to stands for what from does. What to stood for before has been closed. */
void record_copy(int to, int from);

#endif
