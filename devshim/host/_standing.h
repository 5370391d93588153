/* _standing.h: how long answers stand that the program's side may give again by itself. */
#ifndef DEVSHIM_HOST_STANDING_H
#define DEVSHIM_HOST_STANDING_H

#include "_channel.h"

#include <stdbool.h>
#include <stdint.h>

/* The registry's count of what may have changed an answer; NULL where none stands. Counted up under the lock, before
 * anything can change. */
extern uint64_t *standing_moves;

static inline void answers_move(void)
{
    if (standing_moves) /* added to, because a fork child of the host's may take its copy of the lock */
        __atomic_fetch_add(standing_moves, 1, __ATOMIC_RELEASE);
}

PyObject *standing_let_stand(PyObject *module, PyObject *registry); /* METH_O */
PyObject *standing_answers_move(PyObject *module, PyObject *unused); /* METH_NOARGS */

#endif
