/* _lock.c: the lock under which models are called: one at a time, re-entrant, waited for without the GIL. */
#include "_lock.h"
#include "_standing.h"

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
    __atomic_store_n(&lock->turns, lock->turns + 1, __ATOMIC_RELAXED); /* who asks for the turn need not have it */
}

/* Without the GIL. */
void lock_enter(Lock *lock)
{
    if (!lock_try(lock))
        lock_wait(lock);
    lock_claim(lock);
}

bool lock_enter_now(Lock *lock)
{
    if (!lock_try(lock))
        return false;
    lock_claim(lock);
    return true;
}

void lock_enter_again(Lock *lock)
{
    lock->depth++;
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
        answers_move();
        Py_RETURN_NONE;
    }
    if (!lock_try(lock)) {
        Py_BEGIN_ALLOW_THREADS
        lock_wait(lock);
        Py_END_ALLOW_THREADS
    }
    lock_claim(lock);
    answers_move();
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
    return Py_BuildValue("kK", owner, (unsigned long long)__atomic_load_n(&lock->turns, __ATOMIC_RELAXED));
}

void lock_forget(Lock *lock)
{
    lock->owner = 0;
    lock->depth = 0;
    __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

static PyObject *Lock_reset(PyObject *self, PyObject *unused)
{
    (void)unused;
    lock_forget((Lock *)self);
    Py_RETURN_NONE;
}

/* ---- Attributes that are written under the lock ----------------------------------------------------------- */

static Lock *guarding; /* the lock that the method of guarded_setattr() takes; one in a process */

static PyObject *set_attribute(PyObject *self, PyObject *args)
{
    PyObject *name, *value;

    if (!PyArg_UnpackTuple(args, "__setattr__", 2, 2, &name, &value))
        return NULL;
    if (guarding && !lock_is_mine(guarding)) {
        Lock *lock = (Lock *)Py_NewRef((PyObject *)guarding);
        Py_XDECREF(Lock_acquire((PyObject *)lock, NULL));
        int failed = PyObject_GenericSetAttr(self, name, value);
        lock_leave(lock);
        Py_DECREF((PyObject *)lock);
        return failed ? NULL : Py_NewRef(Py_None);
    }
    return PyObject_GenericSetAttr(self, name, value) ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef guarded_setattr = { "__setattr__", set_attribute, METH_VARARGS, "Set an attribute under the host's lock." };

PyObject *lock_guarded_setattr(PyObject *module, PyObject *lock)
{
    (void)module;
    Py_XDECREF((PyObject *)guarding);
    guarding = (Lock *)Py_NewRef(lock);
    return PyDescr_NewMethod(&PyBaseObject_Type, &guarded_setattr);
}

static PyMethodDef Lock_methods[] = {
    { "acquire", Lock_acquire, METH_NOARGS, "Wait until no other thread holds the lock, and hold it." },
    { "release", Lock_release, METH_NOARGS, "Give it back. Raises RuntimeError where this thread does not hold it." },
    { "held", Lock_held, METH_NOARGS, "Whether the calling thread holds it." },
    { "turn", Lock_turn, METH_NOARGS, "(thread, number of the turn) of who holds it now, or None." },
    { "reset", Lock_reset, METH_NOARGS, "In a forked child, whose other threads are not there: nobody holds it." },
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
