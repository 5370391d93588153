/* first.c: what comes once in a process: first NODE times its first open; first LIBRARY PROGRAM times what is beneath an
 * interpreter's part in that: loading it, and letting it start isolated, without site, and import nothing. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <wchar.h>

#include "timing.h"

/* Of libpython, which this program is built without: https://docs.python.org/3/c-api/init_config.html */
struct preconfig {
    int fields[10], more[16];
};

struct status {
    int type;
    const char *function, *message;
    int exitcode;
};

enum { UTF8_MODE = 7 };

static void *find(void *library, const char *name)
{
    void *found = dlsym(library, name);
    require(found != NULL, name);
    return found;
}

static void start_interpreter(const char *path, const char *program)
{
    static const char *const flags[] = { "Py_IsolatedFlag", "Py_NoSiteFlag", "Py_IgnoreEnvironmentFlag", "Py_NoUserSiteDirectory" };
    static wchar_t name[4096];
    struct preconfig config = { 0 };
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);

    require(library != NULL, path);
    ((void (*)(struct preconfig *))find(library, "PyPreConfig_InitIsolatedConfig"))(&config);
    config.fields[UTF8_MODE] = 1;
    ((struct status (*)(const struct preconfig *))find(library, "Py_PreInitialize"))(&config);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        *(int *)find(library, flags[i]) = 1;
    mbstowcs(name, program, sizeof name / sizeof *name - 1);
    ((void (*)(const wchar_t *))find(library, "Py_SetProgramName"))(name);
    ((void (*)(int))find(library, "Py_InitializeEx"))(0);
}

int main(int count, char **words)
{
    double began = now_ns();

    if (count == 3)
        start_interpreter(words[1], words[2]);
    else
        require(count == 2 && open(words[1], O_RDWR) >= 0, words[count - 1]);
    double took = now_ns() - began;
    print_series("first", &took, 1);
    fflush(stdout);
    _Exit(0);
}
