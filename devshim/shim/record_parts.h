/* record_parts.h: what the files that write records share. */
#ifndef DEVSHIM_RECORD_PARTS_H
#define DEVSHIM_RECORD_PARTS_H

#include "record.h"

static inline uint32_t up_to_eight(size_t size)
{
    return (uint32_t)((size + 7) & ~(size_t)7);
}

/* The beginning of a call on a descriptor: which file that is, met for the first time if need be. */
struct recording start_call(const struct carrier *carrier, int fd, enum record_call what);

/* Room for a record of so many bytes whose head is filled: from model, and who and when. To be handed to commit(). NULL
 * where there is none. */
struct record *begin_record(const struct recording *call, const struct record *model, uint32_t length, uint64_t *position);

#endif
