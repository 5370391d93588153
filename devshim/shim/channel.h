/* channel.h: one conversation with the host: a slot in shared memory, and the wait for its answer. */
#ifndef DEVSHIM_CHANNEL_H
#define DEVSHIM_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

/* A slot of one's own for one conversation, or NULL with errno ENODEV where the host is gone. */
struct slot *take_slot(void);
void free_slot(struct slot *slot);

/* How much data a call in this slot may have. */
size_t slot_limit(const struct slot *slot);

/* Room for the data of a call, at most slot_limit(): in the slot, or its large room. */
void *slot_data(struct slot *slot, size_t size);

/* Where the data of the last slot_data() lies. */
void *slot_room(struct slot *slot);

/* Hand the filled slot to the host and wait for its answer. False with errno ENODEV where the host is gone. */
bool converse(struct slot *slot);

/* Whether this thread may be in the middle of a call, as one is that a signal's handler interrupted. */
bool is_calling(void);

/* Say once on stderr that the host is gone; errno is ENODEV afterwards. */
void host_is_gone(void);

#endif
