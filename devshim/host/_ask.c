/* _ask.c: has a file of files.py answer a call: the method's arguments from the request, and the answer from what it
 * returns. */
#include "_answer.h"

#include <errno.h>

static PyObject *names[OP_WAITS + 1];

/* What no shim of ours says is no message to the user either: who writes rubbish into a slot could fill a disk with it. */
PyObject *not_a_call(void)
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
        answer = not_a_call();
    }
    Py_XDECREF(first);
    Py_XDECREF(second);
    Py_XDECREF(third);
    return answer;
}

/* What answering.py and files.py return: bytes (data; an ioctl's result is 0 then), an int (the result), or
 * (result, errno, flags, token, data, place). */
bool answer_said(PyObject *value, struct answer *answer, Py_buffer *buffer, uint32_t room)
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

int ask_prepare(void)
{
    static const char *const texts[] = { "", "read", "write", "ioctl", "seek", "poll", "report", "note", "lock", "waits" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!(names[i] = PyUnicode_InternFromString(texts[i])))
            return -1;
    return 0;
}
