/* standing.h: answers that stand: who asks the same again gets the same, without the host. */
#ifndef DEVSHIM_STANDING_H
#define DEVSHIM_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

#define STANDING_ROOM 448 /* most bytes of a question's data, and of an answer's */

/* A question as it was asked, and its answer. */
struct standing {
    uint32_t file, device, request;
    uint32_t asked;    /* bytes of data */
    uint64_t argument; /* where there is no data */
    uint64_t moves;    /* as long as the registry's are so many, the answer stands */
    int64_t result;
    uint32_t answered; /* bytes of data */
    bool fits;         /* the question has no more data than can be kept */
    uint64_t question[STANDING_ROOM / 8], answer[STANDING_ROOM / 8];
};

/* The answer to the ioctl in a slot, whose data lies in room, where one stands. False: the host is to be asked; standing then
 * holds the question, for keep_standing(). Leaves errno alone. */
bool find_standing(struct standing *standing, const struct slot *slot, const void *room);

/* The host has answered the question of a find_standing(): keep that, if its answer stands. */
void keep_standing(struct standing *standing, const struct slot *slot, const void *room);

#endif
