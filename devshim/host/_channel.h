/* _channel.h: what the files of the host's C module share. */
#ifndef DEVSHIM_HOST_CHANNEL_H
#define DEVSHIM_HOST_CHANNEL_H

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN /* and no "#" in formats: built with the headers of 3.13 they fail in 3.11 and 3.12 all the same */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

/* The headers of 3.12 and 3.13 take these for immortal, which they are not in 3.11. */
#undef Py_RETURN_NONE
#undef Py_RETURN_TRUE
#undef Py_RETURN_FALSE
#define Py_RETURN_NONE  return Py_NewRef(Py_None)
#define Py_RETURN_TRUE  return Py_NewRef(Py_True)
#define Py_RETURN_FALSE return Py_NewRef(Py_False)

PyObject *run_create_registry(PyObject *module, PyObject *args);
PyObject *run_lock_file(PyObject *module, PyObject *args);
PyObject *run_memory_file(PyObject *module, PyObject *args);
void be_prompt(void);
PyObject *prompt_be_prompt(PyObject *module, PyObject *unused);
PyObject *run_set_subreaper(PyObject *module, PyObject *unused);
PyObject *sockets_accept(PyObject *module, PyObject *args);
PyObject *sockets_answer(PyObject *module, PyObject *args);
PyObject *sockets_carrier(PyObject *module, PyObject *args);
PyObject *sockets_raise_descriptors(PyObject *module, PyObject *args);
PyObject *sockets_adopt(PyObject *module, PyObject *args);
PyObject *sockets_raised(PyObject *module, PyObject *args);
PyObject *sockets_send(PyObject *module, PyObject *args);
PyObject *sockets_send_each(PyObject *module, PyObject *args);
PyObject *sockets_mark(PyObject *module, PyObject *args);
PyObject *sockets_empty(PyObject *module, PyObject *args);
PyObject *sockets_listen(PyObject *module, PyObject *args);
PyObject *sockets_hang_up(PyObject *module, PyObject *args);

#endif
