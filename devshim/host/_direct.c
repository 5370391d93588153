/* _direct.c: answers the calls of this very process: the test's interpreter, or a program that embeds one.
 *
 * The shim calls from whatever thread the program makes its call in, with the GIL (a C extension that keeps it, and
 * fcntl.ioctl with a large argument) or without. The host's lock is never waited for with the GIL held, because its holder
 * may be waiting for the GIL. shim/direct.h says what is lent to whom. */
#include "_direct.h"

#include "_thunks.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* glibc 2.34 gave these a new version when they moved into libc; the old one loads there, too. */
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_key_create, pthread_key_create@GLIBC_2.2.5");
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_setspecific, pthread_setspecific@GLIBC_2.2.5");
__asm__(".symver dlopen, dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver dlerror, dlerror@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_key_create, pthread_key_create@GLIBC_2.17");
__asm__(".symver pthread_create, pthread_create@GLIBC_2.17");
__asm__(".symver pthread_setspecific, pthread_setspecific@GLIBC_2.17");
__asm__(".symver dlopen, dlopen@GLIBC_2.17");
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
__asm__(".symver dlerror, dlerror@GLIBC_2.17");
#endif

/* Not in the stable ABI, and in every CPython from 3.5 on, under one name or the other. */
extern PyThreadState *_PyThreadState_UncheckedGet(void) __attribute__((weak));
extern PyThreadState *PyThreadState_GetUnchecked(void) __attribute__((weak));

/* Of CPython's API from 2.0 on, and left out of the stable ABI. */
extern void PyThreadState_DeleteCurrent(void) __attribute__((weak));

static struct {
    PyObject *channel, *descriptor;
    Lock *lock;
    const struct direct_shim *shim;
    bool attached, hooks;
} own;

static PyThreadState *state_with_gil(void)
{
    return PyThreadState_GetUnchecked ? PyThreadState_GetUnchecked() : _PyThreadState_UncheckedGet();
}

static bool holds_gil(void)
{
    PyThreadState *now = state_with_gil();
    return now && now == PyGILState_GetThisThreadState();
}

/* ---- Threads that Python does not know: making a state for one takes 40 times as long as a call, so it is kept ---- */

struct dead {
    PyThreadState *state;
    struct dead *next;
};

static struct dead *dead; /* states of threads that have ended */
static unsigned deaths;   /* since the last ones were deleted */
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
    __atomic_fetch_add(&deaths, 1, __ATOMIC_RELAXED);
}

/* With the GIL. */
static void delete_dead(void)
{
    struct dead *entry = __atomic_exchange_n(&dead, NULL, __ATOMIC_ACQUIRE);

    __atomic_store_n(&deaths, 0, __ATOMIC_RELAXED);

    while (entry) {
        struct dead *next = entry->next;
        PyThreadState_Clear(entry->state);
        PyThreadState_Delete(entry->state);
        free(entry);
        entry = next;
    }
}

/* No state is being made while this is held: one that a fork finds half made would hang the child (PyOS_AfterFork_Child()
 * of 3.11 waits for a lock that its maker holds). Before the GIL. */
static pthread_mutex_t making_states = PTHREAD_MUTEX_INITIALIZER;

static PyGILState_STATE make_state(void)
{
    pthread_mutex_lock(&making_states);
    PyGILState_STATE state = PyGILState_Ensure();
    pthread_mutex_unlock(&making_states);
    return state;
}

/* From 3.12 on, deleting another thread's state takes this one's record of its own away: so it is done by a thread that
 * needs none afterwards. */
static void *bury(void *unused)
{
    make_state();
    delete_dead();
    PyThreadState *own_state = PyThreadState_Get();
    PyThreadState_Clear(own_state);
    PyThreadState_DeleteCurrent();
    return unused;
}

static void bury_dead(void)
{
    uint64_t all = ~0ull, before;
    pthread_attr_t detached;
    pthread_t thread;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8ul); /* signals are the program's */
    pthread_create(&thread, &detached, bury, NULL); /* or next time */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8ul);
    pthread_attr_destroy(&detached);
}

/* Without the GIL, in a thread without a state. */
static void keep_state(void)
{
    enum { MANY = 32, PYTHON_3_12 = 0x030c0000 };

    make_state(); /* never released: the state stays the thread's */
    if (Py_Version < PYTHON_3_12)
        delete_dead();
    else if (__atomic_load_n(&deaths, __ATOMIC_RELAXED) >= MANY && __atomic_exchange_n(&deaths, 0, __ATOMIC_RELAXED))
        bury_dead();
    if (!kept_key_made)
        kept_key_made = pthread_key_create(&kept_key, thread_ended) == 0;
    if (kept_key_made)
        pthread_setspecific(kept_key, PyGILState_GetThisThreadState());
    PyEval_SaveThread();
}

static void prepare_thread(void)
{
    int before = errno;
    if (!PyGILState_GetThisThreadState())
        keep_state();
    errno = before;
}

bool is_vfork_child(void)
{
    return own.shim->in_borrowed_memory();
}

int begin_hook(struct staying *staying)
{
    own.shim->stay(staying);
    int aside = own.shim->aside(1);
    prepare_thread();
    return aside;
}

void end_hook(const struct staying *staying, int aside)
{
    own.shim->aside(aside);
    own.shim->may_leave(staying);
}

void open_hook(const struct staying *staying)
{
    own.shim->may_leave(staying);
}

void close_hook(struct staying *staying)
{
    own.shim->stay(staying);
}

/* Where devices are answered in this process, too, it has none from now on: Python's state for it is of no use any more. */
void leave_hook(void)
{
    if (!own.attached)
        own.shim->aside(0);
}

/* What a thread has to undo when it is through. */
struct entry {
    bool held;
    PyObject *type, *value, *trace; /* an exception that was already set, for a C extension may call at any time */
};

/* Take the lock and the GIL, in whatever state we come. */
static void enter(struct entry *entry)
{
    PyThreadState *state = PyGILState_GetThisThreadState();

    entry->held = state && state == state_with_gil();
    if (lock_is_mine(own.lock)) {
        lock_enter_again(own.lock);
    } else if (!lock_enter_now(own.lock)) {
        PyThreadState *kept = entry->held ? PyEval_SaveThread() : NULL;
        lock_enter(own.lock);
        if (kept)
            PyEval_RestoreThread(kept);
    }
    if (!entry->held) {
        if (!state)
            keep_state();
        PyEval_RestoreThread(state ? state : PyGILState_GetThisThreadState());
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
        PyEval_SaveThread();
}

/* Another thread may have detached since the shim looked. */
static bool answers(void *host)
{
    return host == own.channel && __atomic_load_n(&own.attached, __ATOMIC_ACQUIRE);
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

/* ---- Forks: hooked functions are called in the child, too, so the interpreter goes along ----------------------------
 *
 * Where Python itself forks it holds the GIL, and does all this. Else it is done here, and only where there are hooks: a
 * child without any does not need the interpreter, and its parent need not wait for the GIL. */

static __thread struct {
    bool under_way;
    PyGILState_STATE state;
    int aside;
} forking;

static void before_fork(void)
{
    if (!own.hooks || has_left_hook() || holds_gil())
        return;
    forking.aside = own.shim->aside(1);
    prepare_thread();
    pthread_mutex_lock(&making_states);
    forking.state = PyGILState_Ensure();
    PyOS_BeforeFork();
    forking.under_way = true;
}

static void after_fork(void (*tell_python)(void))
{
    if (!forking.under_way)
        return;
    forking.under_way = false;
    pthread_mutex_unlock(&making_states);
    tell_python();
    PyGILState_Release(forking.state);
    own.shim->aside(forking.aside);
}

static void in_fork_parent(void)
{
    after_fork(PyOS_AfterFork_Parent);
}

/* A child that kept the host's ends would never hear that the host has gone. */
static void in_fork_child(void)
{
    if (own.attached) {
        close_noted_descriptors();
        if (!lock_is_mine(own.lock))
            lock_forget(own.lock);
    }
    own.attached = false;
    dead = NULL; /* Python deletes the states of all other threads itself */
    if (!forking.under_way) /* Python has forked, and whoever was making one is not here */
        making_states = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    if (own.hooks)
        own.shim->hooks_in_child();
    after_fork(PyOS_AfterFork_Child);
}

static void watch_forks(void)
{
    static bool watches;
    if (!watches)
        watches = pthread_atfork(before_fork, in_fork_parent, in_fork_child) == 0;
}

/* ---- For ownprocess.py --------------------------------------------------------------------------- */

static bool find_shim(unsigned long long found)
{
    own.shim = ((const struct direct_shim *(*)(void))(uintptr_t)found)();
    if (own.shim->size == sizeof *own.shim)
        return true;
    own.shim = NULL;
    PyErr_SetString(PyExc_OSError, "the shim is of another version; build or install devshim again");
    return false;
}

/* shim_entry(path) -> int: where devshim_direct() lies, in the shim that is loaded already or in a fresh one. */
PyObject *direct_shim_entry(PyObject *module, PyObject *args)
{
    const char *path;
    (void)module;

    if (!PyArg_ParseTuple(args, "y", &path))
        return NULL;
    void *shim = dlopen(path, RTLD_NOW | RTLD_LOCAL), *entry = shim ? dlsym(shim, "devshim_direct") : NULL;
    if (!entry) {
        PyErr_SetString(PyExc_OSError, dlerror());
        return NULL;
    }
    return PyLong_FromVoidPtr(entry);
}

PyObject *direct_meet(PyObject *module, PyObject *found)
{
    unsigned long long entry = PyLong_AsUnsignedLongLong(found);
    (void)module;
    if (PyErr_Occurred() || !find_shim(entry))
        return NULL;
    watch_forks();
    Py_RETURN_NONE;
}

/* A function of the interpreter's, where all calls from its code are its own: not where ctypes, which calls whatever it is
 * told to, is a part of it. */
static const void *interpreter_itself(void)
{
    PyObject *parts = PySys_GetObject("builtin_module_names"), *ctypes = PyUnicode_FromString("_ctypes");
    int within = parts && ctypes ? PySequence_Contains(parts, ctypes) : -1;

    Py_XDECREF(ctypes);
    if (within < 0)
        PyErr_Clear();
    return within == 0 ? (const void *)(uintptr_t)Py_GetVersion : NULL;
}

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
    if (!find_shim(found))
        return NULL;
    Py_XDECREF(own.channel);
    Py_XDECREF(own.descriptor);
    own.channel = Py_NewRef(channel);
    own.descriptor = Py_NewRef(callable);
    own.lock = channel_lock(channel);
    watch_forks();
    own.attached = true;
    lent.host = channel;
    lent.own_descriptor = patch ? NULL : noted_descriptor;
    lent.interpreter = interpreter_itself();
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
        __atomic_store_n(&own.attached, false, __ATOMIC_RELEASE);
        own.hooks = false;
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
    unsigned words;
    (void)module;
    if (!PyArg_ParseTuple(args, "sKKI", &name, &original, &replacement, &words))
        return NULL;
    char *kept = own.shim ? strdup(name) : NULL;
    const void *found = (const void *)(uintptr_t)original;
    const void *inward = kept ? thunk_to_original(kept, found, words) : NULL;
    const void *thunk = inward ? thunk_for(kept, found, (const void *)(uintptr_t)replacement, words) : NULL;
    errno = !kept ? ENODEV : !thunk ? ENOSPC : own.shim->hook(kept, found, thunk);
    if (errno)
        return PyErr_SetFromErrno(PyExc_OSError);
    own.hooks = true;
    return PyLong_FromVoidPtr((void *)(uintptr_t)inward);
}

PyObject *direct_unhook(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (own.hooks)
        own.shim->unhook();
    own.hooks = false;
    Py_RETURN_NONE;
}
