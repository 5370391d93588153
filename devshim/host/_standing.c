/* _standing.c: how long answers stand that the program's side may give again by itself.
 *
 * They follow from what devices are, and that changes only while somebody holds the lock. So whoever takes it counts, but
 * for calls that only ask; an answer says at which count it was given, and stands as long as that is the registry's. */
#include "_standing.h"

#include <stddef.h>
#include <time.h>

#include "../shim/wire.h"

uint64_t *standing_moves;

static Py_buffer counted;

/* let_stand(registry): count there from now on; None: answers stand no longer. */
PyObject *standing_let_stand(PyObject *module, PyObject *registry)
{
    (void)module;
    if (standing_moves) {
        answers_move();
        standing_moves = NULL;
        PyBuffer_Release(&counted);
    }
    if (registry == Py_None)
        Py_RETURN_NONE;
    if (PyObject_GetBuffer(registry, &counted, PyBUF_WRITABLE) < 0)
        return NULL;
    if (counted.len < (Py_ssize_t)sizeof(struct registry)) {
        PyBuffer_Release(&counted);
        PyErr_SetString(PyExc_ValueError, "no registry is so small");
        return NULL;
    }
    struct timespec now; /* a process that goes from one run to another keeps what it has heard: no two runs count alike */
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t *moves = &((struct registry *)counted.buf)->moves;
    __atomic_store_n(moves, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, __ATOMIC_RELEASE);
    standing_moves = moves;
    Py_RETURN_NONE;
}

/* answers_move(): what follows may change them. */
PyObject *standing_answers_move(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    answers_move();
    Py_RETURN_NONE;
}
