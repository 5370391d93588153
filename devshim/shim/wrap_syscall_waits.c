/* wrap_syscall_waits.c: poll, select and epoll by their numbers. The kernel's own take the size of a signal mask, and two of
 * them tell how much time was left, which libc's keep to themselves. */
#include "wrap_syscall_waits.h"

#include <sys/syscall.h>
#include <time.h>

#include "interposed.h"
#include "memory.h"

#define ARGUMENT(i, type) ((type)arguments[i])

enum { KERNEL_MASK = 8 }; /* sizeof of the kernel's sigset_t (_NSIG / 8 of asm-generic/signal.h) */

/* What the sixth argument of pselect6(2) points to. */
struct sized_mask {
    const sigset_t *mask;
    size_t size;
};

static int64_t now(void)
{
    struct timespec time;
    real.syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The kernel forgives where it cannot be written; and "not at all" is left as it is. */
static void tell_rest(const struct timespec *timeout, const struct timespec *given, int64_t begun)
{
    int64_t wanted = (int64_t)given->tv_sec * 1000000000 + given->tv_nsec, rest = wanted - (now() - begun);

    if (wanted == 0)
        return;
    rest = rest > 0 ? rest : 0;
    struct timespec left = { .tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000 };
    copy_to_target((uintptr_t)timeout, &left, sizeof left);
}

static bool is_right_size(const sigset_t *mask, size_t size)
{
    return !mask || size == KERNEL_MASK;
}

/* The mask of a pselect6(); false where the kernel has to say what is wrong with it. */
static bool read_mask(const struct sized_mask *from, const sigset_t **mask)
{
    struct sized_mask sized = { .mask = NULL };

    if (from && !copy_from_target(&sized, (uintptr_t)from, sizeof sized))
        return false;
    *mask = sized.mask;
    return is_right_size(sized.mask, sized.size);
}

/* A wait with a time-out that the kernel overwrites; false where its memory cannot be read. */
static bool timed(long number, const long arguments[6], long *result)
{
    const struct timespec *timeout = number == SYS_ppoll ? ARGUMENT(2, struct timespec *) : ARGUMENT(4, struct timespec *);
    struct timespec given, *limit = timeout ? &given : NULL;
    int64_t begun = timeout ? now() : 0;
    const sigset_t *mask = ARGUMENT(3, const sigset_t *);

    if (timeout && !copy_from_target(&given, (uintptr_t)timeout, sizeof given))
        return false;
    if (number == SYS_ppoll ? !is_right_size(mask, ARGUMENT(4, size_t)) : !read_mask(ARGUMENT(5, struct sized_mask *), &mask))
        return false;
    if (number == SYS_ppoll)
        *result = ppoll(ARGUMENT(0, struct pollfd *), ARGUMENT(1, nfds_t), limit, mask);
    else
        *result = pselect(ARGUMENT(0, int), ARGUMENT(1, fd_set *), ARGUMENT(2, fd_set *), ARGUMENT(3, fd_set *), limit, mask);
    if (timeout)
        tell_rest(timeout, &given, begun);
    return true;
}

bool call_on_wait(long number, const long arguments[6], long *result)
{
    switch (number) {
#ifdef SYS_poll
    case SYS_poll:
        return *result = poll(ARGUMENT(0, struct pollfd *), ARGUMENT(1, nfds_t), ARGUMENT(2, int)), true;
    case SYS_select:
        return *result = select(ARGUMENT(0, int), ARGUMENT(1, fd_set *), ARGUMENT(2, fd_set *), ARGUMENT(3, fd_set *),
                                ARGUMENT(4, struct timeval *)), true;
    case SYS_epoll_wait:
        return *result = epoll_wait(ARGUMENT(0, int), ARGUMENT(1, struct epoll_event *), ARGUMENT(2, int), ARGUMENT(3, int)),
               true;
#endif
    case SYS_ppoll:
    case SYS_pselect6:
        return timed(number, arguments, result);
    case SYS_epoll_pwait:
        if (!is_right_size(ARGUMENT(4, const sigset_t *), ARGUMENT(5, size_t)))
            return false;
        return *result = epoll_pwait(ARGUMENT(0, int), ARGUMENT(1, struct epoll_event *), ARGUMENT(2, int), ARGUMENT(3, int),
                                     ARGUMENT(4, const sigset_t *)), true;
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2:
        if (!LATE(epoll_pwait2) || !is_right_size(ARGUMENT(4, const sigset_t *), ARGUMENT(5, size_t)))
            return false;
        return *result = epoll_pwait2(ARGUMENT(0, int), ARGUMENT(1, struct epoll_event *), ARGUMENT(2, int),
                                      ARGUMENT(3, const struct timespec *), ARGUMENT(4, const sigset_t *)), true;
#endif
    case SYS_epoll_ctl:
        return *result = epoll_ctl(ARGUMENT(0, int), ARGUMENT(1, int), ARGUMENT(2, int), ARGUMENT(3, struct epoll_event *)),
               true;
    }
    return false;
}
