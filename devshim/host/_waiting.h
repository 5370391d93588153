/* _waiting.h: where the host's thread of calls waits for the next one. */
#ifndef DEVSHIM_HOST_WAITING_H
#define DEVSHIM_HOST_WAITING_H

#include "_channel.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../shim/wire.h"

#define WATCHED 8          /* slots that are looked at without being rung for */
#define CLOSES  UINT32_MAX /* in place of a process: files were closed */

struct process {
    struct channel *channel; /* NULL: no process has this number */
    size_t size;             /* bytes mapped */
    uint32_t rooms;          /* slots whose large room is among them */
    uint32_t dying;
};

struct watched {
    struct slot *slot;
    uint32_t process, index;
};

struct waiting {
    struct bell *bell;
    struct process *processes; /* MAX_PROCESSES */
    struct watched watched[WATCHED];
    uint32_t next_watched, turn, dying, stopping, cpu, crowded;
    cpu_set_t allowed; /* where our thread may run, as it was at the start */
    int64_t last;      /* ns: when a call came from our own core */
    bool moved;
    int loop, closes;  /* the loop's epoll, and that of the files' ends in it (closes.py); -1: none */
    uint32_t unheard;  /* for so many more calls, or rounds of closes, the loop does not hear of closes */
    bool opened;       /* the call that was answered last was an open's */
};

static inline struct slot *slot_at(struct channel *channel, uint32_t index)
{
    return (struct slot *)((char *)channel + CHANNEL_HEAD + (size_t)index * SLOT_SIZE);
}

/* By the thread that is going to wait. */
void begin_waiting(struct waiting *self);

/* Without the GIL: whose call is next, or CLOSES. False when told to stop. */
bool next_call(struct waiting *self, uint32_t *process, uint32_t *index);

/* After an answer: be where and how the same caller's next call is soonest met. cpu: where the caller runs. */
void keep_near(struct waiting *self, uint32_t process, uint32_t index, uint32_t cpu);

#endif
