/* channel.h: the transport to the host. Slots in shared memory carry calls; a socket, opened and closed for
 * each use, carries descriptors. No descriptor stays open in the program: its closefrom() breaks nothing. */
#ifndef DEVSHIM_CHANNEL_H
#define DEVSHIM_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "direct.h"
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

/* Ask over the socket. Returns a descriptor (or -1 with errno from the answer, ENODEV without a host); *answer is filled
 * whenever the host answered at all. With second, the answer brings two. May be interrupted (EINTR) only
 * where the host lets an open wait. */
int ask_for_descriptor(const struct hello_request *request, const char *path, struct hello_answer *answer,
                       int *second);

/* The same in a program that has a host of its own, of the run that it was started in. */
int ask_outer_host(const struct hello_request *request, const char *path);

/* Whether a vfork child runs here, in its parent's memory: then nothing of the program's may be changed. */
bool in_borrowed_memory(void);

/* Take a channel now rather than with the first call, when all descriptors may be in use. Leaves errno alone. */
void join_host(void);

/* From now on this process's calls are answered by its own interpreter (direct.h); NULL: by nobody any more. Its fork
 * children ask over the socket, as any target. False with errno where there is no memory for it. */
bool converse_in_process(const struct direct *direct);

/* What was given there, or NULL: also in a fork child. */
const struct direct *direct_host(void);

/* Whether the host is still there, asked of the kernel. */
bool host_lives(void);

/* Say once on stderr that the host is gone; errno is ENODEV afterwards. */
void host_is_gone(void);

#endif
