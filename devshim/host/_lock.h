/* _lock.h: the lock under which models are called, for those who take it from C. */
#ifndef DEVSHIM_HOST_LOCK_H
#define DEVSHIM_HOST_LOCK_H

#include "_channel.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    PyObject_HEAD
    uint32_t word; /* 0 free, 1 taken, 2 taken and waited for */
    unsigned long owner;
    unsigned depth;
    uint64_t turns; /* how often it was taken: tells one holder's turn from the next */
} Lock;

extern PyType_Spec Lock_spec;

bool lock_is_mine(Lock *lock);
void lock_enter(Lock *lock); /* without the GIL */
bool lock_enter_now(Lock *lock); /* false where another thread has it; with or without the GIL */
void lock_enter_again(Lock *lock); /* where lock_is_mine() */
void lock_leave(Lock *lock);
void lock_forget(Lock *lock); /* in a forked child: whoever held it is not there */

PyObject *lock_guarded_setattr(PyObject *module, PyObject *lock); /* METH_O */

static inline long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

#endif
