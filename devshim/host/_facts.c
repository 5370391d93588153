/* _facts.c: notes calls as bare facts, in as few steps as can be; noted.py and observed.py make more of them later.
 *
 * Facts are kept in an array of C's: an object for each call would be looked at again and again by the garbage collector. */
#include "_answer.h"

#include <stddef.h>
#include <structmember.h>
#include <time.h>

struct fact {
    PyObject *maker; /* the NotedFile, or where name is NULL what is kept as it is */
    PyObject *name, *data, *answer, *who; /* NULL for None and b"" */
    int64_t first, second, number, promised;
    double began, ended;
};

/* The newest calls, at most so many. */
typedef struct {
    PyObject_HEAD
    struct fact *facts;
    size_t most, room, oldest, kept;
    unsigned long long count; /* of all calls so far */
    PyObject *eager;          /* list: who wants to be told of each call at once */
} Facts;

/* Stands before a file whose calls are noted; its class in observed.py derives from this. */
typedef struct {
    PyObject_HEAD
    PyObject *inner, *noted, *observers, *known; /* known: (channel, thread) -> (process, thread), see callers.py */
    long long number;
} NotedFile;

PyTypeObject *Facts_type, *NotedFile_type;

static PyObject *names[OP_WAITS + 1];

/* ---- Facts ------------------------------------------------------------------------------------------ */

static void drop(const struct fact *fact)
{
    Py_XDECREF(fact->maker);
    Py_XDECREF(fact->name);
    Py_XDECREF(fact->data);
    Py_XDECREF(fact->answer);
    Py_XDECREF(fact->who);
}

static bool make_room(Facts *self)
{
    if (self->kept < self->room || self->room == self->most)
        return true;
    size_t room = self->room ? 2 * self->room : 64;
    room = room < self->most ? room : self->most;
    struct fact *grown = PyMem_Realloc(self->facts, room * sizeof *grown); /* oldest is 0 as long as it grows */
    if (!grown) {
        PyErr_NoMemory();
        return false;
    }
    self->facts = grown;
    self->room = room;
    return true;
}

/* Takes the references over. */
static bool keep(Facts *self, const struct fact *fact)
{
    if (!make_room(self)) {
        drop(fact);
        return false;
    }
    size_t at = self->oldest + self->kept;
    struct fact *place = &self->facts[at < self->room ? at : at - self->room], evicted;
    bool full = self->kept == self->room;
    if (full) {
        evicted = *place;
        self->oldest = self->oldest + 1 == self->room ? 0 : self->oldest + 1;
    } else {
        self->kept++;
    }
    self->count++;
    *place = *fact;
    if (full)
        drop(&evicted); /* last, for this may run anything */
    return true;
}

static PyObject *or_none(PyObject *object)
{
    return Py_NewRef(object ? object : Py_None);
}

static PyObject *as_tuple(const struct fact *fact)
{
    PyObject *data = fact->data ? Py_NewRef(fact->data) : PyBytes_FromStringAndSize(NULL, 0);
    PyObject *second = fact->name == names[OP_IOCTL] ? PyLong_FromUnsignedLongLong((uint64_t)fact->second)
                                                     : PyLong_FromLongLong(fact->second);
    return Py_BuildValue("NNLNNNLLNdd", Py_NewRef(fact->maker), or_none(fact->name), (long long)fact->first, second, data,
                         or_none(fact->answer), (long long)fact->number, (long long)fact->promised, or_none(fact->who),
                         fact->began, fact->ended);
}

/* take() -> [(maker, name, first, second, data, answer, number, promised, who, began, ended), ...] */
static PyObject *Facts_take(PyObject *object, PyObject *unused)
{
    PyObject *list = PyList_New(0); /* first, for it may let the garbage collector run, and that more calls be noted */
    Facts *self = (Facts *)object, taken = *self;
    (void)unused;

    self->facts = NULL;
    self->room = self->oldest = self->kept = 0;
    for (size_t i = 0; i < taken.kept; i++) {
        struct fact *fact = &taken.facts[(taken.oldest + i) % taken.room];
        PyObject *one = list ? as_tuple(fact) : NULL;
        if (list && (!one || PyList_Append(list, one) < 0))
            Py_CLEAR(list);
        Py_XDECREF(one);
        drop(fact);
    }
    PyMem_Free(taken.facts);
    return list;
}

/* keep(maker, name=None, first=0, ...): for what is no NotedFile's. */
static PyObject *Facts_keep(PyObject *object, PyObject *args)
{
    PyObject *name = NULL, *data = NULL, *answer = NULL, *who = NULL, *maker;
    long long first = 0, second = 0, number = 0, promised = 0;
    double began = 0, ended = 0;

    if (!PyArg_ParseTuple(args, "O|OLLOOLLOdd", &maker, &name, &first, &second, &data, &answer, &number, &promised, &who,
                          &began, &ended))
        return NULL;
    struct fact fact = { Py_NewRef(maker), name == Py_None ? NULL : Py_XNewRef(name), Py_XNewRef(data), Py_XNewRef(answer),
                         Py_XNewRef(who), first, second, number, promised, began, ended };
    if (!keep((Facts *)object, &fact))
        return NULL;
    Py_RETURN_NONE;
}

/* ---- Calls that are noted --------------------------------------------------------------------------- */

bool is_noted(PyObject *file)
{
    static PyTypeObject *seen;
    return is_of_type(file, NotedFile_type, &seen);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The last caller, for as long as the same one calls. callers.py empties `known` where numbers change, and nobody but
 * caller_of() fills it again. */
static struct {
    PyObject *known, *asking, *who;
} last;

static void remember_caller(PyObject *known, PyObject *asking, PyObject *who)
{
    PyObject *old_known = last.known, *old_asking = last.asking, *old_who = last.who;

    last.known = Py_XNewRef(known);
    last.asking = Py_XNewRef(asking);
    last.who = Py_XNewRef(who);
    Py_XDECREF(old_known);
    Py_XDECREF(old_asking);
    Py_XDECREF(old_who);
}

/* The numbers of whoever calls; a new reference, or NULL. */
static PyObject *caller_of(NotedFile *self, PyObject *channel)
{
    PyObject *asking = channel_caller(channel);
    if (asking && asking == last.asking && self->known == last.known && PyDict_Size(self->known))
        return Py_XNewRef(last.who);
    PyObject *who = asking ? PyDict_GetItemWithError(self->known, asking) : NULL;
    Py_XINCREF(asking);
    if (who)
        Py_INCREF(who);
    else if (!PyErr_Occurred())
        who = PyObject_CallMethod(self->observers, "caller", NULL);
    if (who)
        remember_caller(self->known, asking, who);
    Py_XDECREF(asking);
    return who;
}

/* The number of the file that an ioctl has made, if it has made one; -1 with an exception. */
static int64_t promised_by(NotedFile *self, uint32_t op, PyObject *answer)
{
    if (op != OP_IOCTL || !PyTuple_Check(answer))
        return 0;
    PyObject *number = PyObject_GetAttrString(self->observers, "promised");
    int64_t promised = number ? PyLong_AsLongLong(number) : -1;
    Py_XDECREF(number);
    return promised;
}

static bool note(NotedFile *self, PyObject *channel, const struct slot *request, PyObject *data, PyObject *answer, double began)
{
    uint32_t op = request->op;
    struct fact fact = { .name = names[op], .number = self->number, .began = began, .ended = now() };

    switch (op) {
    case OP_READ: fact.first = request->size; fact.second = request->offset; break;
    case OP_WRITE: fact.second = request->offset; break;
    case OP_SEEK: fact.first = request->offset; fact.second = request->request; break;
    case OP_REPORT: fact.first = request->request; break;
    default: fact.first = request->request; fact.second = (int64_t)request->argument;
    }
    fact.promised = promised_by(self, op, answer);
    fact.who = caller_of(self, channel);
    if (!fact.who || (fact.promised == -1 && PyErr_Occurred())) {
        Py_XDECREF(fact.who);
        return false;
    }
    Py_INCREF(fact.name);
    fact.maker = Py_NewRef((PyObject *)self);
    fact.data = Py_XNewRef(data);
    fact.answer = Py_NewRef(answer);
    Facts *noted = (Facts *)self->noted;
    if (!keep(noted, &fact))
        return false;
    if (PyList_Size(noted->eager) <= 0)
        return true;
    PyObject *told = PyObject_CallMethod(self->noted, "tell", NULL);
    Py_XDECREF(told);
    return told != NULL;
}

/* A native call is over: what the kernel has answered, in the way of files.py. */
static PyObject *reported(int64_t result)
{
    if (result >= 0)
        return PyLong_FromLongLong(result);
    return Py_BuildValue("iLiiOI", -1, (long long)-result, 0, 0, Py_None, UINT32_MAX);
}

enum outcome answer_noted(PyObject *file, PyObject *channel, const struct call *call, struct answer *answer, PyObject **value)
{
    NotedFile *self = (NotedFile *)file;
    const struct slot *request = call->request;
    bool with_data = request->op == OP_WRITE || request->op == OP_REPORT
                     || (request->op == OP_IOCTL && self->inner && !only_fills(self->inner, request));
    enum outcome outcome = SAID;

    if (request->op == OP_POLL || request->op == OP_WAITS || !self->inner) { /* no calls of the program's */
        *value = self->inner ? channel_ask(self->inner, call) : NULL;
        return SAID;
    }
    double began = now();
    PyObject *data = with_data && request->size ? PyBytes_FromStringAndSize((const char *)call->room, request->size) : NULL;
    PyObject *inner = Py_NewRef(self->inner);
    if (request->op == OP_REPORT)
        *value = reported(request->offset);
    else if ((outcome = quick_answer(inner, call, true, answer, value)) == ASK)
        *value = channel_ask(inner, call);
    outcome = outcome == ANSWERED ? ANSWERED : SAID;
    if (*value && !note(self, channel, request, data, *value, began)) {
        Py_CLEAR(*value);
        outcome = SAID;
    }
    if (*value && request->op == OP_REPORT) {
        Py_DECREF(*value);
        *value = PyLong_FromLong(0);
    }
    Py_DECREF(inner);
    Py_XDECREF(data);
    return outcome;
}

/* ---- Types ------------------------------------------------------------------------------------------- */

static int Facts_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    Facts *self = (Facts *)object;
    Py_ssize_t most;
    (void)keywords;

    if (!PyArg_ParseTuple(args, "n", &most))
        return -1;
    if (most < 1 || self->eager) {
        PyErr_SetString(PyExc_ValueError, "at least one call is kept");
        return -1;
    }
    self->most = (size_t)most;
    self->eager = PyList_New(0);
    return self->eager ? 0 : -1;
}

static int Facts_clear(PyObject *object)
{
    Facts *self = (Facts *)object;
    struct fact *facts = self->facts;
    size_t kept = self->kept, oldest = self->oldest, room = self->room;

    self->facts = NULL;
    self->room = self->oldest = self->kept = 0;
    for (size_t i = 0; i < kept; i++)
        drop(&facts[(oldest + i) % room]);
    PyMem_Free(facts);
    Py_CLEAR(self->eager);
    return 0;
}

static int Facts_traverse(PyObject *object, visitproc visit, void *arg)
{
    Facts *self = (Facts *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->eager);
    for (size_t i = 0; i < self->kept; i++)
        Py_VISIT(self->facts[(self->oldest + i) % self->room].maker); /* the other facts refer to nothing */
    return 0;
}

static void Facts_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    Facts_clear(object);
    free_object(object);
}

static PyMemberDef Facts_members[] = {
    { "count", T_ULONGLONG, offsetof(Facts, count), READONLY, "How many calls there were in all." },
    { "eager", T_OBJECT_EX, offsetof(Facts, eager), 0, "Who wants to be told of each call at once." },
    { NULL, 0, 0, 0, NULL },
};

static PyMethodDef Facts_methods[] = {
    { "take", Facts_take, METH_NOARGS, "take() -> the facts of each call that is kept, the oldest first, which are then forgotten." },
    { "keep", Facts_keep, METH_VARARGS, "keep(maker, name, ...): one more call." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Facts_slots[] = {
    { Py_tp_doc, "Facts of the newest calls: Facts(most); see _facts.c." },
    { Py_tp_init, Facts_init },
    { Py_tp_members, Facts_members },
    { Py_tp_methods, Facts_methods },
    { Py_tp_traverse, Facts_traverse },
    { Py_tp_clear, Facts_clear },
    { Py_tp_dealloc, Facts_dealloc },
    { 0, NULL },
};

PyType_Spec Facts_spec = { "devshim.host._channel.Facts", sizeof(Facts), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, Facts_slots };

static int NotedFile_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    NotedFile *self = (NotedFile *)object;
    PyObject *inner, *noted, *observers, *known;
    (void)keywords;

    if (!PyArg_ParseTuple(args, "OO!OO!", &inner, Facts_type, &noted, &observers, &PyDict_Type, &known))
        return -1;
    if (self->inner) {
        PyErr_SetString(PyExc_TypeError, "made already");
        return -1;
    }
    self->inner = Py_NewRef(inner);
    self->noted = Py_NewRef(noted);
    self->observers = Py_NewRef(observers);
    self->known = Py_NewRef(known);
    return 0;
}

static int NotedFile_clear(PyObject *object)
{
    NotedFile *self = (NotedFile *)object;
    Py_CLEAR(self->inner);
    Py_CLEAR(self->noted);
    Py_CLEAR(self->observers);
    Py_CLEAR(self->known);
    return 0;
}

static int NotedFile_traverse(PyObject *object, visitproc visit, void *arg)
{
    NotedFile *self = (NotedFile *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->inner);
    Py_VISIT(self->noted);
    Py_VISIT(self->observers);
    Py_VISIT(self->known);
    return 0;
}

static void NotedFile_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    NotedFile_clear(object);
    free_object(object);
}

static PyMemberDef NotedFile_members[] = {
    { "inner", T_OBJECT_EX, offsetof(NotedFile, inner), 0, "The file itself." },
    { "observers", T_OBJECT_EX, offsetof(NotedFile, observers), READONLY, "What all such files have in common." },
    { "number", T_LONGLONG, offsetof(NotedFile, number), 0, "Of the open file, as events have it." },
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot NotedFile_slots[] = {
    { Py_tp_doc, "Stands before a file whose calls are noted: NotedFile(inner, facts, observers, known callers)." },
    { Py_tp_init, NotedFile_init },
    { Py_tp_members, NotedFile_members },
    { Py_tp_traverse, NotedFile_traverse },
    { Py_tp_clear, NotedFile_clear },
    { Py_tp_dealloc, NotedFile_dealloc },
    { 0, NULL },
};

PyType_Spec NotedFile_spec = { "devshim.host._channel.NotedFile", sizeof(NotedFile), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, NotedFile_slots };

int facts_prepare(void)
{
    static const char *const texts[] = { [OP_READ] = "read", [OP_WRITE] = "write", [OP_IOCTL] = "ioctl", [OP_SEEK] = "lseek",
                                         [OP_REPORT] = "report", [OP_LOCK] = "flock" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] && !(names[i] = PyUnicode_InternFromString(texts[i])))
            return -1;
    return 0;
}
