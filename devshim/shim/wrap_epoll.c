/* wrap_epoll.c: epoll (asked.h says why). */
#include <errno.h>
#include <sys/epoll.h>

#include "asked.h"
#include "urgent.h"
#include "waiting.h"

enum { MOST_INTERESTS = 256 };

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
