/* jumps.h: what keeps a thread in a call that is answered in this very process, until the answer is there. */
#ifndef DEVSHIM_JUMPS_H
#define DEVSHIM_JUMPS_H

#include <signal.h>
#include <stdbool.h>

/* Find out whether this program may leave a call by siglongjmp(): then its signals have to wait. Called when the host is
 * here, by one thread. */
void look_for_jumps(void);

/* Between these two no signal handler runs that might jump, and no cancellation acts: the interpreter, which holds locks
 * then, would never get them back. */
struct staying {
    sigset_t mask;
    int cancelling;
    bool masked;
};
struct staying stay(void);
void may_leave(const struct staying *staying);

#endif
