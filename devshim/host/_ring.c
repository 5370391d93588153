/* _ring.c: the recorder's end of the ring: takes records out in their order, waits for more, gives room back.
 *
 * Programs write to the mapping at any time: a record is copied before anybody looks at it, and its length is checked
 * against what there is. What a killed thread left is passed over after a while (shim/ring.c). */
#include "_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../shim/wire.h"

#define SHORTEST 16u /* a RECORD_PAD */

typedef struct {
    PyObject_HEAD
    struct ring *ring;
    uint8_t *records; /* mapped twice, one after the other */
    uint64_t size;
    uint64_t position; /* of the next record to take out */
    uint64_t gap_since; /* when the one at position was first seen to be incomplete; 0: it was not */
    uint64_t skipped;  /* gaps passed over */
} Ring;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct record *at(const Ring *self, uint64_t position)
{
    return (struct record *)(self->records + (position & (self->size - 1)));
}

static bool complete(const Ring *self, uint64_t position)
{
    return __atomic_load_n(&at(self, position)->state, __ATOMIC_ACQUIRE) == (RECORD_MAGIC ^ position);
}

/* How far records may lie: as far as the head says, and never more than the ring holds. */
static uint64_t end_of(const Ring *self)
{
    uint64_t head = __atomic_load_n(&self->ring->head, __ATOMIC_ACQUIRE);
    return head - self->position <= self->size ? head : self->position;
}

/* The first complete record behind a gap; end where there is none. */
static uint64_t behind_gap(const Ring *self, uint64_t end)
{
    for (uint64_t position = self->position + 8; position < end; position += 8)
        if (complete(self, position))
            return position;
    return end;
}

/* Whether to go on, with position behind the gap. */
static bool pass_gap(Ring *self, uint64_t end, double patience)
{
    if (!self->gap_since)
        self->gap_since = now();
    if ((double)(now() - self->gap_since) < patience * 1e9)
        return false;
    self->position = behind_gap(self, end);
    self->gap_since = 0;
    self->skipped++;
    return true;
}

static PyObject *Ring_take(PyObject *object, PyObject *args)
{
    Ring *self = (Ring *)object;
    double patience;
    Py_ssize_t most, count = 0;

    if (!PyArg_ParseTuple(args, "nd", &most, &patience))
        return NULL;
    PyObject *list = PyList_New(0);
    uint64_t end = end_of(self);
    while (list && self->position < end && count < most) {
        if (!complete(self, self->position)) {
            if (!pass_gap(self, end, patience))
                break;
            continue;
        }
        self->gap_since = 0;
        const struct record *record = at(self, self->position);
        uint32_t length = *(volatile const uint32_t *)&record->length;
        if (length < SHORTEST || length % 8 || length > end - self->position) {
            self->position = behind_gap(self, end); /* somebody wrote where he has no business */
            self->skipped++;
            continue;
        }
        if (record->kind != RECORD_PAD && length >= sizeof *record) {
            PyObject *bytes = PyBytes_FromStringAndSize((const char *)record, (Py_ssize_t)length);
            if (!bytes || PyList_Append(list, bytes) < 0)
                Py_CLEAR(list);
            Py_XDECREF(bytes);
            count++;
        }
        self->position += length;
    }
    return list;
}

static void wake(uint32_t *word)
{
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static PyObject *Ring_release(PyObject *object, PyObject *unused)
{
    Ring *self = (Ring *)object;
    (void)unused;
    __atomic_store_n(&self->ring->tail, self->position, __ATOMIC_SEQ_CST);
    if (__atomic_exchange_n(&self->ring->waiting, 0, __ATOMIC_SEQ_CST))
        wake(&self->ring->freed);
    Py_RETURN_NONE;
}

static PyObject *Ring_wait(PyObject *object, PyObject *args)
{
    Ring *self = (Ring *)object;
    double seconds;

    if (!PyArg_ParseTuple(args, "d", &seconds))
        return NULL;
    struct timespec patience = { .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
    Py_BEGIN_ALLOW_THREADS
    uint32_t filled = __atomic_load_n(&self->ring->filled, __ATOMIC_SEQ_CST);
    __atomic_store_n(&self->ring->sleeping, 1, __ATOMIC_SEQ_CST);
    if (end_of(self) - self->position <= self->size / 4)
        syscall(SYS_futex, &self->ring->filled, FUTEX_WAIT, filled, &patience, NULL, 0);
    __atomic_store_n(&self->ring->sleeping, 0, __ATOMIC_SEQ_CST);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *Ring_seek(PyObject *object, PyObject *args)
{
    Ring *self = (Ring *)object;
    unsigned long long position;

    if (!PyArg_ParseTuple(args, "K", &position))
        return NULL;
    if (position - self->position <= end_of(self) - self->position)
        self->position = position;
    Py_RETURN_NONE;
}

static PyObject *Ring_wake(PyObject *object, PyObject *unused)
{
    (void)unused;
    wake(&((Ring *)object)->ring->filled);
    Py_RETURN_NONE;
}

static PyObject *Ring_close(PyObject *object, PyObject *unused)
{
    Ring *self = (Ring *)object;
    (void)unused;
    __atomic_store_n(&self->ring->closed, 1, __ATOMIC_SEQ_CST);
    wake(&self->ring->freed);
    Py_RETURN_NONE;
}

static PyObject *Ring_state(PyObject *object, PyObject *unused)
{
    Ring *self = (Ring *)object;
    (void)unused;
    return Py_BuildValue("{sKsKsKsIsI}", "position", (unsigned long long)self->position, "started",
                         (unsigned long long)self->ring->started, "skipped", (unsigned long long)self->skipped, "lost",
                         self->ring->lost, "waits", self->ring->waits);
}

/* All of its memory from the start: a program that finds no room left on the file system would die of it (SIGBUS). */
static bool make_file(int fd, uint64_t *size)
{
    struct ring head = { .magic = WIRE_MAGIC, .version = WIRE_VERSION, .started = now() };

    for (*size = RING_SIZE; posix_fallocate(fd, 0, (off_t)(RING_HEAD + *size)) != 0; *size /= 2)
        if (*size == RING_LEAST || ftruncate(fd, 0) != 0) {
            errno = ENOSPC;
            return false;
        }
    head.size = *size;
    return ftruncate(fd, (off_t)(RING_HEAD + *size)) == 0 && pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head;
}

static bool read_size(int fd, uint64_t *size)
{
    struct ring head;
    off_t length = lseek(fd, 0, SEEK_END);

    if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
        return false;
    *size = head.size;
    errno = EPROTO;
    return head.magic == WIRE_MAGIC && head.version == WIRE_VERSION && head.size >= RING_LEAST && head.size <= RING_SIZE
           && (head.size & (head.size - 1)) == 0 && length >= (off_t)(RING_HEAD + head.size);
}

static bool map_twice(Ring *self, int fd)
{
    int access = PROT_READ | PROT_WRITE, shared = MAP_SHARED | MAP_FIXED;
    size_t all = RING_HEAD + 2 * self->size;
    uint8_t *room = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (room == MAP_FAILED)
        return false;
    if (mmap(room, RING_HEAD + self->size, access, shared, fd, 0) == MAP_FAILED
        || mmap(room + RING_HEAD + self->size, self->size, access, shared, fd, RING_HEAD) == MAP_FAILED) {
        munmap(room, all);
        return false;
    }
    self->ring = (struct ring *)room;
    self->records = room + RING_HEAD;
    self->position = __atomic_load_n(&self->ring->tail, __ATOMIC_ACQUIRE);
    return true;
}

static int Ring_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *kwlist[] = { "path", "create", NULL };
    Ring *self = (Ring *)object;
    PyObject *path;
    int create;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O&p", kwlist, PyUnicode_FSConverter, &path, &create))
        return -1;
    const char *name = PyBytes_AsString(path);
    int fd = open(name, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0666);
    bool done = fd >= 0 && (create ? fchmod(fd, 0666) == 0 && make_file(fd, &self->size) : read_size(fd, &self->size))
                && map_twice(self, fd);
    if (!done)
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, name);
    if (fd >= 0)
        close(fd);
    Py_DECREF(path);
    return done ? 0 : -1;
}

static void Ring_dealloc(PyObject *object)
{
    Ring *self = (Ring *)object;
    PyTypeObject *type = Py_TYPE(object);

    if (self->ring)
        munmap(self->ring, RING_HEAD + 2 * self->size);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef Ring_methods[] = {
    { "take", Ring_take, METH_VARARGS, "take(most, patience) -> so many complete records, in order; a gap is waited for so many seconds." },
    { "release", Ring_release, METH_NOARGS, "What was taken need not be kept: its room may be written to again." },
    { "wait", Ring_wait, METH_VARARGS, "wait(seconds): return sooner where a good part of the ring is full." },
    { "seek", Ring_seek, METH_VARARGS, "seek(position): take out what lies from there on." },
    { "wake", Ring_wake, METH_NOARGS, "Let wait() return." },
    { "close", Ring_close, METH_NOARGS, "Tell programs that nobody takes records out any more." },
    { "state", Ring_state, METH_NOARGS, "A dict: position, started (ns), skipped gaps, lost calls, waits for room." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Ring_slots[] = {
    { Py_tp_doc, "The ring of records of a run.\n\nRing(path, create)" },
    { Py_tp_methods, Ring_methods },
    { Py_tp_init, Ring_init },
    { Py_tp_dealloc, Ring_dealloc },
    { 0, NULL },
};

PyType_Spec Ring_spec = { "devshim.host._channel.Ring", sizeof(Ring), 0, Py_TPFLAGS_DEFAULT, Ring_slots };
