/* wrap_select.c: select and pselect (asked.h says why). */
#include <poll.h>

#include "asked.h"
#include "waiting.h"

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
