/* _prompt.c: lets a thread of the host be heard at once where it shares a processor, and wait no longer than it asked for.
 * Both are wishes: a kernel that knows them not, or forbids them, costs some microseconds a call. */
#include "_channel.h"

#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS 100000ull /* the least that Linux 6.12 gives; who runs shorter is let in sooner */
#define SLACK_NS 1000ul    /* instead of 50 us, by which the wait for the GIL would be longer */

/* struct sched_attr, first version, as sched_setattr(2) has it: its header cannot be had beside sched.h. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void be_prompt(void)
{
    struct attributes attributes = { .size = sizeof attributes };

    prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) < 0 || attributes.policy != SCHED_OTHER)
        return;
    attributes.runtime = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

PyObject *prompt_be_prompt(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    be_prompt();
    Py_RETURN_NONE;
}
