/* _answer.h: a call as it came over the channel, and its answer, for the C files that deal with them. */
#ifndef DEVSHIM_HOST_ANSWER_H
#define DEVSHIM_HOST_ANSWER_H

#include "_channel.h"

#include <stdbool.h>
#include <stdint.h>

#include "../shim/wire.h"

struct answer {
    int64_t result;
    int32_t error;
    uint32_t flags, place;
    uint64_t token;
    const void *data; /* NULL where it lies in the room already */
    uint32_t length;
};

/* request: a copy, which the program cannot change any more. room: where its data lies, and the answer's goes. */
struct call {
    const struct slot *request;
    uint8_t *room;
    uint32_t process;
};

enum outcome {
    ASK,      /* nothing was done: files.py has to answer */
    ANSWERED, /* struct answer says it; *value, if any, is to be kept until it has been given */
    SAID,     /* *value says it in the way of files.py, or is NULL with an exception */
};

/* Of _quick.c: let the model answer a plain call on a file that can be answered so. Where told is set, *value says what
 * was answered, for those who note it. */
enum outcome quick_answer(PyObject *file, const struct call *call, bool told, struct answer *answer, PyObject **value);

/* Of _quick.c: whether what an ioctl's argument held before is the program's rubbish, as far as that is known. */
bool only_fills(PyObject *file, const struct slot *request);

/* Of _quick.c: whether a file finds out for itself whether a call may change answers that stand, and counts those that may
 * (_standing.h); of all others the channel does. */
bool counts_moves(PyObject *file, const struct slot *request);

/* Of _ask.c: have the file's own method answer, which is one of Python's; a new reference, or NULL. */
PyObject *channel_ask(PyObject *file, const struct call *call);

/* Of _ask.c: what such a method returned, as an answer of at most room bytes. False where it is none. The buffer, where it
 * has an object then, is to be released once the answer has been given. */
bool answer_said(PyObject *value, struct answer *answer, Py_buffer *buffer, uint32_t room);

/* Of _ask.c: the answer to what is no call; a new reference, or NULL. */
PyObject *not_a_call(void);

/* Of _channel.c: the numbers by which the caller is known there: (process, thread). Borrowed. */
PyObject *channel_caller(PyObject *channel);

/* Of _facts.c: whether calls on this file are noted; answer one of them, and note it. The outcome is SAID or ANSWERED. */
bool is_noted(PyObject *file);
enum outcome answer_noted(PyObject *file, PyObject *channel, const struct call *call, struct answer *answer, PyObject **value);

int ask_prepare(void);
int quick_prepare(void);
int facts_prepare(void);

extern PyTypeObject *Quick_type, *Way_type, *Facts_type, *NotedFile_type;
extern PyType_Spec Channel_spec, Quick_spec, Way_spec, Facts_spec, NotedFile_spec;

static inline void free_object(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* Whether an object is of a type or one derived from it. seen: the derived one that was met last, so that its bases are not
 * looked through again. */
static inline bool is_of_type(PyObject *object, PyTypeObject *type, PyTypeObject **seen)
{
    if (Py_TYPE(object) == *seen)
        return true;
    if (!PyObject_TypeCheck(object, type))
        return false;
    PyTypeObject *before = *seen;
    *seen = (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(object));
    Py_XDECREF((PyObject *)before);
    return true;
}

/* In every CPython from 3.9 on, and in the stable ABI from 3.12. */
extern PyObject *PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t count, PyObject *keywords);
extern PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t count, PyObject *keywords);
#define OFFSET_ALLOWED ((size_t)1 << (8 * sizeof(size_t) - 1)) /* PY_VECTORCALL_ARGUMENTS_OFFSET */

/* Not in the stable ABI; in every CPython so far. Borrowed, and no error where there is none. */
extern PyObject *_PyType_Lookup(PyTypeObject *type, PyObject *name) __attribute__((weak));

#endif
