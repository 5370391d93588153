/* wrap_poll.c: poll, select and epoll. The kernel answers for every descriptor there is; these are here only because a
 * recording tells what it said of recorded devices. Where nothing is recorded each is one test more. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "calls.h"
#include "memory.h"
#include "record.h"

enum { MOST_FILES = 32, MOST_INTERESTS = 256 };

/* The recorded files that one call asks about. */
struct asked {
    int count;
    struct {
        int fd;
        struct recording call;
    } files[MOST_FILES];
};

static void ask(struct asked *asked, int fd, short events, int64_t timeout_ns)
{
    const struct carrier *carrier = recorded(fd);

    if (carrier && asked->count < MOST_FILES
        && begin_recording(&asked->files[asked->count].call, carrier, fd, CALL_POLL, events, timeout_ns, 0))
        asked->files[asked->count++].fd = fd;
}

/* The call has returned: bits for the files that are ready, or an error for all. */
static void answer(const struct asked *asked, int i, int result, int64_t bits)
{
    end_recording(&asked->files[i].call, result < 0 ? -1 : bits);
}

static int64_t nanoseconds(const struct timespec *time)
{
    struct timespec copy;
    if (!time || !copy_from_target(&copy, (uintptr_t)time, sizeof copy))
        return -1;
    return (int64_t)copy.tv_sec * 1000000000 + copy.tv_nsec;
}

static int64_t from_milliseconds(int timeout)
{
    return timeout < 0 ? -1 : (int64_t)timeout * 1000000;
}

/* ---- Waiting for replayed devices alone --------------------------------------------------------------- */

/* Replay may know that nothing will come: the host hears of a wait without end for its devices and nothing else. */
static bool any_asks(void)
{
    return __builtin_expect(registry && registry->flags & REGISTRY_ASKS, 0);
}

static const struct carrier *asking(int fd)
{
    return answering(fd, DEVICE_ASKS);
}

static bool has(const fd_set *set, int fd)
{
    const unsigned char *bytes = (const unsigned char *)set; /* FD_ISSET() may be a checking one */
    return set && (bytes[fd / 8] >> (fd % 8) & 1);
}

static void tell_polled(struct pollfd *fds, nfds_t count)
{
    struct pollfd copy[MOST_FILES];

    if (count == 0 || count > MOST_FILES || !copy_from_target(copy, (uintptr_t)fds, count * sizeof *fds))
        return;
    for (nfds_t i = 0; i < count; i++)
        if (copy[i].fd >= 0 && (!asking(copy[i].fd) || !(copy[i].events & POLLIN)))
            return;
    if (real.poll(copy, count, 0) != 0)
        return;
    for (nfds_t i = 0; i < count; i++)
        if (copy[i].fd >= 0)
            tell_waiting(asking(copy[i].fd), OP_POLL);
}

static void tell_selected(int count, const fd_set *in, const fd_set *out, const fd_set *except)
{
    struct pollfd fds[MOST_FILES];
    nfds_t asked = 0;

    for (int fd = 0; fd < count; fd++) {
        if (has(out, fd) || has(except, fd) || (has(in, fd) && asked == MOST_FILES))
            return;
        if (has(in, fd))
            fds[asked++] = (struct pollfd){ .fd = fd, .events = POLLIN };
    }
    tell_polled(fds, asked);
}

/* ---- poll --------------------------------------------------------------------------------------------- */

static void ask_polled(struct asked *asked, const struct pollfd *fds, nfds_t count, int64_t timeout_ns)
{
    struct pollfd copy;

    for (nfds_t i = 0; i < count; i++) {
        if (!copy_from_target(&copy, (uintptr_t)&fds[i], sizeof copy))
            return;
        if (copy.fd >= 0)
            ask(asked, copy.fd, copy.events, timeout_ns);
    }
}

static int answer_polled(const struct asked *asked, const struct pollfd *fds, nfds_t count, int result)
{
    nfds_t at = 0;

    for (int i = 0; i < asked->count; i++) {
        while (at < count && fds[at].fd != asked->files[i].fd)
            at++;
        answer(asked, i, result, at < count && result > 0 ? fds[at].revents : 0);
        at += at < count;
    }
    return result;
}

INTERPOSE int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    START_ONCE();
    if (any_asks() && timeout < 0)
        tell_polled(fds, count);
    if (!recording())
        return real.poll(fds, count, timeout);
    struct asked asked = { .count = 0 };
    __asm__("" : "+r"(fds)); /* headers say that it is only written to */
    ask_polled(&asked, fds, count, from_milliseconds(timeout));
    return answer_polled(&asked, fds, count, real.poll(fds, count, timeout));
}
SAME_AS(poll, __poll);

INTERPOSE int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    START_ONCE();
    if (any_asks() && !timeout)
        tell_polled(fds, count);
    if (!recording())
        return real.ppoll(fds, count, timeout, mask);
    struct asked asked = { .count = 0 };
    ask_polled(&asked, fds, count, nanoseconds(timeout));
    return answer_polled(&asked, fds, count, real.ppoll(fds, count, timeout, mask));
}

/* ---- select ------------------------------------------------------------------------------------------- */

static short bits_of(int fd, const fd_set *in, const fd_set *out, const fd_set *except)
{
    return (short)((has(in, fd) ? POLLIN : 0) | (has(out, fd) ? POLLOUT : 0) | (has(except, fd) ? POLLPRI : 0));
}

static void ask_selected(struct asked *asked, int count, const fd_set *in, const fd_set *out, const fd_set *except,
                         int64_t timeout_ns)
{
    for (int fd = 0; fd < count; fd++) {
        short events = bits_of(fd, in, out, except);
        if (events)
            ask(asked, fd, events, timeout_ns);
    }
}

static int answer_selected(const struct asked *asked, const fd_set *in, const fd_set *out, const fd_set *except, int result)
{
    for (int i = 0; i < asked->count; i++)
        answer(asked, i, result, result > 0 ? bits_of(asked->files[i].fd, in, out, except) : 0);
    return result;
}

INTERPOSE int select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    START_ONCE();
    if (any_asks() && !timeout)
        tell_selected(count, in, out, except);
    if (!recording())
        return real.select(count, in, out, except, timeout);
    struct asked asked = { .count = 0 };
    struct timeval time;
    bool timed = timeout && copy_from_target(&time, (uintptr_t)timeout, sizeof time);
    ask_selected(&asked, count, in, out, except, timed ? (int64_t)time.tv_sec * 1000000000 + time.tv_usec * 1000 : -1);
    return answer_selected(&asked, in, out, except, real.select(count, in, out, except, timeout));
}
SAME_AS(select, __select);

INTERPOSE int pselect(int count, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
                      const sigset_t *mask)
{
    START_ONCE();
    if (any_asks() && !timeout)
        tell_selected(count, in, out, except);
    if (!recording())
        return real.pselect(count, in, out, except, timeout, mask);
    struct asked asked = { .count = 0 };
    ask_selected(&asked, count, in, out, except, nanoseconds(timeout));
    return answer_selected(&asked, in, out, except, real.pselect(count, in, out, except, timeout, mask));
}

/* ---- epoll -------------------------------------------------------------------------------------------- */

/* What an epoll watches of recorded files; it answers with data alone. In the process's own memory: a fork copies it. */
static struct interest {
    int epoll, fd;
    uint32_t events; /* 0: free */
    uint64_t data;
} interests[MOST_INTERESTS];

static struct interest *find_interest(int epoll, int fd)
{
    for (int i = 0; i < MOST_INTERESTS; i++)
        if (interests[i].events && interests[i].epoll == epoll && interests[i].fd == fd)
            return &interests[i];
    return NULL;
}

static void note_interest(int epoll, int operation, int fd, const struct epoll_event *event)
{
    struct interest *interest = find_interest(epoll, fd);
    struct epoll_event copy;

    if (operation == EPOLL_CTL_DEL) {
        if (interest)
            interest->events = 0;
        return;
    }
    for (int i = 0; !interest && i < MOST_INTERESTS; i++)
        if (!interests[i].events)
            interest = &interests[i];
    if (interest && copy_from_target(&copy, (uintptr_t)event, sizeof copy))
        *interest = (struct interest){ epoll, fd, copy.events | EPOLLERR, copy.data.u64 };
}

INTERPOSE int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    START_ONCE();
    int result = real.epoll_ctl(epoll, operation, fd, event);
    if (recording() && result == 0 && (recorded(fd) || operation == EPOLL_CTL_DEL))
        note_interest(epoll, operation, fd, event);
    return result;
}

/* Their bits are poll's. */
static void ask_epoll(struct asked *asked, struct interest *of[MOST_FILES], int epoll, int64_t timeout_ns)
{
    for (int i = 0; i < MOST_INTERESTS && asked->count < MOST_FILES; i++) {
        if (!interests[i].events || interests[i].epoll != epoll)
            continue;
        int before = asked->count;
        ask(asked, interests[i].fd, (short)(interests[i].events & 0x3fff & ~EPOLLERR), timeout_ns);
        if (asked->count > before)
            of[before] = &interests[i];
    }
}

static int answer_epoll(const struct asked *asked, struct interest *const of[MOST_FILES], const struct epoll_event *events,
                        int result)
{
    for (int i = 0; i < asked->count; i++) {
        int64_t bits = 0;
        for (int k = 0; k < result; k++)
            if (events[k].data.u64 == of[i]->data)
                bits = events[k].events & 0x3fff;
        answer(asked, i, result, bits);
    }
    return result;
}

INTERPOSE int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    START_ONCE();
    if (!recording())
        return real.epoll_wait(epoll, events, most, timeout);
    struct asked asked = { .count = 0 };
    struct interest *of[MOST_FILES];
    ask_epoll(&asked, of, epoll, from_milliseconds(timeout));
    return answer_epoll(&asked, of, events, real.epoll_wait(epoll, events, most, timeout));
}

INTERPOSE int epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
    START_ONCE();
    if (!recording())
        return real.epoll_pwait(epoll, events, most, timeout, mask);
    struct asked asked = { .count = 0 };
    struct interest *of[MOST_FILES];
    ask_epoll(&asked, of, epoll, from_milliseconds(timeout));
    return answer_epoll(&asked, of, events, real.epoll_pwait(epoll, events, most, timeout, mask));
}

/* Since glibc 2.35, and Linux 5.11. */
INTERPOSE int epoll_pwait2(int epoll, struct epoll_event *events, int most, const struct timespec *timeout,
                           const sigset_t *mask)
{
    START_ONCE();
    __typeof__(epoll_pwait2) *libc = LATE(epoll_pwait2);
    if (!libc) {
        errno = ENOSYS;
        return -1;
    }
    if (!recording())
        return libc(epoll, events, most, timeout, mask);
    struct asked asked = { .count = 0 };
    struct interest *of[MOST_FILES];
    ask_epoll(&asked, of, epoll, nanoseconds(timeout));
    return answer_epoll(&asked, of, events, libc(epoll, events, most, timeout, mask));
}
