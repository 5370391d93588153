/* _direct.c: answers the calls of this very process: the test's interpreter, or a program that embeds one.
 *
 * The shim calls from whatever thread the program makes its call in, with the GIL (a C extension that keeps it, and
 * fcntl.ioctl with a large argument) or without. The host's lock is never waited for with the GIL held, because its holder
 * may be waiting for the GIL. shim/direct.h says what is lent to whom. */
#include "_direct.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* glibc 2.34 gave these a new version when they moved into libc; the old one loads there, too. */
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_key_create, pthread_key_create@GLIBC_2.2.5");
__asm__(".symver pthread_setspecific, pthread_setspecific@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_key_create, pthread_key_create@GLIBC_2.17");
__asm__(".symver pthread_setspecific, pthread_setspecific@GLIBC_2.17");
#endif

/* Not in the stable ABI, and in every CPython from 3.5 on, under one name or the other. */
extern PyThreadState *_PyThreadState_UncheckedGet(void) __attribute__((weak));
extern PyThreadState *PyThreadState_GetUnchecked(void) __attribute__((weak));

static struct {
    PyObject *channel, *descriptor;
    Lock *lock;
    const struct direct_shim *shim;
    bool attached;
} own;

static bool holds_gil(void)
{
    PyThreadState *now = PyThreadState_GetUnchecked ? PyThreadState_GetUnchecked() : _PyThreadState_UncheckedGet();
    return now && now == PyGILState_GetThisThreadState();
}

/* ---- Threads that Python does not know: making a state for one takes 40 times as long as a call, so it is kept ---- */

struct dead {
    PyThreadState *state;
    struct dead *next;
};

static struct dead *dead; /* states of threads that have ended, to be deleted by whoever has the GIL next */
static pthread_key_t kept_key;
static bool kept_key_made;

/* As a thread ends; Python's own record of it has gone by now, so nothing of Python may be called. */
static void thread_ended(void *state)
{
    struct dead *entry = malloc(sizeof *entry);

    if (!entry)
        return;
    entry->state = state;
    entry->next = __atomic_load_n(&dead, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&dead, &entry->next, entry, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

/* With the GIL. */
static void delete_dead(void)
{
    struct dead *entry = __atomic_exchange_n(&dead, NULL, __ATOMIC_ACQUIRE);

    while (entry) {
        struct dead *next = entry->next;
        PyThreadState_Clear(entry->state);
        PyThreadState_Delete(entry->state);
        free(entry);
        entry = next;
    }
}

/* Without the GIL, in a thread without a state. */
static void keep_state(void)
{
    PyGILState_Ensure(); /* never released: the state stays the thread's */
    delete_dead();
    if (!kept_key_made)
        kept_key_made = pthread_key_create(&kept_key, thread_ended) == 0;
    if (kept_key_made)
        pthread_setspecific(kept_key, PyGILState_GetThisThreadState());
    PyEval_SaveThread();
}

/* What a thread has to undo when it is through. */
struct entry {
    PyGILState_STATE state;
    bool held;
    PyObject *type, *value, *trace; /* an exception that was already set, for a C extension may call at any time */
};

/* Take the lock and the GIL, in whatever state we come. */
static void enter(struct entry *entry)
{
    entry->held = holds_gil();
    if (lock_is_mine(own.lock)) {
        lock_enter_again(own.lock);
    } else if (!lock_enter_now(own.lock)) {
        PyThreadState *kept = entry->held ? PyEval_SaveThread() : NULL;
        lock_enter(own.lock);
        if (kept)
            PyEval_RestoreThread(kept);
    }
    if (!entry->held) {
        if (!PyGILState_GetThisThreadState())
            keep_state();
        entry->state = PyGILState_Ensure();
    } else {
        PyErr_Fetch(&entry->type, &entry->value, &entry->trace);
    }
}

static void leave(const struct entry *entry)
{
    if (entry->held)
        PyErr_Restore(entry->type, entry->value, entry->trace);
    lock_leave(own.lock);
    if (!entry->held)
        PyGILState_Release(entry->state);
}

/* Another thread may have detached since the shim looked. */
static bool answers(void *host)
{
    return host == own.channel && own.attached;
}

static void serve(void *host, struct slot *slot, uint8_t *room, uint32_t most)
{
    struct entry entry;

    enter(&entry);
    if (answers(host)) {
        channel_answer_own(own.channel, slot, room, most);
    } else {
        slot->result = -1;
        slot->error = ENODEV;
        slot->flags = slot->length = 0;
    }
    leave(&entry);
}

/* What descriptor() returns: (descriptor, errno, file, device, device_flags), or None for the socket. */
static int ask(const struct hello_request *request, const char *path, struct hello_answer *answer)
{
    int fd, error;
    unsigned file, device, flags;
    PyObject *callable = Py_NewRef(own.descriptor);
    PyObject *value = PyObject_CallFunction(callable, "IIKyI", request->what, request->flags,
                                            (unsigned long long)request->ticket, path ? path : "",
                                            (unsigned)syscall(SYS_gettid));

    if (!value)
        PyErr_WriteUnraisable(callable);
    Py_DECREF(callable);
    if (value == Py_None) {
        Py_DECREF(value);
        return ASK_OVER_SOCKET;
    }
    if (!value || !PyArg_ParseTuple(value, "iiIII", &fd, &error, &file, &device, &flags)) {
        PyErr_Clear();
        fd = -1;
        error = EIO;
        file = device = flags = 0;
    }
    Py_XDECREF(value);
    answer->error = error;
    answer->file = file;
    answer->device = device;
    answer->device_flags = flags;
    return fd;
}

static int descriptor(void *host, const struct hello_request *request, const char *path, struct hello_answer *answer)
{
    struct entry entry;
    int fd = -1, before = own.shim->aside(1);

    enter(&entry);
    if (answers(host))
        fd = ask(request, path, answer);
    else
        answer->error = ENODEV;
    leave(&entry);
    own.shim->aside(before);
    return fd;
}

static void *let_go(void *host)
{
    (void)host;
    return holds_gil() ? PyEval_SaveThread() : NULL;
}

static void take_again(void *host, void *kept)
{
    (void)host;
    PyEval_RestoreThread(kept);
}

static bool locked(void *host)
{
    return answers(host) && lock_is_mine(own.lock);
}

static struct direct lent = {
    .size = sizeof lent, .serve = serve, .descriptor = descriptor, .let_go = let_go, .take_again = take_again,
    .locked = locked,
};

/* A child that kept the host's ends would never hear that the host has gone. */
static void in_fork_child(void)
{
    if (own.attached) {
        close_noted_descriptors();
        own.shim->unhook();
    }
    own.attached = false;
}

/* ---- For ownprocess.py --------------------------------------------------------------------------- */

PyObject *direct_attach(PyObject *module, PyObject *args)
{
    PyObject *channel, *callable;
    const char *run, *preload;
    unsigned long long found; /* where the shim's devshim_direct() lies */
    int patch;
    (void)module;

    if (!PyArg_ParseTuple(args, "OOKyzp", &channel, &callable, &found, &run, &preload, &patch))
        return NULL;
    if (own.attached) {
        PyErr_SetString(PyExc_RuntimeError, "the calls of this process are answered by another host already");
        return NULL;
    }
    own.shim = ((const struct direct_shim *(*)(void))(uintptr_t)found)();
    if (own.shim->size != sizeof *own.shim) {
        own.shim = NULL;
        PyErr_SetString(PyExc_OSError, "the shim is of another version; build or install devshim again");
        return NULL;
    }
    Py_XDECREF(own.channel);
    Py_XDECREF(own.descriptor);
    own.channel = Py_NewRef(channel);
    own.descriptor = Py_NewRef(callable);
    own.lock = channel_lock(channel);
    static bool watches_forks;
    if (!watches_forks)
        watches_forks = pthread_atfork(NULL, NULL, in_fork_child) == 0;
    own.attached = true;
    lent.host = channel;
    int error = own.shim->attach(run, preload, &lent, patch);
    if (error) {
        own.attached = false;
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

/* The channel is kept until the next attach(): a thread may just be looking at its lock. */
PyObject *direct_detach(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (own.attached) {
        own.shim->detach();
        own.attached = false;
        Py_CLEAR(own.descriptor);
    }
    Py_RETURN_NONE;
}

PyObject *direct_host_thread(PyObject *module, PyObject *args)
{
    unsigned which;
    unsigned long thread;
    (void)module;
    if (!PyArg_ParseTuple(args, "Ik", &which, &thread))
        return NULL;
    if (own.attached)
        own.shim->host_thread(which, thread);
    Py_RETURN_NONE;
}

PyObject *direct_aside(PyObject *module, PyObject *args)
{
    int now;
    (void)module;
    if (!PyArg_ParseTuple(args, "i", &now))
        return NULL;
    return PyLong_FromLong(own.shim ? own.shim->aside(now) : 0);
}

PyObject *direct_real(PyObject *module, PyObject *args)
{
    const char *name;
    (void)module;
    if (!PyArg_ParseTuple(args, "s", &name))
        return NULL;
    return PyLong_FromVoidPtr(own.shim ? own.shim->real(name) : NULL);
}

PyObject *direct_hook(PyObject *module, PyObject *args)
{
    const char *name;
    unsigned long long original, replacement;
    (void)module;
    if (!PyArg_ParseTuple(args, "sKK", &name, &original, &replacement))
        return NULL;
    char *kept = own.attached ? strdup(name) : NULL;
    errno = kept ? own.shim->hook(kept, (const void *)(uintptr_t)original, (const void *)(uintptr_t)replacement) : ENODEV;
    if (errno) {
        free(kept);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}
