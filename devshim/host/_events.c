/* _events.c: waits for the descriptors of the host's loop, and reads terminals, without the GIL: first looking again and again,
 * letting everybody else run between the looks, then asleep.
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
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    AT_ONCE = 64,        /* events of one wait */
    AT_ONCE_BYTES = 65536,
    MUCH = 1024,         /* bytes that are more than a line: more may follow */
    LOOKS = 64,          /* before sleeping: some 30 us, where nobody else wants the processor */
    A_TURN_NS = 100000,  /* who keeps the processor for longer works on something else */
    MOST_QUIET = 64,     /* waits without a look, after looks for nothing */
    MOST_CROWDED = 4096, /* the same after others' turns: they take milliseconds */
};

/* Whether looking has been of use lately. */
struct patience {
    unsigned rests;   /* times to come without a look */
    unsigned quiet;   /* rests after the next look for nothing */
    unsigned crowded; /* rests after the next turn of another's */
};

typedef struct {
    PyObject_HEAD
    int epoll;
    bool served;             /* the last wait had events: more may come soon */
    struct patience waiting; /* the loop's thread alone */
    struct patience reading; /* under the host's lock, as is what follows */
    char *room;              /* for so many bytes, once a terminal is read */
} Events;

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void rest(struct patience *self, unsigned *longer, unsigned most)
{
    self->rests = *longer ? *longer : 1;
    *longer = self->rests < most ? self->rests * 2 : most;
}

static bool shall_rest(struct patience *self)
{
    if (self->rests == 0)
        return false;
    self->rests--;
    return true;
}

/* What is looked for: 0 while there is none of it. */
typedef int probe(int fd, struct epoll_event *events);

static int events_now(int epoll, struct epoll_event *events)
{
    return epoll_wait(epoll, events, AT_ONCE, 0);
}

/* Unlike a read and a poll, this does not wait for what the kernel has under way (n_tty_read, n_tty_poll). */
static int bytes_now(int terminal, struct epoll_event *unused)
{
    int held = 0;
    (void)unused;
    return ioctl(terminal, FIONREAD, &held) < 0 ? 1 : held;
}

/* What the probe says; 0 where it is better to sleep. */
static int look(struct patience *self, probe *probe, int fd, struct epoll_event *events)
{
    int64_t before = now_ns(), after;
    int found = probe(fd, events);

    for (int looks = 1; found == 0 && looks < LOOKS; looks++, before = after) {
        sched_yield();
        found = probe(fd, events);
        after = now_ns();
        if (after - before > A_TURN_NS) {
            rest(self, &self->crowded, MOST_CROWDED);
            return found;
        }
        if (found > 0) {
            self->quiet = 0;
            self->crowded /= 2;
        }
    }
    if (found == 0)
        rest(self, &self->quiet, MOST_QUIET);
    return found;
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
    if (timeout != 0 && self->served && !shall_rest(&self->waiting)) {
        Py_BEGIN_ALLOW_THREADS
        count = look(&self->waiting, events_now, self->epoll, events);
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

static bool may_have_more(struct patience *self, int terminal)
{
    return shall_rest(self) || look(self, bytes_now, terminal, NULL) > 0;
}

/* As read(2), but where much comes at once some of it together. */
static ssize_t read_some(Events *self, int fd, size_t most)
{
    ssize_t got = read(fd, self->room, most), sum = got;

    while (got >= MUCH && (size_t)sum < most && may_have_more(&self->reading, fd)) {
        got = read(fd, self->room + sum, most - (size_t)sum); /* an error comes again at the next read */
        sum += got > 0 ? got : 0;
    }
    return sum;
}

static PyObject *Events_read(PyObject *object, PyObject *args)
{
    Events *self = (Events *)object;
    int fd;
    Py_ssize_t most, got;

    if (!PyArg_ParseTuple(args, "in", &fd, &most))
        return NULL;
    if (most < 0 || most > AT_ONCE_BYTES)
        most = AT_ONCE_BYTES;
    if (!self->room && !(self->room = PyMem_Malloc(AT_ONCE_BYTES)))
        return PyErr_NoMemory();
    Py_BEGIN_ALLOW_THREADS
    got = read_some(self, fd, (size_t)most);
    Py_END_ALLOW_THREADS
    return got < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyBytes_FromStringAndSize(self->room, got);
}

static int Events_init(PyObject *self, PyObject *args, PyObject *names)
{
    (void)names;
    return PyArg_ParseTuple(args, "i", &((Events *)self)->epoll) ? 0 : -1;
}

static void Events_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(((Events *)self)->room);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef Events_methods[] = {
    { "wait", Events_wait, METH_O,
      "wait(seconds) -> [(fd, events)]: what is ready, in so many seconds, or at all (-1); [] then, or after a signal." },
    { "read", Events_read, METH_VARARGS,
      "read(fd, most) -> what a terminal has to read that does not block, and what soon follows where that is much." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Events_slots[] = {
    { Py_tp_doc, "Events(epoll): what an epoll's descriptor tells of others." },
    { Py_tp_init, Events_init },
    { Py_tp_dealloc, Events_dealloc },
    { Py_tp_methods, Events_methods },
    { 0, NULL },
};

PyType_Spec Events_spec = { "devshim.host._channel.Events", sizeof(Events), 0, Py_TPFLAGS_DEFAULT, Events_slots };
