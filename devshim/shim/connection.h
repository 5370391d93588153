/* connection.h: this process's end of the channel: asked for with the first call, and dropped in fork children. */
#ifndef DEVSHIM_CONNECTION_H
#define DEVSHIM_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "direct.h"
#include "wire.h"

struct connection {
    struct channel *channel;
    struct bell *bell;
    pid_t process;  /* whose page this is; 0: not known */
    uint32_t epoch; /* tells a thread's cached id from one of before a fork */
    uint32_t lacking; /* slots without a large room */
    const struct direct *direct; /* the host is in this very process */
};

/* NULL until somebody asks. */
extern struct connection *connection;

/* The same with a channel, asked for if need be; NULL with errno where none can be had. */
struct connection *connected(void);

/* How many slots have a large room, from 0 on. */
uint32_t rooms_of(const struct connection *page);

/* Whether a vfork child runs here, in its parent's memory: then nothing of the program's may be changed. */
bool in_borrowed_memory(void);

/* Make a channel that came with an answer this process's; its descriptors (-1: lost on the way) are closed. False with
 * errno where it cannot be. */
bool take_channel(int channel_fd, int bell_fd);

/* Take a channel now rather than with the first call, when all descriptors may be in use. Leaves errno alone,
 * and returns 0 or another one. */
int join_host(void);

/* From now on this process's calls are answered by its own interpreter (direct.h); NULL: by nobody any more. Its fork
 * children ask over the socket, as any target. False with errno where there is no memory for it. */
bool converse_in_process(const struct direct *direct);

/* Let a fork child go on whose parent forked in the middle of a call, in a signal's handler: the call ends with EINTR. */
void end_calls_in_children(void);

/* What was given there, or NULL: also in a fork child. */
const struct direct *direct_host(void);

#endif
