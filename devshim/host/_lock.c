/* _lock.c: the lock under which models are called: one at a time, re-entrant, waited for without the GIL. */
#include "_lock.h"

static void lock_wait(Lock *lock)
{
    while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
        futex(&lock->word, FUTEX_WAIT_PRIVATE, 2, NULL);
}

static bool lock_try(Lock *lock)
{
    uint32_t none = 0;
    return __atomic_compare_exchange_n(&lock->word, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool lock_is_mine(Lock *lock)
{
    return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == PyThread_get_thread_ident();
}

static void lock_claim(Lock *lock)
{
    __atomic_store_n(&lock->owner, PyThread_get_thread_ident(), __ATOMIC_RELAXED);
    lock->depth = 1;
    lock->turns++;
}

/* Without the GIL. */
void lock_enter(Lock *lock)
{
    if (!lock_try(lock))
        lock_wait(lock);
    lock_claim(lock);
}

void lock_leave(Lock *lock)
{
    if (--lock->depth > 0)
        return;
    __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
        futex(&lock->word, FUTEX_WAKE_PRIVATE, 1, NULL);
}

static PyObject *Lock_acquire(PyObject *self, PyObject *unused)
{
    Lock *lock = (Lock *)self;
    (void)unused;
    if (lock_is_mine(lock)) {
        lock->depth++;
        Py_RETURN_NONE;
    }
    if (!lock_try(lock)) {
        Py_BEGIN_ALLOW_THREADS
        lock_wait(lock);
        Py_END_ALLOW_THREADS
    }
    lock_claim(lock);
    Py_RETURN_NONE;
}

static PyObject *Lock_release(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!lock_is_mine((Lock *)self)) {
        PyErr_SetString(PyExc_RuntimeError, "this thread does not hold the lock");
        return NULL;
    }
    lock_leave((Lock *)self);
    Py_RETURN_NONE;
}

static PyObject *Lock_exit(PyObject *self, PyObject *args)
{
    (void)args;
    return Lock_release(self, NULL);
}

static PyObject *Lock_enter_method(PyObject *self, PyObject *unused)
{
    PyObject *none = Lock_acquire(self, unused);
    Py_XDECREF(none);
    return none ? Py_NewRef(self) : NULL;
}

static PyObject *Lock_held(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(lock_is_mine((Lock *)self));
}

static PyObject *Lock_turn(PyObject *self, PyObject *unused)
{
    Lock *lock = (Lock *)self;
    unsigned long owner = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
    (void)unused;
    if (!owner)
        Py_RETURN_NONE;
    return Py_BuildValue("kK", owner, (unsigned long long)lock->turns);
}

static PyMethodDef Lock_methods[] = {
    { "acquire", Lock_acquire, METH_NOARGS, "Wait until no other thread holds the lock, and hold it." },
    { "release", Lock_release, METH_NOARGS, "Give it back. Raises RuntimeError where this thread does not hold it." },
    { "held", Lock_held, METH_NOARGS, "Whether the calling thread holds it." },
    { "turn", Lock_turn, METH_NOARGS, "(thread, number of the turn) of who holds it now, or None." },
    { "__enter__", Lock_enter_method, METH_NOARGS, NULL },
    { "__exit__", Lock_exit, METH_VARARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Lock_slots[] = {
    { Py_tp_doc, "A re-entrant lock. Models, timers and whoever holds it run one at a time." },
    { Py_tp_methods, Lock_methods },
    { 0, NULL },
};

PyType_Spec Lock_spec = { "devshim.host._channel.Lock", sizeof(Lock), 0, Py_TPFLAGS_DEFAULT, Lock_slots };
