/* _module.c: what Python finds in devshim.host._channel. */
#include "_answer.h"
#include "_direct.h"
#include "_events.h"
#include "_lock.h"
#include "_ring.h"
#include "_standing.h"

#include <sys/socket.h>

static PyMethodDef functions[] = {
    { "create_registry", run_create_registry, METH_VARARGS, "create_registry(path): the empty registry of a new run." },
    { "memory_file", run_memory_file, METH_VARARGS, "memory_file(name, size) -> fd of so much memory, sealed." },
    { "lock_file", run_lock_file, METH_VARARGS, "lock_file(fd, alone): shared, or alone if that can be had now; whether." },
    { "be_prompt", prompt_be_prompt, METH_NOARGS, "be_prompt(): let this thread be woken without delay." },
    { "set_subreaper", run_set_subreaper, METH_NOARGS, "Orphans among this process's descendants become its children (prctl(2))." },
    { "listen", sockets_listen, METH_VARARGS, "listen(path) -> fd of a socket there." },
    { "accept", sockets_accept, METH_VARARGS, "accept(listener, size) -> (fd, pid, uid, gid, request) or None." },
    { "answer", sockets_answer, METH_VARARGS, "answer(fd, data, [fd, [fd]]) -> whether the other end was still there." },
    { "carrier", sockets_carrier, METH_VARARGS, "carrier(nonblock, type, our buffer, their buffer) -> (our end, their end, st_dev, st_ino)." },
    { "send", sockets_send, METH_VARARGS, "send(fd, data) -> whether the packet went out." },
    { "send_each", sockets_send_each, METH_VARARGS, "send_each(fd, packets) -> how many went out." },
    { "mark", sockets_mark, METH_VARARGS, "mark(fd) -> whether poll sees POLLPRI at the other end." },
    { "empty", sockets_empty, METH_VARARGS, "empty(fd): take out all that lies in a packet socket." },
    { "guarded_setattr", lock_guarded_setattr, METH_O, "guarded_setattr(lock) -> a __setattr__ for classes, which takes the lock." },
    { "raise_descriptors", sockets_raise_descriptors, METH_VARARGS, "raise_descriptors(lowest): leave smaller numbers to the program, 0: no longer." },
    { "adopt", sockets_adopt, METH_VARARGS, "adopt(fd, buffer) -> fd, or its replacement: our end becomes a carrier's." },
    { "raised", sockets_raised, METH_VARARGS, "raised(fd) -> fd, or its replacement where it was too small." },
    { "attach", direct_attach, METH_VARARGS, "attach(channel, descriptor, address of devshim_direct, run, preload, patch): answer this process's own calls." },
    { "detach", direct_detach, METH_NOARGS, "detach(): answer them no more." },
    { "host_thread", direct_host_thread, METH_VARARGS, "host_thread(which, ident): that thread's own calls are real ones; which is 0 or 1." },
    { "aside", direct_aside, METH_VARARGS, "aside(now) -> before: whether this thread's calls are real ones for a while." },
    { "shim_entry", direct_shim_entry, METH_VARARGS, "shim_entry(path) -> the address of devshim_direct() in the shim." },
    { "meet", direct_meet, METH_O, "meet(shim_entry): find the shim in this process, whose host is elsewhere." },
    { "hook", direct_hook, METH_VARARGS, "hook(name, original, replacement, words) -> by which address the original is called from now on."},
    { "unhook", direct_unhook, METH_NOARGS, "unhook(): give this process all its functions back." },
    { "let_stand", standing_let_stand, METH_O, "let_stand(registry): let answers stand until something moves; None: no longer." },
    { "answers_move", standing_answers_move, METH_NOARGS, "answers_move(): what follows may change answers that stand." },
    { "real", direct_real, METH_VARARGS, "real(name) -> the address of libc's own function, or 0." },
    { "hang_up", sockets_hang_up, METH_VARARGS, "hang_up(fd, last words, descriptor): end the connection, for the other end too." },
    { NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "devshim.host._channel", .m_size = -1, .m_methods = functions,
    .m_doc = "The host's end of the channel to the targets, in C.",
};

PyMODINIT_FUNC PyInit__channel(void);
PyMODINIT_FUNC PyInit__channel(void)
{
    PyObject *module = PyModule_Create(&definition);
    PyObject *lock = PyType_FromSpec(&Lock_spec), *channel = PyType_FromSpec(&Channel_spec);

    if (!module || !lock || !channel)
        return NULL;
    PyObject *ring = PyType_FromSpec(&Ring_spec), *events = PyType_FromSpec(&Events_spec);
    if (!ring || PyModule_AddObject(module, "Ring", ring) < 0)
        return NULL;
    if (!events || PyModule_AddObject(module, "Events", events) < 0)
        return NULL;
    if (PyModule_AddObject(module, "Lock", lock) < 0 || PyModule_AddObject(module, "Channel", channel) < 0)
        return NULL;
    static const struct {
        const char *name;
        PyType_Spec *spec;
        PyTypeObject **type;
    } types[] = { { "Quick", &Quick_spec, &Quick_type }, { "Way", &Way_spec, &Way_type },
                  { "Facts", &Facts_spec, &Facts_type }, { "NotedFile", &NotedFile_spec, &NotedFile_type } };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        PyObject *type = PyType_FromSpec(types[i].spec);
        *types[i].type = (PyTypeObject *)Py_XNewRef(type);
        if (!type || PyModule_AddObject(module, types[i].name, type) < 0)
            return NULL;
    }
    if (ask_prepare() < 0 || quick_prepare() < 0 || facts_prepare() < 0)
        return NULL;
    if (PyModule_AddIntConstant(module, "OWN_PROCESS", OWN_PROCESS) < 0)
        return NULL;
    if (PyModule_AddIntConstant(module, "PACKETS", SOCK_SEQPACKET) < 0 || PyModule_AddIntConstant(module, "STREAM", SOCK_STREAM) < 0)
        return NULL;
    return module;
}
