/* wrap_poll.c: poll and ppoll (asked.h says why). */
#include "asked.h"
#include "urgent.h"
#include "waiting.h"

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
