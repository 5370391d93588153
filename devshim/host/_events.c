/* _events.c: waits for the descriptors of the host's loop, without the GIL: first looking again and again, letting everybody
 * else run between the looks, then asleep.
 *
 * Who answers a line from a serial port mostly gets the next one soon, and neither sleeping nor waking costs as much as
 * the kernel's hand-over while both sides stay awake. Looking alone would keep the processor from those who are to
 * write; sched_yield(2) gives it to them. It is given up where that is no gain: nothing came, or somebody who has no part
 * in it took a whole turn, which to a sleeper that wakes the kernel would have given at once. */
#include "_events.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

enum {
    AT_ONCE = 64,        /* events of one wait */
    LOOKS = 64,          /* before sleeping: some 30 us, where nobody else wants the processor */
    A_TURN_NS = 100000,  /* who keeps the processor for longer works on something else */
    MOST_QUIET = 64,     /* waits without a look, after looks for nothing */
    MOST_CROWDED = 4096, /* the same after others' turns: they take milliseconds */
};

typedef struct {
    PyObject_HEAD
    int epoll;
    bool served;     /* the last wait had events: more may come soon */
    unsigned rests;  /* waits to come without a look */
    unsigned quiet;  /* rests after the next look for nothing */
    unsigned crowded; /* rests after the next turn of another's */
} Events;

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static unsigned rest(Events *self, unsigned *longer, unsigned most)
{
    unsigned rests = *longer ? *longer : 1;

    *longer = rests < most ? rests * 2 : most;
    return self->rests = rests;
}

/* How many events there are; 0 where it is better to sleep. */
static int look(Events *self, struct epoll_event *events)
{
    int64_t before = now_ns(), after;
    int count = epoll_wait(self->epoll, events, AT_ONCE, 0);

    for (int looks = 1; count == 0 && looks < LOOKS; looks++, before = after) {
        sched_yield();
        count = epoll_wait(self->epoll, events, AT_ONCE, 0);
        after = now_ns();
        if (after - before > A_TURN_NS) {
            rest(self, &self->crowded, MOST_CROWDED);
            return count;
        }
        if (count > 0) {
            self->quiet = 0;
            self->crowded /= 2;
        }
    }
    if (count == 0)
        rest(self, &self->quiet, MOST_QUIET);
    return count;
}

static bool may_look(Events *self)
{
    if (!self->served)
        return false;
    if (self->rests == 0)
        return true;
    self->rests--;
    return false;
}

/* Never too early: who is called back before the time would only wait again. */
static int milliseconds(double seconds)
{
    if (seconds < 0)
        return -1;
    double most = 1e9, wanted = seconds * 1e3;
    int whole = (int)(wanted < most ? wanted : most);
    return whole < wanted && whole < most ? whole + 1 : whole;
}

static PyObject *as_list(const struct epoll_event *events, int count)
{
    PyObject *list = PyList_New(count);

    for (int i = 0; list && i < count; i++) {
        PyObject *pair = Py_BuildValue("iI", events[i].data.fd, (unsigned)events[i].events);
        if (!pair || PyList_SetItem(list, i, pair) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *Events_wait(PyObject *object, PyObject *seconds)
{
    Events *self = (Events *)object;
    struct epoll_event events[AT_ONCE];
    double wanted = PyFloat_AsDouble(seconds);
    int count = 0;

    if (wanted == -1 && PyErr_Occurred())
        return NULL;
    int timeout = milliseconds(wanted);
    if (timeout != 0 && may_look(self)) {
        Py_BEGIN_ALLOW_THREADS
        count = look(self, events);
        Py_END_ALLOW_THREADS
        if (count == 0 && PyErr_CheckSignals() < 0)
            return NULL;
    }
    if (count == 0) {
        Py_BEGIN_ALLOW_THREADS
        count = epoll_wait(self->epoll, events, AT_ONCE, timeout);
        Py_END_ALLOW_THREADS
    }
    self->served = count > 0;
    if (count >= 0)
        return as_list(events, count);
    if (errno != EINTR)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyErr_CheckSignals() < 0 ? NULL : PyList_New(0);
}

static int Events_init(PyObject *self, PyObject *args, PyObject *names)
{
    (void)names;
    return PyArg_ParseTuple(args, "i", &((Events *)self)->epoll) ? 0 : -1;
}

static PyMethodDef Events_methods[] = {
    { "wait", Events_wait, METH_O,
      "wait(seconds) -> [(fd, events)]: what is ready, in so many seconds, or at all (-1); [] then, or after a signal." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Events_slots[] = {
    { Py_tp_doc, "Events(epoll): what an epoll's descriptor tells of others." },
    { Py_tp_init, Events_init },
    { Py_tp_methods, Events_methods },
    { 0, NULL },
};

PyType_Spec Events_spec = { "devshim.host._channel.Events", sizeof(Events), 0, Py_TPFLAGS_DEFAULT, Events_slots };
