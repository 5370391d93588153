/* _quick.c: the plain cases of read, write and ioctl on a computed device, from the call to the answer in C.
 *
 * files.py knows all cases, and what is answered here it would answer likewise: bytes of a read, a write that was taken, an
 * ioctl by value or of a structure without pointers, on a file that may be read and written and whose carrier shows it. The
 * model's method is looked up on its object each time. Whatever else it returns or raises goes to files.py, which does the
 * rest: read_answered(), write_answered(), ioctl_answered(), and for exceptions read_failed() and so on. */
#include "_answer.h"
#include "_standing.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

enum { READABLE_AND_WRITABLE = 1 | 4 }; /* POLLIN | POLLOUT */

/* An open file, as far as it is needed here; its class in files.py derives from this. */
typedef struct {
    PyObject_HEAD
    PyObject *file;                  /* the model's */
    char reads, writes, controls;    /* which calls may be answered so: those that the class has not made its own */
    char polls, armed, full;         /* see OpenFile */
    char counts;                     /* see counts_moves() */
    int ready;
    uint32_t count, room;
    struct known {
        uint32_t request;
        PyObject *way;
    } *known; /* ioctls that were asked for so far and can be answered so */
} Quick;

/* How one ioctl is answered. */
typedef struct {
    PyObject_HEAD
    PyObject *name;  /* of the method */
    PyObject *handler, *method; /* what the class has under that name, and the function behind it */
    PyObject *ctype; /* of its argument */
    PyObject *copy;  /* ctype.from_buffer_copy */
    uint32_t size;   /* of the argument, or of the value */
    char access;     /* 0: none; r, w, b: a structure, as the program sees it; i, u: a value with and without sign */
    char query;      /* it only asks: the answer stands */
} Way;

PyTypeObject *Quick_type, *Way_type;

enum { FLAT_AT = sizeof(struct segments) + sizeof(struct segment) };

static PyObject *name_of_read, *name_of_write, *flat_at;

/* ---- The model's answer ------------------------------------------------------------------------- */

/* Nothing about readiness has to be said with the answer: files.py, OpenFile.changes(). */
static bool is_steady(const Quick *self)
{
    return self->armed && !self->full && !self->polls && self->ready == READABLE_AND_WRITABLE;
}

static PyObject *call_method(PyObject *object, PyObject *name, PyObject *argument)
{
    PyObject *room[3] = { NULL, object, argument };
    return PyObject_VectorcallMethod(name, room + 1, (argument ? 2 : 1) | OFFSET_ALLOWED, NULL);
}

/* Whether the class's own handler answers, and nothing in its place, on the object or in a derived class. */
static bool is_own(PyObject *file, const Way *way)
{
    PyObject *found = _PyType_Lookup ? _PyType_Lookup(Py_TYPE(file), way->name) : NULL;
    PyObject *own = found && found == way->handler ? PyObject_GenericGetDict(file, NULL) : NULL;
    bool overridden = !own || PyDict_GetItemWithError(own, way->name) || PyErr_Occurred();

    Py_XDECREF(own);
    PyErr_Clear();
    return !overridden;
}

/* The class's own handler is called as the function that it stands for; what stands in its place is looked up as ever. */
static PyObject *call_handler(PyObject *file, const Way *way, bool own, PyObject *argument)
{
    if (!own)
        return call_method(file, way->name, argument);
    PyObject *room[3] = { NULL, file, argument };
    return PyObject_Vectorcall(way->method, room + 1, (argument ? 2 : 1) | OFFSET_ALLOWED, NULL);
}

/* What a model may raise without being the program's own exception, as files.py catches it; its answer follows. */
static PyObject *failed(Quick *self, const char *method, unsigned long long number)
{
    PyObject *type, *value, *trace;

    if (!PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_SystemExit))
        return NULL;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace)
        PyException_SetTraceback(value, trace);
    PyObject *answer = PyObject_CallMethod((PyObject *)self, method, "KO", number, value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return answer;
}

static enum outcome read_quickly(Quick *self, const struct call *call, struct answer *answer, PyObject **value)
{
    uint32_t size = call->request->size;
    PyObject *asked = PyLong_FromUnsignedLong(size);
    PyObject *got = asked ? call_method(self->file, name_of_read, asked) : NULL;

    Py_XDECREF(asked);
    if (got && PyBytes_CheckExact(got) && PyBytes_Size(got) <= (Py_ssize_t)size && is_steady(self)) {
        answer->data = PyBytes_AsString(got);
        answer->length = (uint32_t)PyBytes_Size(got);
        *value = got;
        return ANSWERED;
    }
    *value = got ? PyObject_CallMethod((PyObject *)self, "read_answered", "IO", size, got)
                 : failed(self, "read_failed", size);
    Py_XDECREF(got);
    return SAID;
}

/* An exact int in the range of results; -1: none. */
static int64_t as_result(PyObject *value, uint32_t most)
{
    if (!PyLong_CheckExact(value))
        return -1;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow || number < 0 || number > (long long)most ? -1 : number;
}

static enum outcome write_quickly(Quick *self, const struct call *call, struct answer *answer, PyObject **value, bool told)
{
    uint32_t size = call->request->size;
    PyObject *data = PyBytes_FromStringAndSize((const char *)call->room, size);
    PyObject *taken = data ? call_method(self->file, name_of_write, data) : NULL;
    int64_t result = !taken ? -1 : taken == Py_None ? size : as_result(taken, size);

    if (result >= 0 && is_steady(self)) {
        answer->result = result;
        *value = told ? PyLong_FromLongLong(result) : NULL;
        Py_DECREF(taken);
        Py_DECREF(data);
        return ANSWERED;
    }
    *value = taken ? PyObject_CallMethod((PyObject *)self, "write_answered", "OO", data, taken)
           : data  ? failed(self, "write_failed", size) : NULL;
    Py_XDECREF(taken);
    Py_XDECREF(data);
    return SAID;
}

/* ---- ioctl ---------------------------------------------------------------------------------------- */

static const Way *find_way(const Quick *self, uint32_t request)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (self->known[i].request == request)
            return (const Way *)self->known[i].way;
    return NULL;
}

/* The argument is the one segment that the description says, right behind its head. */
static bool is_flat(const Way *way, const struct call *call)
{
    const struct { struct segments all; struct segment one; } wanted = {
        { .count = 1 }, { .at = FLAT_AT, .length = way->size },
    };
    return call->request->size == FLAT_AT + way->size && memcmp(call->room, &wanted, FLAT_AT) == 0;
}

static PyObject *number_of(const Way *way, uint64_t argument)
{
    unsigned unused = 64 - 8 * way->size;
    if (way->access == 'u')
        return PyLong_FromUnsignedLongLong(argument << unused >> unused);
    return PyLong_FromLongLong((int64_t)(argument << unused) >> unused);
}

/* A structure's bytes go into the room behind a head that says so; unchanged: only where they are others than before.
 * False with an exception where they cannot be had. */
static bool put_back(const Way *way, PyObject *structure, const struct call *call, bool if_changed, struct answer *answer)
{
    const struct { struct segments all; struct segment one; } head = {
        { .count = 1 }, { .at = FLAT_AT, .length = way->size, .flags = SEGMENT_WRITE, .to = way->size },
    };
    Py_buffer view;

    if (PyObject_GetBuffer(structure, &view, PyBUF_SIMPLE) < 0)
        return false;
    bool fits = view.len == (Py_ssize_t)way->size;
    if (fits && !(if_changed && memcmp(call->room + FLAT_AT, view.buf, way->size) == 0)) {
        memcpy(call->room, &head, FLAT_AT);
        memcpy(call->room + FLAT_AT, view.buf, way->size);
        answer->length = FLAT_AT + way->size;
    }
    PyBuffer_Release(&view);
    if (!fits)
        PyErr_SetString(PyExc_TypeError, "the structure was resized");
    return fits;
}

/* What files.py would have given for it. */
static PyObject *as_said(const struct call *call, const struct answer *answer)
{
    if (!answer->length)
        return PyLong_FromLongLong(answer->result);
    PyObject *data = PyBytes_FromStringAndSize((const char *)call->room, answer->length);
    if (!answer->result || !data)
        return data;
    return Py_BuildValue("LiIKNI", (long long)answer->result, 0, 0u, 0ull, data, UINT32_MAX);
}

/* Whether the returned value is a plain one, and the answer made of it. */
static bool made_answer(const Quick *self, const Way *way, const struct call *call, PyObject *given, PyObject *returned,
                        struct answer *answer)
{
    if (!is_steady(self))
        return false;
    if (way->access == 'r')
        return (PyObject *)Py_TYPE(returned) == way->ctype && put_back(way, returned, call, false, answer);
    int64_t result = returned == Py_None ? 0 : as_result(returned, INT32_MAX);
    if (result < 0 || (way->access == 'b' && !put_back(way, given, call, true, answer)))
        return false;
    answer->result = result;
    return true;
}

static enum outcome ioctl_quickly(Quick *self, const struct call *call, struct answer *answer, PyObject **value, bool told)
{
    const struct slot *request = call->request;
    const Way *way = find_way(self, request->request);
    PyObject *data = NULL, *given = NULL, *returned = NULL;
    bool structure = way && strchr("rwb", way->access ? way->access : '-');

    if (!way || (structure ? !is_flat(way, call) : request->size != 0))
        return ASK;
    bool own = is_own(self->file, way), stands = own && way->query && standing_moves;
    if (!stands)
        answers_move();
    if (way->access == 'i' || way->access == 'u') {
        given = number_of(way, request->argument);
    } else if (way->access == 'w' || way->access == 'b') {
        data = PyBytes_FromStringAndSize((const char *)call->room, request->size);
        given = data ? PyObject_CallFunctionObjArgs(way->copy, data, flat_at, NULL) : NULL;
    }
    if (given || !way->access || way->access == 'r')
        returned = call_handler(self->file, way, own, given);
    if (returned && made_answer(self, way, call, given, returned, answer)) {
        if (stands)
            answer->flags = ANSWER_STANDS;
        *value = told ? as_said(call, answer) : NULL;
        Py_DECREF(returned);
        Py_XDECREF(given);
        Py_XDECREF(data);
        return ANSWERED;
    }
    if (returned)
        PyErr_Clear(); /* files.py finds out for itself what is wrong with it */
    if (returned && !data)
        data = PyBytes_FromStringAndSize((const char *)call->room, request->size);
    *value = !returned ? failed(self, "ioctl_failed", request->request)
           : data      ? PyObject_CallMethod((PyObject *)self, "ioctl_answered", "IKOOO", request->request,
                                             (unsigned long long)request->argument, data, given ? given : Py_None, returned)
                       : NULL;
    Py_XDECREF(returned);
    Py_XDECREF(given);
    Py_XDECREF(data);
    return SAID;
}

static bool is_quick(PyObject *file)
{
    static PyTypeObject *seen;
    return is_of_type(file, Quick_type, &seen);
}

enum outcome quick_answer(PyObject *file, const struct call *call, bool told, struct answer *answer, PyObject **value)
{
    Quick *self = (Quick *)file;
    const struct slot *request = call->request;
    enum outcome outcome = ASK;

    *value = NULL;
    if (!is_quick(file) || !self->file)
        return ASK;
    Py_INCREF(file); /* the model may unplug its own device */
    if (request->op == OP_READ && self->reads && request->offset < 0)
        outcome = read_quickly(self, call, answer, value);
    else if (request->op == OP_WRITE && self->writes && request->offset < 0)
        outcome = write_quickly(self, call, answer, value, told);
    else if (request->op == OP_IOCTL && self->controls)
        outcome = ioctl_quickly(self, call, answer, value, told);
    Py_DECREF(file);
    return outcome;
}

bool only_fills(PyObject *file, const struct slot *request)
{
    const Way *way = is_quick(file) ? find_way((const Quick *)file, request->request) : NULL;
    return way && way->access == 'r';
}

bool counts_moves(PyObject *file, const struct slot *request)
{
    return request->op == OP_IOCTL && is_quick(file) && ((Quick *)file)->counts;
}

/* ---- Types ---------------------------------------------------------------------------------------- */

/* learn(request, way): answer this ioctl so from now on, where any are (controls). */
static PyObject *Quick_learn(PyObject *object, PyObject *args)
{
    enum { MOST = 256 };
    Quick *self = (Quick *)object;
    unsigned request;
    PyObject *way;

    if (!PyArg_ParseTuple(args, "IO!", &request, Way_type, &way))
        return NULL;
    if (self->controls && self->count < MOST && !find_way(self, request)) {
        if (self->count == self->room) {
            uint32_t room = self->room ? 2 * self->room : 4;
            struct known *grown = PyMem_Realloc(self->known, room * sizeof *grown);
            if (!grown)
                return PyErr_NoMemory();
            self->known = grown;
            self->room = room;
        }
        self->known[self->count++] = (struct known){ request, Py_NewRef(way) };
    }
    Py_RETURN_NONE;
}

static int Quick_clear(PyObject *object)
{
    Quick *self = (Quick *)object;
    Py_CLEAR(self->file);
    while (self->count)
        Py_DECREF(self->known[--self->count].way);
    return 0;
}

static int Quick_traverse(PyObject *object, visitproc visit, void *arg)
{
    Quick *self = (Quick *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->file);
    for (uint32_t i = 0; i < self->count; i++)
        Py_VISIT(self->known[i].way);
    return 0;
}

static void Quick_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    Quick_clear(object);
    PyMem_Free(((Quick *)object)->known);
    free_object(object);
}

static PyMemberDef Quick_members[] = {
    { "file", T_OBJECT_EX, offsetof(Quick, file), 0, NULL },
    { "reads", T_BOOL, offsetof(Quick, reads), 0, NULL },
    { "writes", T_BOOL, offsetof(Quick, writes), 0, NULL },
    { "controls", T_BOOL, offsetof(Quick, controls), 0, NULL },
    { "counts", T_BOOL, offsetof(Quick, counts), 0, NULL },
    { "_polls", T_BOOL, offsetof(Quick, polls), 0, NULL },
    { "_armed", T_BOOL, offsetof(Quick, armed), 0, NULL },
    { "_full", T_BOOL, offsetof(Quick, full), 0, NULL },
    { "_ready", T_INT, offsetof(Quick, ready), 0, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyMethodDef Quick_methods[] = {
    { "learn", Quick_learn, METH_VARARGS, "learn(request, way): answer this ioctl so from now on." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Quick_slots[] = {
    { Py_tp_doc, "An open file whose plain calls are answered in C; see _quick.c." },
    { Py_tp_members, Quick_members },
    { Py_tp_methods, Quick_methods },
    { Py_tp_traverse, Quick_traverse },
    { Py_tp_clear, Quick_clear },
    { Py_tp_dealloc, Quick_dealloc },
    { 0, NULL },
};

PyType_Spec Quick_spec = { "devshim.host._channel.Quick", sizeof(Quick), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, Quick_slots };

/* Way(handler, access, ctype, size) */
static int Way_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    Way *self = (Way *)object;
    PyObject *handler, *ctype;
    const char *access;
    unsigned size;
    (void)keywords;

    if (!PyArg_ParseTuple(args, "OsOI", &handler, &access, &ctype, &size))
        return -1;
    bool structure = access[0] && strchr("rwb", access[0]), value = access[0] && strchr("iu", access[0]);
    if (self->name || (access[0] && !structure && !value) || (value && (size == 0 || size > 8))) {
        PyErr_SetString(PyExc_ValueError, "no way of this kind");
        return -1;
    }
    self->copy = structure ? PyObject_GetAttrString(ctype, "from_buffer_copy") : NULL;
    if (structure && !self->copy)
        return -1;
    self->name = PyObject_GetAttrString(handler, "name");
    self->method = PyObject_GetAttrString(handler, "method");
    if (!self->name || !PyUnicode_Check(self->name) || !self->method)
        return -1;
    PyUnicode_InternInPlace(&self->name);
    PyObject *query = PyObject_GetAttrString(handler, "query");
    if (!query)
        return -1;
    self->query = (char)PyObject_IsTrue(query);
    Py_DECREF(query);
    self->handler = Py_NewRef(handler);
    self->ctype = Py_NewRef(ctype);
    self->size = size;
    self->access = access[0];
    return 0;
}

static int Way_clear(PyObject *object)
{
    Way *self = (Way *)object;
    Py_CLEAR(self->name);
    Py_CLEAR(self->handler);
    Py_CLEAR(self->method);
    Py_CLEAR(self->ctype);
    Py_CLEAR(self->copy);
    return 0;
}

static int Way_traverse(PyObject *object, visitproc visit, void *arg)
{
    Way *self = (Way *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->handler);
    Py_VISIT(self->method);
    Py_VISIT(self->ctype);
    Py_VISIT(self->copy);
    return 0;
}

static void Way_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    Way_clear(object);
    free_object(object);
}

static PyType_Slot Way_slots[] = {
    { Py_tp_doc, "How an ioctl is answered in C: Way(handler, access, ctype, size); see _quick.c." },
    { Py_tp_init, Way_init },
    { Py_tp_traverse, Way_traverse },
    { Py_tp_clear, Way_clear },
    { Py_tp_dealloc, Way_dealloc },
    { 0, NULL },
};

PyType_Spec Way_spec = { "devshim.host._channel.Way", sizeof(Way), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, Way_slots };

int quick_prepare(void)
{
    name_of_read = PyUnicode_InternFromString("read");
    name_of_write = PyUnicode_InternFromString("write");
    flat_at = PyLong_FromLong(FLAT_AT);
    return name_of_read && name_of_write && flat_at ? 0 : -1;
}
