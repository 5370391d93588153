/* called.c: a function of Python's that calls another from without: the GIL given back, taken again by who is asked, and
 * likewise on the way back, as in an answer in the program's own process.  Built as a library, which Python loads
 * (bareanswers.py); its few functions of Python's stable interface are declared here, so that no header is needed. */
#include <stddef.h>

struct method {
    const char *name;
    void *(*call)(void *self, void *argument);
    int flags;
    const char *about;
};
enum { METH_O = 8 };

void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *state);
int PyGILState_Ensure(void);
void PyGILState_Release(int state);
void *PyObject_CallFunctionObjArgs(void *function, ...);
void *PyCFunction_NewEx(struct method *method, void *self, void *module);

static void *ask(void *function, void *argument)
{
    void *mine = PyEval_SaveThread();
    int state = PyGILState_Ensure();
    void *answer = PyObject_CallFunctionObjArgs(function, argument, NULL);
    PyGILState_Release(state);
    PyEval_RestoreThread(mine);
    return answer;
}

static struct method method = { "ask", ask, METH_O, NULL };

/* A function of one argument that asks another so. */
void *asking(void *function)
{
    return PyCFunction_NewEx(&method, function, NULL);
}
