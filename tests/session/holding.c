/* holding.c: an extension that calls libc without giving up the interpreter, as careless ones do. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

/* how(path, call): open path, wait in the call named, and return the first byte that can be read then. */
static PyObject *first_byte(PyObject *module, PyObject *args)
{
    const char *path, *call;
    char byte = 0;
    (void)module;

    if (!PyArg_ParseTuple(args, "ss", &path, &call))
        return NULL;
    int fd = open(path, O_RDWR | O_NOCTTY);
    if (fd < 0)
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    struct termios settings;
    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        tcsetattr(fd, TCSANOW, &settings);
    }
    if (call[0] == 'p') {
        struct pollfd one = { .fd = fd, .events = POLLIN };
        poll(&one, 1, -1);
    } else if (call[0] == 's') {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        select(fd + 1, &set, NULL, NULL, NULL);
    } else if (call[0] == 'e') {
        int many = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN };
        epoll_ctl(many, EPOLL_CTL_ADD, fd, &event);
        epoll_wait(many, &event, 1, -1);
        close(many);
    } else if (call[0] == 'f') {
        FILE *stream = fdopen(dup(fd), "rb");
        byte = (char)getc(stream);
        fclose(stream);
    } else if (call[0] == 'i') {
        int number = 0;
        ioctl(fd, _IOR('B', 1, int), &number);
        byte = (char)number;
    }
    ssize_t got = call[0] == 'f' || call[0] == 'i' ? 1 : read(fd, &byte, 1);
    close(fd);
    if (got != 1)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyBytes_FromStringAndSize(&byte, 1);
}

static PyMethodDef methods[] = {
    { "first_byte", first_byte, METH_VARARGS, "first_byte(path, call)" },
    { NULL, NULL, 0, NULL },
};

static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "holding", NULL, -1, methods, NULL, NULL, NULL, NULL };

PyMODINIT_FUNC PyInit_holding(void)
{
    return PyModule_Create(&module);
}
