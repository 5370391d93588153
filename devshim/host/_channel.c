/* _channel.c: the host's end of the channel: waits for calls, brings each to Python, and gives the answer.
 *
 * A small loop waits for calls without the GIL: first looking at the slots that were busy a moment ago, then
 * asleep on the bell. It copies a request before it looks at it (the target can write to the mapping at any
 * time), calls Python, and writes the answer. What a call means is Python's business (host/files.py). */
#include "_channel.h"
#include "_answer.h"
#include "_direct.h"
#include "_lock.h"
#include "_ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../shim/wire.h"

#define WATCHED 8     /* slots that are looked at without being rung for */
#define SPINS   600u  /* looks before sleeping: some 20 us */
#define CROWDED 16u   /* calls in a row from our own core, each soon after the last, before we move away */

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- Channel ---------------------------------------------------------------------------------------------- */

struct process {
    struct channel *channel; /* NULL: no process has this number */
    size_t size;             /* bytes mapped */
    uint32_t rooms;          /* slots whose large room is among them */
    uint32_t dying;
};

struct watched {
    struct slot *slot;
    uint32_t process, index;
};

typedef struct {
    PyObject_HEAD
    struct bell *bell;
    Lock *lock;
    PyObject *files;  /* list: file number -> object with read, write, ioctl, seek, poll, lock, report */
    PyObject *noted;  /* called for OP_NOTE */
    struct process *processes;
    struct watched watched[WATCHED];
    uint32_t next_watched, turn, dying, stopping, cpu, crowded;
    uint32_t caller, caller_thread; /* who made the call that is being answered: its channel, its thread id */
    uint32_t told_caller, told_thread;
    PyObject *told; /* caller() of these, the same tuple as long as nobody else calls */
    cpu_set_t allowed; /* where our thread may run, as it was at the start */
    bool moved;
} Channel;

static PyObject *names[OP_WAITS + 1];

static struct slot *slot_at(struct channel *channel, uint32_t index)
{
    return (struct slot *)((char *)channel + CHANNEL_HEAD + (size_t)index * SLOT_SIZE);
}

static uint8_t *room_of(struct channel *channel, uint32_t index, bool large)
{
    if (!large)
        return slot_at(channel, index)->data;
    return (uint8_t *)channel + CHANNEL_SMALL + (size_t)index * LARGE_DATA;
}

static bool asks(const struct slot *slot)
{
    return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_REQUEST;
}

/* ---- Answers ---- */

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

/* What files.py returns: bytes (data; an ioctl's result is 0 then), an int (the result), or
 * (result, errno, flags, token, data, place). */
static bool understand(PyObject *value, struct answer *answer, Py_buffer *buffer, uint32_t room)
{
    if (PyBytes_Check(value)) {
        answer->data = PyBytes_AsString(value);
        answer->length = (uint32_t)PyBytes_Size(value);
        return PyBytes_Size(value) <= room;
    }
    if (PyLong_Check(value)) {
        answer->result = PyLong_AsLongLong(value);
        return !(answer->result == -1 && PyErr_Occurred());
    }
    PyObject *data = NULL;
    long long result;
    unsigned long long token;
    int error;
    unsigned flags, place;
    if (!PyTuple_Check(value) || !PyArg_ParseTuple(value, "LiIKOI", &result, &error, &flags, &token, &data, &place))
        return false;
    if (data != Py_None) {
        if (PyObject_GetBuffer(data, buffer, PyBUF_SIMPLE) < 0)
            return false;
        answer->data = buffer->buf;
        answer->length = (uint32_t)buffer->len;
        if (buffer->len > room)
            return false;
    }
    answer->result = result;
    answer->error = error;
    answer->flags = flags;
    answer->token = token;
    answer->place = place;
    return true;
}

/* ---- Calls ---- */

/* What no shim of ours says is no message to the user either: who writes rubbish into a slot could fill a disk with it. */
static PyObject *not_understood(void)
{
    return Py_BuildValue("LiIKOI", -1ll, EPROTO, 0u, 0ull, Py_None, UINT32_MAX);
}

static bool has(PyObject *object, PyObject *name)
{
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    bool found = PyObject_HasAttr(object, name);
    PyErr_Restore(type, value, trace);
    return found;
}

PyObject *channel_ask(PyObject *file, const struct call *call)
{
    const struct slot *request = call->request;
    const uint8_t *data = call->room;
    PyObject *name = names[request->op], *first = NULL, *second = NULL, *third = NULL;
    switch (request->op) {
    case OP_READ:
        first = PyLong_FromUnsignedLong(request->size);
        second = PyLong_FromLongLong(request->offset);
        break;
    case OP_WRITE:
        first = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)request->size);
        second = PyLong_FromLongLong(request->offset);
        break;
    case OP_IOCTL:
        first = PyLong_FromUnsignedLong(request->request);
        second = PyLong_FromUnsignedLongLong(request->argument);
        third = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)request->size);
        break;
    case OP_SEEK:
        first = PyLong_FromLongLong(request->offset);
        second = PyLong_FromUnsignedLong(request->request);
        break;
    case OP_LOCK:
        first = PyLong_FromUnsignedLong(request->request);
        second = PyLong_FromUnsignedLongLong(request->argument);
        break;
    case OP_WAITS:
        first = PyLong_FromUnsignedLong(request->request);
        break;
    case OP_REPORT:
        first = PyLong_FromUnsignedLong(request->request);
        second = PyLong_FromLongLong(request->offset);
        third = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)request->size);
        break;
    }
    PyObject *answer = PyErr_Occurred() ? NULL : PyObject_CallMethodObjArgs(file, name, first, second, third, NULL);
    if (!answer && PyErr_ExceptionMatches(PyExc_AttributeError) && !has(file, name)) { /* a read of a pty's file, say */
        PyErr_Clear();
        answer = not_understood();
    }
    Py_XDECREF(first);
    Py_XDECREF(second);
    Py_XDECREF(third);
    return answer;
}

static enum outcome dispatch(Channel *self, const struct call *call, struct answer *answer, PyObject **value)
{
    const struct slot *request = call->request;

    *value = NULL;
    if (request->op == 0 || request->op > OP_WAITS || (request->op == OP_NOTE && request->size > HELLO_PATH)) {
        *value = not_understood();
        return SAID;
    }
    if (request->op == OP_NOTE) {
        *value = PyObject_CallFunction(self->noted, "INI", call->process, PyBytes_FromStringAndSize((const char *)call->room, request->size), request->request);
        return SAID;
    }
    PyObject *file = Py_XNewRef(PyList_GetItem(self->files, request->file));
    enum outcome outcome = SAID;
    if (!file || file == Py_None) { /* of a device unplugged meanwhile, or a number that nobody has */
        PyErr_Clear();
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

/* With the GIL and the lock. */
static void answer_call(Channel *self, uint32_t process, uint32_t index)
{
    struct channel *channel = self->processes[process].channel;
    struct slot *slot = slot_at(channel, index), request;
    uint32_t asked = SLOT_REQUEST;

    if (!__atomic_compare_exchange_n(&slot->state, &asked, SLOT_SERVING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return; /* taken back */
    struct answer answer = { .place = UINT32_MAX };
    Py_buffer buffer = { 0 };

    memcpy(&request, slot, sizeof request);
    self->caller = process;
    self->caller_thread = request.thread;
    bool large = request.large != 0;
    uint32_t most = large ? LARGE_DATA : SLOT_DATA;
    uint8_t *room = room_of(channel, index, large);

    PyObject *value = NULL;
    enum outcome outcome = SAID;
    if ((large && index >= self->processes[process].rooms) || request.size > most)
        value = not_understood();
    else
        outcome = dispatch(self, &(struct call){ &request, room, process }, &answer, &value);
    if (outcome == SAID && (!value || !understand(value, &answer, &buffer, request.op == OP_READ ? request.size : most))) {
        if (PyErr_Occurred())
            PyErr_WriteUnraisable((PyObject *)Py_TYPE((PyObject *)self));
        answer = (struct answer){ .result = -1, .error = EIO };
    }
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
    if (outcome == SAID && (!value || !understand(value, &answer, &buffer, slot->op == OP_READ ? slot->size : most))) {
        if (is_of_program()) {
            answer = interrupted();
        } else {
            if (PyErr_Occurred())
                PyErr_WriteUnraisable((PyObject *)Py_TYPE(object));
            answer = (struct answer){ .result = -1, .error = EIO };
        }
    }
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

/* ---- Waiting ---- */

static void unwatch(struct watched *watched)
{
    if (watched->slot)
        __atomic_store_n(&watched->slot->watched, 0, __ATOMIC_SEQ_CST);
    watched->slot = NULL;
}

/* Where the caller runs on another core, look at its slot for a while instead of sleeping. */
static void watch(Channel *self, uint32_t process, uint32_t index)
{
    struct slot *slot = slot_at(self->processes[process].channel, index);

    for (int i = 0; i < WATCHED; i++)
        if (self->watched[i].slot == slot)
            return;
    struct watched *place = &self->watched[self->next_watched++ % WATCHED];
    struct watched evicted = *place;
    unwatch(place);
    if (evicted.slot && asks(evicted.slot)) /* it asked while it thought itself watched: keep it */
        __atomic_fetch_or(&self->processes[evicted.process].channel->pending[evicted.index / 64],
                          1ull << (evicted.index % 64), __ATOMIC_SEQ_CST),
        __atomic_fetch_or(&self->bell->pending[evicted.process / 64], 1ull << (evicted.process % 64), __ATOMIC_SEQ_CST),
        __atomic_fetch_or(&self->bell->summary, 1ull << (evicted.process / 64), __ATOMIC_SEQ_CST);
    *place = (struct watched){ slot, process, index };
    __atomic_store_n(&slot->watched, 1, __ATOMIC_SEQ_CST);
}

/* In turn, or a few busy ones would keep the others waiting for ever. */
static bool take_watched(Channel *self, uint32_t *process, uint32_t *index)
{
    for (uint32_t i = 0; i < WATCHED; i++) {
        struct watched *watched = &self->watched[(self->turn + i) % WATCHED];
        if (watched->slot && asks(watched->slot)) {
            self->turn += i + 1;
            *process = watched->process;
            *index = watched->index;
            return true;
        }
    }
    return false;
}

/* One pending bit at a time; what else was in the word goes back. */
static bool take_bit(uint64_t *word, uint32_t *bit)
{
    uint64_t bits = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (!bits)
        return false;
    *bit = (uint32_t)__builtin_ctzll(bits);
    __atomic_fetch_and(word, ~(1ull << *bit), __ATOMIC_SEQ_CST);
    return true;
}

static bool take_rung(Channel *self, uint32_t *process, uint32_t *index)
{
    uint32_t group, member, bit;

    while (take_bit(&self->bell->summary, &group)) {
        while (take_bit(&self->bell->pending[group], &member)) {
            *process = group * 64 + member;
            struct channel *channel = __atomic_load_n(&self->processes[*process].channel, __ATOMIC_ACQUIRE);
            for (uint32_t word = 0; channel && word < SLOTS / 64; word++) {
                while (take_bit(&channel->pending[word], &bit)) {
                    *index = word * 64 + bit;
                    if (!asks(slot_at(channel, *index)))
                        continue;
                    /* More may wait behind this one: come back for it. */
                    __atomic_fetch_or(&self->bell->pending[group], 1ull << member, __ATOMIC_SEQ_CST);
                    __atomic_fetch_or(&self->bell->summary, 1ull << group, __ATOMIC_SEQ_CST);
                    return true;
                }
            }
        }
    }
    return false;
}

static void bury_dead(Channel *self)
{
    if (!__atomic_exchange_n(&self->dying, 0, __ATOMIC_ACQUIRE))
        return;
    for (uint32_t i = 0; i < MAX_PROCESSES; i++) {
        struct process *process = &self->processes[i];
        if (!__atomic_load_n(&process->dying, __ATOMIC_ACQUIRE))
            continue;
        for (int w = 0; w < WATCHED; w++)
            if (self->watched[w].slot && self->watched[w].process == i)
                self->watched[w].slot = NULL;
        munmap(process->channel, process->size);
        __atomic_store_n(&process->dying, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&process->channel, NULL, __ATOMIC_RELEASE); /* from here on it may be given to the next */
    }
}

/* A busy caller on our own core costs two context switches a call; from another core it costs none, because both
 * sides look at the slot instead of sleeping. So we go elsewhere while it is busy, and come back when it pauses:
 * then being woken on the caller's core is quicker. */
static void move_away(Channel *self, uint32_t cpu)
{
    cpu_set_t others = self->allowed;

    CPU_CLR(cpu, &others);
    self->crowded = 0;
    if (CPU_COUNT(&others) > 0)
        self->moved = sched_setaffinity(0, sizeof others, &others) == 0;
}

static void come_back(Channel *self)
{
    self->crowded = 0;
    if (self->moved)
        sched_setaffinity(0, sizeof self->allowed, &self->allowed);
    self->moved = false;
}

/* Without the GIL. False when the channel was told to stop. */
static bool next_call(Channel *self, uint32_t *process, uint32_t *index)
{
    struct bell *bell = self->bell;
    bool any_watched = false;

    for (int i = 0; i < WATCHED; i++)
        any_watched |= self->watched[i].slot != NULL;
    for (;;) {
        bury_dead(self);
        if (__atomic_load_n(&self->stopping, __ATOMIC_ACQUIRE))
            return false;
        self->cpu = bell->cpu = (uint32_t)sched_getcpu();
        for (uint32_t i = 0; i < (any_watched ? SPINS : 1); i++) {
            bool rung_first = self->turn % 2; /* the busiest of all do not shut out those that ring */
            if (rung_first && __atomic_load_n(&bell->summary, __ATOMIC_RELAXED) && take_rung(self, process, index)) {
                self->turn++;
                return true;
            }
            if (take_watched(self, process, index))
                return true;
            if (__atomic_load_n(&bell->summary, __ATOMIC_RELAXED) && take_rung(self, process, index))
                return true;
            pause_briefly();
        }
        uint32_t rung = __atomic_load_n(&bell->rung, __ATOMIC_SEQ_CST);
        __atomic_store_n(&bell->sleeping, 1, __ATOMIC_SEQ_CST);
        bool found = false;
        for (int i = 0; i < WATCHED && any_watched; i++) {
            struct watched last = self->watched[i];
            unwatch(&self->watched[i]);
            if (!found && last.slot && asks(last.slot)) {
                *process = last.process;
                *index = last.index;
                found = true;
                break; /* the others stay watched */
            }
        }
        if (!found)
            found = take_rung(self, process, index);
        if (!found && !__atomic_load_n(&self->stopping, __ATOMIC_ACQUIRE) && !__atomic_load_n(&self->dying, __ATOMIC_ACQUIRE)) {
            any_watched = false;
            struct timespec a_while = { .tv_nsec = 300000 }, *patience = self->moved || self->crowded ? &a_while : NULL;
            if (futex(&bell->rung, FUTEX_WAIT, rung, patience) < 0 && errno == ETIMEDOUT)
                come_back(self);
        }
        __atomic_store_n(&bell->sleeping, 0, __ATOMIC_SEQ_CST);
        if (found)
            return true;
    }
}

static PyObject *Channel_serve(PyObject *object, PyObject *unused)
{
    Channel *self = (Channel *)object;
    uint32_t process, index;
    bool more;
    (void)unused;

    be_prompt();
    sched_getaffinity(0, sizeof self->allowed, &self->allowed);
    for (;;) {
        Py_BEGIN_ALLOW_THREADS
        more = next_call(self, &process, &index);
        if (more)
            lock_enter(self->lock);
        Py_END_ALLOW_THREADS
        if (!more)
            Py_RETURN_NONE;
        if (self->processes[process].channel) {
            uint32_t caller_cpu = slot_at(self->processes[process].channel, index)->cpu;
            answer_call(self, process, index);
            if (caller_cpu != self->cpu)
                watch(self, process, index);
            else if (++self->crowded >= CROWDED)
                move_away(self, caller_cpu);
        }
        lock_leave(self->lock);
    }
}

static void ring(Channel *self)
{
    __atomic_fetch_add(&self->bell->rung, 1, __ATOMIC_SEQ_CST);
    futex(&self->bell->rung, FUTEX_WAKE, 1, NULL);
}

static PyObject *Channel_stop(PyObject *object, PyObject *unused)
{
    Channel *self = (Channel *)object;
    (void)unused;
    __atomic_store_n(&self->bell->gone, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&self->stopping, 1, __ATOMIC_SEQ_CST);
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
        if (__atomic_load_n(&self->processes[i].channel, __ATOMIC_ACQUIRE))
            continue;
        struct process *process = &self->processes[i];
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
    if (process >= MAX_PROCESSES || !self->processes[process].channel) {
        PyErr_SetString(PyExc_KeyError, "no such process");
        return NULL;
    }
    __atomic_store_n(&self->processes[process].dying, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&self->dying, 1, __ATOMIC_RELEASE);
    ring(self);
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
    self->processes = PyMem_Calloc(MAX_PROCESSES, sizeof *self->processes);
    if (!self->processes) {
        PyErr_NoMemory();
        return -1;
    }
    self->bell = mmap(NULL, sizeof *self->bell, PROT_READ | PROT_WRITE, MAP_SHARED, bell, 0);
    if (self->bell == MAP_FAILED) {
        self->bell = NULL;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    self->lock = (Lock *)Py_NewRef(lock);
    self->files = Py_NewRef(files);
    self->noted = Py_NewRef(noted);
    return 0;
}

static void Channel_dealloc(PyObject *object)
{
    Channel *self = (Channel *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    for (uint32_t i = 0; self->processes && i < MAX_PROCESSES; i++)
        if (self->processes[i].channel)
            munmap(self->processes[i].channel, self->processes[i].size);
    PyMem_Free(self->processes);
    if (self->bell)
        munmap(self->bell, sizeof *self->bell);
    Py_XDECREF((PyObject *)self->lock);
    Py_XDECREF(self->files);
    Py_XDECREF(self->noted);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* The host holds the channel, and the channel the host's noted(). */
static int Channel_traverse(PyObject *object, visitproc visit, void *arg)
{
    Channel *self = (Channel *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->files);
    Py_VISIT(self->noted);
    return 0;
}

static int Channel_clear(PyObject *object)
{
    Channel *self = (Channel *)object;
    Py_CLEAR(self->files);
    Py_CLEAR(self->noted);
    Py_CLEAR(self->told);
    return 0;
}

static PyMethodDef Channel_methods[] = {
    { "serve", Channel_serve, METH_NOARGS, "Answer calls until stop(); in a thread of its own." },
    { "stop", Channel_stop, METH_NOARGS, "Let serve() return, and tell the targets that the host has gone." },
    { "add", Channel_add, METH_VARARGS, "Take in a process by the memfd of its channel; returns its number." },
    { "remove", Channel_remove, METH_VARARGS, "Forget a process that has died." },
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

static PyType_Spec Channel_spec = { "devshim.host._channel.Channel", sizeof(Channel), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                   Channel_slots };

/* ---- Module -------------------------------------------------------------------------------------------------- */

static PyMethodDef functions[] = {
    { "create_registry", run_create_registry, METH_VARARGS, "create_registry(path): the empty registry of a new run." },
    { "lock_file", run_lock_file, METH_VARARGS, "lock_file(fd, alone): shared, or alone if that can be had now; whether." },
    { "be_prompt", prompt_be_prompt, METH_NOARGS, "be_prompt(): let this thread be woken without delay." },
    { "set_subreaper", run_set_subreaper, METH_NOARGS, "Orphans among this process's descendants become its children (prctl(2))." },
    { "listen", sockets_listen, METH_VARARGS, "listen(path) -> fd of a socket there." },
    { "accept", sockets_accept, METH_VARARGS, "accept(listener, size) -> (fd, pid, uid, gid, request) or None." },
    { "answer", sockets_answer, METH_VARARGS, "answer(fd, data, [fd, [fd]]) -> whether the other end was still there." },
    { "carrier", sockets_carrier, METH_VARARGS, "carrier(nonblock, type, our buffer, their buffer) -> (our end, their end, st_dev, st_ino)." },
    { "send", sockets_send, METH_VARARGS, "send(fd, data) -> whether the packet went out." },
    { "mark", sockets_mark, METH_VARARGS, "mark(fd) -> whether poll sees POLLPRI at the other end." },
    { "empty", sockets_empty, METH_VARARGS, "empty(fd): take out all that lies in a packet socket." },
    { "guarded_setattr", lock_guarded_setattr, METH_O, "guarded_setattr(lock) -> a __setattr__ for classes, which takes the lock." },
    { "raise_descriptors", sockets_raise_descriptors, METH_VARARGS, "raise_descriptors(lowest): leave smaller numbers to the program, 0: no longer." },
    { "raised", sockets_raised, METH_VARARGS, "raised(fd) -> fd, or its replacement where it was too small." },
    { "attach", direct_attach, METH_VARARGS, "attach(channel, descriptor, address of devshim_direct, run, preload, patch): answer this process's own calls." },
    { "detach", direct_detach, METH_NOARGS, "detach(): answer them no more." },
    { "host_thread", direct_host_thread, METH_VARARGS, "host_thread(which, ident): that thread's own calls are real ones; which is 0 or 1." },
    { "aside", direct_aside, METH_VARARGS, "aside(now) -> before: whether this thread's calls are real ones for a while." },
    { "meet", direct_meet, METH_O, "meet(shim_entry): find the shim in this process, whose host is elsewhere." },
    { "hook", direct_hook, METH_VARARGS, "hook(name, original, replacement): have this process call another function."},
    { "unhook", direct_unhook, METH_NOARGS, "unhook(): give this process all its functions back." },
    { "real", direct_real, METH_VARARGS, "real(name) -> the address of libc's own function, or 0." },
    { "hang_up", sockets_hang_up, METH_VARARGS, "hang_up(fd, last words, descriptor): end the connection, for the other end too." },
    { NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "devshim.host._channel", .m_size = -1, .m_methods = functions,
    .m_doc = "The host's end of the channel to the targets, in C.",
};

PyMODINIT_FUNC PyInit__channel(void);
PyMODINIT_FUNC PyInit__channel(void)
{
    static const char *const texts[] = { "", "read", "write", "ioctl", "seek", "poll", "report", "note", "lock", "waits" };
    PyObject *module = PyModule_Create(&definition);
    PyObject *lock = PyType_FromSpec(&Lock_spec), *channel = PyType_FromSpec(&Channel_spec);

    if (!module || !lock || !channel)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        names[i] = PyUnicode_InternFromString(texts[i]);
    PyObject *ring = PyType_FromSpec(&Ring_spec);
    if (!ring || PyModule_AddObject(module, "Ring", ring) < 0)
        return NULL;
    if (PyModule_AddObject(module, "Lock", lock) < 0 || PyModule_AddObject(module, "Channel", channel) < 0)
        return NULL;
    static const struct {
        const char *name;
        PyType_Spec *spec;
        PyTypeObject **type;
    } types[] = { { "Quick", &Quick_spec, &Quick_type }, { "Way", &Way_spec, &Way_type },
                  { "Facts", &Facts_spec, &Facts_type }, { "NotedFile", &NotedFile_spec, &NotedFile_type } };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        PyObject *type = PyType_FromSpec(types[i].spec);
        *types[i].type = (PyTypeObject *)Py_XNewRef(type);
        if (!type || PyModule_AddObject(module, types[i].name, type) < 0)
            return NULL;
    }
    if (quick_prepare() < 0 || facts_prepare() < 0)
        return NULL;
    if (PyModule_AddIntConstant(module, "OWN_PROCESS", OWN_PROCESS) < 0)
        return NULL;
    if (PyModule_AddIntConstant(module, "PACKETS", SOCK_SEQPACKET) < 0 || PyModule_AddIntConstant(module, "STREAM", SOCK_STREAM) < 0)
        return NULL;
    return module;
}
