/* _direct.h: what answers this process's own calls, for _channel.c. */
#ifndef DEVSHIM_HOST_DIRECT_H
#define DEVSHIM_HOST_DIRECT_H

#include "_lock.h"

#include "../shim/direct.h"

#define OWN_PROCESS 0xffffffffu /* in place of a channel's number, of which this process has none */

PyObject *direct_attach(PyObject *module, PyObject *args);
PyObject *direct_detach(PyObject *module, PyObject *unused);
PyObject *direct_host_thread(PyObject *module, PyObject *args);
PyObject *direct_aside(PyObject *module, PyObject *args);
PyObject *direct_real(PyObject *module, PyObject *args);
PyObject *direct_meet(PyObject *module, PyObject *found);
PyObject *direct_shim_entry(PyObject *module, PyObject *args);
PyObject *direct_hook(PyObject *module, PyObject *args);
PyObject *direct_unhook(PyObject *module, PyObject *unused);

/* Of _channel.c: answer the request in a slot of our own memory, with the GIL and the lock. */
void channel_answer_own(PyObject *channel, struct slot *slot, uint8_t *room, uint32_t most);
Lock *channel_lock(PyObject *channel);

/* Of _sockets.c, in a fork child: close the copies of the host's ends. */
void close_noted_descriptors(void);

/* The first of the host's descriptors in a range, or -1. */
int noted_descriptor(int first, int last);

#endif
