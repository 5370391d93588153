/* ring.h: room in the ring for records of what this run's programs do on recorded devices. */
#ifndef DEVSHIM_RING_H
#define DEVSHIM_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* The run's ring, or NULL where nothing is recorded. */
extern struct ring *ring;

/* Map the ring if the run has one, after its registry. A process that goes from run to run leaves an earlier one's behind
 * here; that stays mapped until the next, because threads may still be in the middle of a call. True where it has one. */
bool map_ring(void);

/* Room for a record of so many bytes, with its data; the caller fills it and hands it to commit(). Waits while the ring
 * is full. NULL where nobody takes records out any more, or where it is too much. Leaves errno alone. */
struct record *reserve(uint32_t length, uint64_t *position);

/* The record is complete: its first `used` bytes, of the `length` that were reserved; both a multiple of 8. */
void commit(struct record *record, uint64_t position, uint32_t length, uint32_t used);

/* The most that reserve() gives. */
uint32_t largest_record(void);

#endif
