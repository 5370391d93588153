/* direct.h: calls answered in this very process, by the interpreter that holds the models.
 *
 * The shim links no Python: the host's C module (host/_direct.c) fills struct direct with its functions, and finds
 * the shim's under the one name that is exported for it. */
#ifndef DEVSHIM_DIRECT_H
#define DEVSHIM_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jumps.h"
#include "wire.h"

#define ASK_OVER_SOCKET (-2)

/* What the host lends to the shim. All may be called by any thread, with or without the GIL. */
struct direct {
    uint32_t size; /* of this struct: the two are built apart */
    uint32_t reserved;
    void *host;

    /* Answer the request in a slot whose data lies in room, at most so many bytes. */
    void (*serve)(void *host, struct slot *slot, uint8_t *room, uint32_t most);

    /* What the socket answers to HELLO_OPEN and HELLO_TICKET: a descriptor, -1 with answer->error, or ASK_OVER_SOCKET
     * where the answer is not due yet. */
    int (*descriptor)(void *host, const struct hello_request *request, const char *path, struct hello_answer *answer);

    /* Give up the GIL if this thread holds it; what comes back goes to take_again(). */
    void *(*let_go)(void *host);
    void (*take_again)(void *host, void *kept);

    /* Whether this thread holds the host's lock: then nobody could end its waiting. */
    bool (*locked)(void *host);

    /* The first of the host's own descriptors in a range, which the program must not close; -1: none. NULL: it knows what
     * it does, being Python. */
    int (*own_descriptor)(int first, int last);

    /* One of the interpreter's own functions: image.h, know_lender(). NULL: its code calls for others, too. */
    const void *interpreter;
};

/* What the shim lends to the host. */
struct direct_shim {
    uint32_t size;
    uint32_t reserved;

    /* Join the run in a directory whose host is in this process. Returns 0 or an errno. environment: LD_PRELOAD for
     * programs started from here. patch: whether to rewrite the slots of all loaded libraries, because the shim was
     * not there when they were bound. */
    int (*attach)(const char *run, const char *preload, const struct direct *direct, bool patch);
    void (*detach)(void);

    /* A thread (as pthread_self() names it) is the host's: its own calls are real ones. which: 0 or 1. */
    void (*host_thread)(unsigned which, unsigned long thread);

    /* The same for a while, for any thread; returns how it was before. */
    int (*aside)(int now);

    /* libc's own function of this name, past the shim; NULL where it has none. */
    void *(*real)(const char *name);

    /* Have the program call another function in the place of a library's. Returns 0 or an errno. name: for good. */
    int (*hook)(const char *name, const void *original, const void *replacement);

    /* Give the program its functions back. */
    void (*unhook)(void);

    /* In a fork child. */
    void (*hooks_in_child)(void);

    /* Around what must come to its end once it has begun: jumps.h. */
    void (*stay)(struct staying *staying);
    void (*may_leave)(const struct staying *staying);

    /* Of connection.h. */
    bool (*in_borrowed_memory)(void);
};

/* Whether this thread works for the host now, or is one of its own: what it calls is real. */
bool stands_aside(void);

/* Let this thread work for the host, or no longer; returns how it was before. */
int step_aside(int now);

/* The first descriptor in a range that this program must not close, because the host inside of it needs it; or -1. */
int host_s_descriptor(int first, int last);

/* In a direct conversation, for channel.c. */
void serve_directly(const struct direct *direct, struct slot *slot, uint8_t *room, uint32_t most);

/* Before and after a wait in the kernel in which the interpreter must run. begin_wait: 0, or EDEADLK where this thread
 * holds what those whom it waits for need. */
struct wait {
    const struct direct *direct;
    void *kept;
};
int begin_wait(struct wait *wait);
void end_wait(const struct wait *wait);

/* The value of a call that may wait, made without the GIL where this thread holds it. Leaves the call's errno. */
#define WITHOUT_GIL(call)                                                                          \
    ({                                                                                             \
        struct wait wait_;                                                                         \
        begin_wait(&wait_);                                                                        \
        __auto_type result_ = (call);                                                              \
        end_wait(&wait_);                                                                          \
        result_;                                                                                   \
    })

#endif
