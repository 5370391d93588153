/* _run.c: what the waiter does before a program starts. In C because Python's ways to do it take longer to import than
 * the program takes to start. */
#include "_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../shim/wire.h"

/* set_subreaper(): orphans among this process's descendants become its children (prctl(2)). Returns whether they do:
 * emulators of the kernel (qemu-user) do not know it, and a run does without, but does not wait for them then. */
PyObject *run_set_subreaper(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
}

static uint64_t page_up(uint64_t size)
{
    return (size + 4095) & ~(uint64_t)4095;
}

static struct registry empty_registry(void)
{
    struct registry head = { .magic = WIRE_MAGIC, .version = WIRE_VERSION, .text_used = 8 };

    head.nodes_at = page_up(sizeof head);
    head.carriers_at = page_up(head.nodes_at + MAX_NODES * sizeof(struct node));
    head.devices_at = page_up(head.carriers_at + MAX_CARRIERS * sizeof(struct carrier));
    head.text_at = page_up(head.devices_at + MAX_DEVICES * sizeof(struct device));
    return head;
}

/* create_registry(path): the empty registry of a new run. It is whole before the program starts, so that a target
 * never maps half of it; the host fills it. */
PyObject *run_create_registry(PyObject *module, PyObject *args)
{
    struct registry head = empty_registry();
    PyObject *path;
    (void)module;

    if (!PyArg_ParseTuple(args, "O&", PyUnicode_FSConverter, &path))
        return NULL;
    int fd = open(PyBytes_AsString(path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool made = fd >= 0 && fchmod(fd, 0644) == 0 && ftruncate(fd, REGISTRY_SIZE) == 0
                && pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head;
    if (!made)
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, PyBytes_AsString(path));
    if (fd >= 0)
        close(fd);
    Py_DECREF(path);
    if (!made)
        return NULL;
    Py_RETURN_NONE;
}

/* memory_file(name, size) -> fd of so many bytes of memory, which nobody can make more or less of. */
PyObject *run_memory_file(PyObject *module, PyObject *args)
{
    const char *name;
    long long size;
    (void)module;

    if (!PyArg_ParseTuple(args, "sL", &name, &size))
        return NULL;
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return PyLong_FromLong(fd);
}

/* lock_file(fd, alone) -> bool: flock(2), shared, for which a sweep is waited out; or alone, and then False at once where
 * somebody holds it. */
PyObject *run_lock_file(PyObject *module, PyObject *args)
{
    int fd, alone, done;
    (void)module;

    if (!PyArg_ParseTuple(args, "ip", &fd, &alone))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    do
        done = flock(fd, alone ? LOCK_EX | LOCK_NB : LOCK_SH);
    while (done < 0 && errno == EINTR);
    Py_END_ALLOW_THREADS
    if (done < 0 && errno != EWOULDBLOCK)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyBool_FromLong(done == 0);
}
