/* asked.h: the recorded files that one poll, select or epoll asks about, and what their wrappers have in common.
 *
 * The kernel answers these calls for every descriptor there is; they are wrapped only because a recording tells what it
 * said of recorded devices, the host of a replay hears of long waits, and attributes of /sys are urgent in a way that no
 * socket is. Where none of it is the case each is three tests more. */
#ifndef DEVSHIM_ASKED_H
#define DEVSHIM_ASKED_H

#include "calls.h"
#include "connection.h"
#include "direct.h"
#include "memory.h"
#include "record.h"

enum { MOST_FILES = 32 };

/* The recorded files that one call asks about. */
struct asked {
    int count;
    struct {
        int fd;
        struct recording call;
    } files[MOST_FILES];
};

static inline void ask(struct asked *asked, int fd, short events, int64_t timeout_ns)
{
    const struct carrier *carrier = recorded(fd);

    if (carrier && asked->count < MOST_FILES
        && begin_recording(&asked->files[asked->count].call, carrier, fd, CALL_POLL, events, timeout_ns, 0))
        asked->files[asked->count++].fd = fd;
}

/* The call has returned: bits for the files that are ready, or an error for all. */
static inline void answer(const struct asked *asked, int i, int result, int64_t bits)
{
    end_recording(&asked->files[i].call, result < 0 ? -1 : bits);
}

static inline int64_t nanoseconds(const struct timespec *time)
{
    struct timespec copy;
    if (!time || !copy_from_target(&copy, (uintptr_t)time, sizeof copy))
        return -1;
    return (int64_t)copy.tv_sec * 1000000000 + copy.tv_nsec;
}

static inline int64_t from_milliseconds(int timeout)
{
    return timeout < 0 ? -1 : (int64_t)timeout * 1000000;
}

/* The value of a call that may wait for a device of this very process, whose model needs the interpreter. Where nothing
 * of ours is asked about, the caller may have its reasons to keep that. */
#define LETTING_MODELS_RUN(may_wait, call) ((may_wait) ? WITHOUT_GIL(call) : (call))

#endif
