/* wrap_poll.c: poll, select and epoll. The kernel answers for every descriptor there is; these are here only because a
 * recording tells what it said of recorded devices, the host of a replay hears of long waits, and attributes of /sys are
 * urgent in a way that no socket is. Where none of it is the case each is three tests more. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "calls.h"
#include "channel.h"
#include "direct.h"
#include "memory.h"
#include "record.h"
#include "urgent.h"
#include "waiting.h"

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

/* The value of a call that may wait for a device of this very process, whose model needs the interpreter. Where nothing
 * of ours is asked about, the caller may have its reasons to keep that. */
#define LETTING_MODELS_RUN(may_wait, call) ((may_wait) ? WITHOUT_GIL(call) : (call))

/* ---- poll --------------------------------------------------------------------------------------------- */

static bool may_wait_polled(const struct pollfd *fds, nfds_t count, int64_t timeout_ns)
{
    struct pollfd copy;

    if (!direct_host() || !timeout_ns)
        return false;
    for (nfds_t i = 0; i < count && copy_from_target(&copy, (uintptr_t)&fds[i], sizeof copy); i++)
        if (copy.fd >= 0 && known_carrier(copy.fd))
            return true;
    return false;
}

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

static int poll_noted(struct pollfd *fds, nfds_t count, int timeout)
{
    __asm__("" : "+r"(fds)); /* headers say that it is only written to */
    bool may_wait = may_wait_polled(fds, count, timeout);
    if (!recording())
        return LETTING_MODELS_RUN(may_wait, real.poll(fds, count, timeout));
    struct asked asked = { .count = 0 };
    ask_polled(&asked, fds, count, from_milliseconds(timeout));
    return answer_polled(&asked, fds, count, LETTING_MODELS_RUN(may_wait, real.poll(fds, count, timeout)));
}

static int poll_any(struct pollfd *fds, nfds_t count, int timeout)
{
    if (!waits_matter(from_milliseconds(timeout)))
        return poll_noted(fds, count, timeout);
    struct told told;
    tell_polled(&told, fds, count, from_milliseconds(timeout));
    int result = poll_noted(fds, count, timeout);
    tell_over(&told);
    return result;
}

static __attribute__((noinline)) int poll_urgent(struct pollfd *fds, nfds_t count, int timeout)
{
    struct pollfd copy[MOST_COPIED];
    struct pollfd *polled = asked_for_urgent(fds, count, copy);
    int result = poll_any(polled, count, timeout);

    if (result >= 0)
        add_errors_polled(fds, count, polled);
    return result;
}

INTERPOSE int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    START_ONCE();
    return urgent_matters() ? poll_urgent(fds, count, timeout) : poll_any(fds, count, timeout);
}
SAME_AS(poll, __poll);

static int ppoll_noted(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    bool may_wait = may_wait_polled(fds, count, FOR_EVER);
    if (!recording())
        return LETTING_MODELS_RUN(may_wait, real.ppoll(fds, count, timeout, mask));
    struct asked asked = { .count = 0 };
    ask_polled(&asked, fds, count, nanoseconds(timeout));
    return answer_polled(&asked, fds, count, LETTING_MODELS_RUN(may_wait, real.ppoll(fds, count, timeout, mask)));
}

static int ppoll_any(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    if (!waits_matter(FOR_EVER) || !waits_matter(nanoseconds(timeout)))
        return ppoll_noted(fds, count, timeout, mask);
    struct told told;
    tell_polled(&told, fds, count, nanoseconds(timeout));
    int result = ppoll_noted(fds, count, timeout, mask);
    tell_over(&told);
    return result;
}

static __attribute__((noinline)) int ppoll_urgent(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                                                   const sigset_t *mask)
{
    struct pollfd copy[MOST_COPIED];
    struct pollfd *polled = asked_for_urgent(fds, count, copy);
    int result = ppoll_any(polled, count, timeout, mask);

    if (result >= 0)
        add_errors_polled(fds, count, polled);
    return result;
}

INTERPOSE int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    START_ONCE();
    return urgent_matters() ? ppoll_urgent(fds, count, timeout, mask) : ppoll_any(fds, count, timeout, mask);
}

/* ---- select ------------------------------------------------------------------------------------------- */

static bool has(const fd_set *set, int fd)
{
    const unsigned char *bytes = (const unsigned char *)set; /* FD_ISSET() may be a checking one */
    return set && (bytes[fd / 8] >> (fd % 8) & 1);
}

static short bits_of(int fd, const fd_set *in, const fd_set *out, const fd_set *except)
{
    return (short)((has(in, fd) ? POLLIN : 0) | (has(out, fd) ? POLLOUT : 0) | (has(except, fd) ? POLLPRI : 0));
}

static bool may_wait_selected(int count, const fd_set *in, const fd_set *out, const fd_set *except)
{
    for (int fd = 0; direct_host() && fd < count; fd++)
        if (bits_of(fd, in, out, except) && known_carrier(fd))
            return true;
    return false;
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

static int64_t of_timeval(const struct timeval *time)
{
    struct timeval copy;
    if (!time || !copy_from_target(&copy, (uintptr_t)time, sizeof copy))
        return FOR_EVER;
    return (int64_t)copy.tv_sec * 1000000000 + copy.tv_usec * 1000;
}

static int select_noted(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    bool may_wait = may_wait_selected(count, in, out, except);
    if (!recording())
        return LETTING_MODELS_RUN(may_wait, real.select(count, in, out, except, timeout));
    struct asked asked = { .count = 0 };
    ask_selected(&asked, count, in, out, except, of_timeval(timeout));
    int result = LETTING_MODELS_RUN(may_wait, real.select(count, in, out, except, timeout));
    return answer_selected(&asked, in, out, except, result);
}

INTERPOSE int select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    START_ONCE();
    if (!waits_matter(FOR_EVER) || !waits_matter(of_timeval(timeout)))
        return select_noted(count, in, out, except, timeout);
    struct told told;
    tell_selected(&told, count, in, out, except, of_timeval(timeout));
    int result = select_noted(count, in, out, except, timeout);
    tell_over(&told);
    return result;
}
SAME_AS(select, __select);

static int pselect_noted(int count, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
                         const sigset_t *mask)
{
    bool may_wait = may_wait_selected(count, in, out, except);
    if (!recording())
        return LETTING_MODELS_RUN(may_wait, real.pselect(count, in, out, except, timeout, mask));
    struct asked asked = { .count = 0 };
    ask_selected(&asked, count, in, out, except, nanoseconds(timeout));
    int result = LETTING_MODELS_RUN(may_wait, real.pselect(count, in, out, except, timeout, mask));
    return answer_selected(&asked, in, out, except, result);
}

INTERPOSE int pselect(int count, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
                      const sigset_t *mask)
{
    START_ONCE();
    if (!waits_matter(FOR_EVER) || !waits_matter(nanoseconds(timeout)))
        return pselect_noted(count, in, out, except, timeout, mask);
    struct told told;
    tell_selected(&told, count, in, out, except, nanoseconds(timeout));
    int result = pselect_noted(count, in, out, except, timeout, mask);
    tell_over(&told);
    return result;
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
    if (urgent_matters() && result == 0)
        note_attribute(epoll, operation, fd, event);
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

/* What the three have beside the name. */
struct epoll_call {
    int epoll, most, milliseconds;
    struct epoll_event *events;
    const struct timespec *timeout;
    const sigset_t *mask;
    enum { WAIT, PWAIT, PWAIT2 } kind;
};

static int epoll_of_kind(const struct epoll_call *call)
{
    if (call->kind == WAIT)
        return real.epoll_wait(call->epoll, call->events, call->most, call->milliseconds);
    if (call->kind == PWAIT)
        return real.epoll_pwait(call->epoll, call->events, call->most, call->milliseconds, call->mask);
    __typeof__(epoll_pwait2) *libc = LATE(epoll_pwait2);
    if (libc)
        return libc(call->epoll, call->events, call->most, call->timeout, call->mask);
    errno = ENOSYS;
    return -1;
}

static int64_t epoll_timeout(const struct epoll_call *call)
{
    return call->kind == PWAIT2 ? nanoseconds(call->timeout) : from_milliseconds(call->milliseconds);
}

/* What it watches is not known here. */
static int epoll_really(const struct epoll_call *call)
{
    return LETTING_MODELS_RUN(direct_host() && epoll_timeout(call) != 0, epoll_of_kind(call));
}

static int epoll_noted(const struct epoll_call *call)
{
    if (!recording())
        return epoll_really(call);
    struct asked asked = { .count = 0 };
    struct interest *of[MOST_FILES];
    ask_epoll(&asked, of, call->epoll, epoll_timeout(call));
    return answer_epoll(&asked, of, call->events, epoll_really(call));
}

/* What is ready is taken at once: an event that is told once alone would be lost. */
static int epoll_told(const struct epoll_call *call)
{
    struct told told;
    int ready = real.epoll_wait(call->epoll, call->events, call->most, 0);

    if (ready != 0)
        return ready;
    tell_epoll(&told, call->epoll, epoll_timeout(call));
    ready = epoll_noted(call);
    tell_over(&told);
    return ready;
}

static int epoll_any(const struct epoll_call *call)
{
    bool tells = waits_matter(FOR_EVER) && waits_matter(epoll_timeout(call)) && !recording();
    int ready = tells ? epoll_told(call) : epoll_noted(call);

    if (urgent_matters() && ready > 0)
        add_errors_waited(call->epoll, call->events, ready);
    return ready;
}

INTERPOSE int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    START_ONCE();
    struct epoll_call call = { .epoll = epoll, .events = events, .most = most, .milliseconds = timeout, .kind = WAIT };
    return epoll_any(&call);
}

INTERPOSE int epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
    START_ONCE();
    struct epoll_call call
        = { .epoll = epoll, .events = events, .most = most, .milliseconds = timeout, .mask = mask, .kind = PWAIT };
    return epoll_any(&call);
}

/* Since glibc 2.35, and Linux 5.11. */
INTERPOSE int epoll_pwait2(int epoll, struct epoll_event *events, int most, const struct timespec *timeout,
                           const sigset_t *mask)
{
    START_ONCE();
    struct epoll_call call
        = { .epoll = epoll, .events = events, .most = most, .timeout = timeout, .mask = mask, .kind = PWAIT2 };
    return epoll_any(&call);
}
