/* _channel.c: the host's end of the channel: takes each call, brings it to Python, and gives the answer.
 *
 * It copies a request before it looks at it (the target can write to the mapping at any time), calls Python, and writes
 * the answer. What a call means is Python's business (host/answering.py, host/files.py). */
#include "_answer.h"
#include "_direct.h"
#include "_lock.h"
#include "_standing.h"
#include "_waiting.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

typedef struct {
    PyObject_HEAD
    struct waiting waiting;
    Lock *lock;
    PyObject *files;  /* list: file number -> object with read, write, ioctl, seek, poll, lock, report */
    PyObject *noted;  /* called for OP_NOTE */
    PyObject *settle; /* called where files were closed; NULL: the loop does that alone */
    uint32_t caller, caller_thread; /* who made the call that is being answered: its channel, its thread id */
    uint32_t told_caller, told_thread;
    PyObject *told; /* caller() of these, the same tuple as long as nobody else calls */
} Channel;

static uint8_t *room_of(struct channel *channel, uint32_t index, bool large)
{
    if (!large)
        return slot_at(channel, index)->data;
    return (uint8_t *)channel + CHANNEL_SMALL + (size_t)index * LARGE_DATA;
}

static void fill_in(struct slot *slot, uint8_t *room, const struct answer *answer, uint32_t generation)
{
    if (answer->length && answer->data)
        memcpy(room, answer->data, answer->length);
    slot->result = answer->result;
    slot->error = answer->error;
    slot->flags = answer->flags;
    slot->token = answer->token;
    slot->length = answer->length;
    slot->place = answer->place;
    slot->answered = generation;
}

static void give(struct slot *slot, uint8_t *room, const struct answer *answer, uint32_t generation)
{
    fill_in(slot, room, answer, generation);
    __atomic_store_n(&slot->state, SLOT_ANSWER, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&slot->sleeping, __ATOMIC_SEQ_CST))
        futex(&slot->state, FUTEX_WAKE, 1, NULL);
}

/* ---- Calls ---- */

static enum outcome dispatch(Channel *self, const struct call *call, struct answer *answer, PyObject **value)
{
    const struct slot *request = call->request;

    *value = NULL;
    if (request->op != OP_IOCTL)
        answers_move();
    if (request->op == 0 || request->op > OP_WAITS || (request->op == OP_NOTE && request->size > HELLO_PATH)) {
        *value = not_a_call();
        return SAID;
    }
    if (request->op == OP_NOTE) {
        *value = PyObject_CallFunction(self->noted, "INI", call->process, PyBytes_FromStringAndSize((const char *)call->room, request->size), request->request);
        return SAID;
    }
    PyObject *file = Py_XNewRef(PyList_GetItem(self->files, request->file));
    enum outcome outcome = SAID;
    if (!file) /* a number that nobody has */
        PyErr_Clear();
    if (request->op == OP_IOCTL && !(file && counts_moves(file, request)))
        answers_move();
    if (!file || file == Py_None) { /* or of a device unplugged meanwhile */
        *value = Py_BuildValue("LiIKOI", -1ll, ENODEV, 0u, 0ull, Py_None, UINT32_MAX);
    } else if (is_noted(file)) {
        outcome = answer_noted(file, (PyObject *)self, call, answer, value);
    } else if ((outcome = quick_answer(file, call, false, answer, value)) == ASK) {
        *value = channel_ask(file, call);
        outcome = SAID;
    }
    Py_XDECREF(file);
    return outcome;
}

/* An answer that stands says since when. */
static void stamp(struct answer *answer)
{
    if (answer->flags & ANSWER_STANDS)
        answer->token = standing_moves ? __atomic_load_n(standing_moves, __ATOMIC_RELAXED) : 0;
}

/* With the GIL and the lock. */
static void answer_call(Channel *self, uint32_t process, uint32_t index)
{
    struct channel *channel = self->waiting.processes[process].channel;
    struct slot *slot = slot_at(channel, index), request;
    uint32_t asked = SLOT_REQUEST;

    if (!__atomic_compare_exchange_n(&slot->state, &asked, SLOT_SERVING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return; /* taken back */
    struct answer answer = { .place = UINT32_MAX };
    Py_buffer buffer = { 0 };

    memcpy(&request, slot, sizeof request);
    self->caller = process;
    self->caller_thread = request.thread;
    self->waiting.opened = request.op == OP_NOTE && request.request == NOTE_LOOK;
    bool large = request.large != 0;
    uint32_t most = large ? LARGE_DATA : SLOT_DATA;
    uint8_t *room = room_of(channel, index, large);

    PyObject *value = NULL;
    enum outcome outcome = SAID;
    if ((large && index >= self->waiting.processes[process].rooms) || request.size > most)
        value = not_a_call();
    else
        outcome = dispatch(self, &(struct call){ &request, room, process }, &answer, &value);
    if (outcome == SAID && (!value || !answer_said(value, &answer, &buffer, request.op == OP_READ ? request.size : most))) {
        if (PyErr_Occurred())
            PyErr_WriteUnraisable((PyObject *)Py_TYPE((PyObject *)self));
        answer = (struct answer){ .result = -1, .error = EIO };
    }
    stamp(&answer);
    give(slot, room, &answer, request.generation);
    if (buffer.obj)
        PyBuffer_Release(&buffer);
    Py_XDECREF(value);
}

/* A signal's handler raised while a model ran in a thread of the program's own: that is the program's exception. Its call
 * ends, and then it is raised there. */
static int raise_again(void *exception)
{
    PyErr_SetObject((PyObject *)Py_TYPE((PyObject *)exception), exception);
    Py_DECREF((PyObject *)exception);
    return -1;
}

static bool is_of_program(void)
{
    return PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception);
}

static struct answer interrupted(void)
{
    PyObject *type, *value, *trace;

    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Clear();
        PyErr_SetInterrupt();
        return (struct answer){ .result = -1, .error = EINTR };
    }
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace)
        PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    if (Py_AddPendingCall(raise_again, value) < 0)
        Py_DECREF(value);
    return (struct answer){ .place = UINT32_MAX }; /* no error, or an OSError would come first, or the call be repeated */
}

void channel_answer_own(PyObject *object, struct slot *slot, uint8_t *room, uint32_t most)
{
    Channel *self = (Channel *)object;
    struct answer answer = { .place = UINT32_MAX };
    Py_buffer buffer = { 0 };

    self->caller = OWN_PROCESS;
    self->caller_thread = slot->thread;
    PyObject *value;
    enum outcome outcome = dispatch(self, &(struct call){ slot, room, OWN_PROCESS }, &answer, &value);
    if (outcome == SAID && (!value || !answer_said(value, &answer, &buffer, slot->op == OP_READ ? slot->size : most))) {
        if (is_of_program()) {
            answer = interrupted();
        } else {
            if (PyErr_Occurred())
                PyErr_WriteUnraisable((PyObject *)Py_TYPE(object));
            answer = (struct answer){ .result = -1, .error = EIO };
        }
    }
    stamp(&answer);
    fill_in(slot, room, &answer, slot->generation);
    slot->state = SLOT_ANSWER;
    if (buffer.obj)
        PyBuffer_Release(&buffer);
    Py_XDECREF(value);
}

Lock *channel_lock(PyObject *object)
{
    return ((Channel *)object)->lock;
}

static void take_in_closes(Channel *self)
{
    PyObject *done = PyObject_CallNoArgs(self->settle);

    if (!done)
        PyErr_WriteUnraisable((PyObject *)Py_TYPE((PyObject *)self));
    Py_XDECREF(done);
}

static PyObject *Channel_serve(PyObject *object, PyObject *unused)
{
    Channel *self = (Channel *)object;
    uint32_t process, index;
    bool more;
    (void)unused;

    be_prompt();
    begin_waiting(&self->waiting);
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        more = next_call(&self->waiting, &process, &index);
        if (more)
            lock_enter(self->lock);
        Py_END_ALLOW_THREADS
        if (!more)
            Py_RETURN_NONE;
        if (process == CLOSES) {
            take_in_closes(self);
        } else if (self->waiting.processes[process].channel) {
            uint32_t cpu = slot_at(self->waiting.processes[process].channel, index)->cpu;
            answer_call(self, process, index);
            keep_near(&self->waiting, process, index, cpu);
        }
        lock_leave(self->lock);
    }
}

static void ring(Channel *self)
{
    __atomic_fetch_add(&self->waiting.bell->rung, 1, __ATOMIC_SEQ_CST);
    futex(&self->waiting.bell->rung, FUTEX_WAKE, 1, NULL);
}

static PyObject *Channel_stop(PyObject *object, PyObject *unused)
{
    Channel *self = (Channel *)object;
    (void)unused;
    __atomic_store_n(&self->waiting.bell->gone, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&self->waiting.stopping, 1, __ATOMIC_SEQ_CST);
    ring(self);
    Py_RETURN_NONE;
}

/* As many large rooms as RLIMIT_AS lets be mapped. */
static struct channel *map_channel(int fd, struct process *process)
{
    for (process->rooms = SLOTS;; process->rooms /= 2) {
        process->size = CHANNEL_SMALL + (size_t)process->rooms * LARGE_DATA;
        struct channel *channel
            = mmap(NULL, process->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (channel != MAP_FAILED || process->rooms == 0)
            return channel;
    }
}

static PyObject *Channel_add(PyObject *object, PyObject *args)
{
    Channel *self = (Channel *)object;
    int fd;

    if (!PyArg_ParseTuple(args, "i", &fd))
        return NULL;
    for (uint32_t i = 0; i < MAX_PROCESSES; i++) {
        if (__atomic_load_n(&self->waiting.processes[i].channel, __ATOMIC_ACQUIRE))
            continue;
        struct process *process = &self->waiting.processes[i];
        struct channel *channel = map_channel(fd, process);
        if (channel == MAP_FAILED)
            return PyErr_SetFromErrno(PyExc_OSError);
        channel->magic = WIRE_MAGIC;
        channel->version = WIRE_VERSION;
        channel->process = i;
        channel->rooms = process->rooms;
        __atomic_store_n(&process->channel, channel, __ATOMIC_RELEASE); /* whatever a program rings for before is not heard */
        return PyLong_FromUnsignedLong(i);
    }
    errno = EAGAIN;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *Channel_remove(PyObject *object, PyObject *args)
{
    Channel *self = (Channel *)object;
    unsigned process;

    if (!PyArg_ParseTuple(args, "I", &process))
        return NULL;
    if (process >= MAX_PROCESSES || !self->waiting.processes[process].channel) {
        PyErr_SetString(PyExc_KeyError, "no such process");
        return NULL;
    }
    __atomic_store_n(&self->waiting.processes[process].dying, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&self->waiting.dying, 1, __ATOMIC_RELEASE);
    ring(self);
    Py_RETURN_NONE;
}

static PyObject *Channel_settle(PyObject *object, PyObject *args)
{
    Channel *self = (Channel *)object;
    PyObject *settle;
    int loop, closes;

    if (!PyArg_ParseTuple(args, "iiO", &loop, &closes, &settle))
        return NULL;
    Py_XDECREF(self->settle);
    self->settle = Py_NewRef(settle);
    self->waiting.loop = loop;
    self->waiting.closes = closes;
    Py_RETURN_NONE;
}

PyObject *channel_caller(PyObject *object)
{
    Channel *self = (Channel *)object;
    if (!self->told || self->told_caller != self->caller || self->told_thread != self->caller_thread) {
        Py_XDECREF(self->told);
        self->told = Py_BuildValue("II", self->caller, self->caller_thread);
        self->told_caller = self->caller;
        self->told_thread = self->caller_thread;
    }
    return self->told;
}

static PyObject *Channel_caller(PyObject *object, PyObject *unused)
{
    (void)unused;
    return Py_XNewRef(channel_caller(object));
}

static int Channel_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *kwlist[] = { "bell", "lock", "files", "noted", NULL };
    Channel *self = (Channel *)object;
    PyObject *lock, *files, *noted;
    int bell;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "iOO!O", kwlist, &bell, &lock, &PyList_Type, &files, &noted))
        return -1;
    self->waiting.processes = PyMem_Calloc(MAX_PROCESSES, sizeof *self->waiting.processes);
    if (!self->waiting.processes) {
        PyErr_NoMemory();
        return -1;
    }
    self->waiting.bell = mmap(NULL, sizeof *self->waiting.bell, PROT_READ | PROT_WRITE, MAP_SHARED, bell, 0);
    if (self->waiting.bell == MAP_FAILED) {
        self->waiting.bell = NULL;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    self->waiting.loop = self->waiting.closes = -1;
    self->lock = (Lock *)Py_NewRef(lock);
    self->files = Py_NewRef(files);
    self->noted = Py_NewRef(noted);
    return 0;
}

/* The host holds the channel, and the channel the host's methods. */
static int Channel_traverse(PyObject *object, visitproc visit, void *arg)
{
    Channel *self = (Channel *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->files);
    Py_VISIT(self->noted);
    Py_VISIT(self->settle);
    return 0;
}

static int Channel_clear(PyObject *object)
{
    Channel *self = (Channel *)object;
    Py_CLEAR(self->files);
    Py_CLEAR(self->noted);
    Py_CLEAR(self->settle);
    Py_CLEAR(self->told);
    return 0;
}

static void Channel_dealloc(PyObject *object)
{
    Channel *self = (Channel *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    for (uint32_t i = 0; self->waiting.processes && i < MAX_PROCESSES; i++)
        if (self->waiting.processes[i].channel)
            munmap(self->waiting.processes[i].channel, self->waiting.processes[i].size);
    PyMem_Free(self->waiting.processes);
    if (self->waiting.bell)
        munmap(self->waiting.bell, sizeof *self->waiting.bell);
    Py_XDECREF((PyObject *)self->lock);
    Channel_clear(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef Channel_methods[] = {
    { "serve", Channel_serve, METH_NOARGS, "Answer calls until stop(); in a thread of its own." },
    { "stop", Channel_stop, METH_NOARGS, "Let serve() return, and tell the targets that the host has gone." },
    { "add", Channel_add, METH_VARARGS, "Take in a process by the memfd of its channel; returns its number." },
    { "remove", Channel_remove, METH_VARARGS, "Forget a process that has died." },
    { "settle", Channel_settle, METH_VARARGS, "settle(loop, closes, callback): opens take in the closes before them, of which this epoll tells the loop's; those soon after an open the callback takes in." },
    { "caller", Channel_caller, METH_NOARGS, "(number, thread id) of the process whose call is being answered." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Channel_slots[] = {
    { Py_tp_doc, "The host's end of all channels of a run.\n\nChannel(bell, lock, files, noted)" },
    { Py_tp_methods, Channel_methods },
    { Py_tp_init, Channel_init },
    { Py_tp_dealloc, Channel_dealloc },
    { Py_tp_traverse, Channel_traverse },
    { Py_tp_clear, Channel_clear },
    { 0, NULL },
};

PyType_Spec Channel_spec = { "devshim.host._channel.Channel", sizeof(Channel), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                   Channel_slots };
