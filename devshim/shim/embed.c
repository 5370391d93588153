/* embed.c: brings an interpreter with the models into this very process, where the run asks for it.
 *
 * A Python program lends its own, if it is of the version that devshim is installed for: two in one process share
 * symbols and crash. Any other program gets the shared libpython at its first open of a device: isolated, without site,
 * and without touching the program's signal handlers, locale, standard streams or environment. No Python header is needed:
 * the few functions are looked up, and those of them that take structures take ones that are the same in all versions.
 * Not async-signal-safe: the first open of a device must not come from a signal handler. */
#include "embed.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <wchar.h>

#include "connection.h"
#include "direct.h"
#include "hooks.h"
#include "interposed.h"
#include "registry.h"

/* As for dlsym, see interposed.h. */
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver dlopen, dlopen@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver dlopen, dlopen@GLIBC_2.17");
#endif

/* The run's file "embed": six lines (library, version, program, where modules are, what a new interpreter runs), then
 * Python code for the program's own. */
static char recipe[16384];

struct recipe {
    const char *library, *version, *program, *path, *begin, *code;
};

/* https://docs.python.org/3/c-api/init_config.html, PyPreConfig; the same from 3.8 to 3.14. */
struct preconfig {
    int config_init, parse_argv, isolated, use_environment, configure_locale, coerce_c_locale, coerce_c_locale_warn;
    int utf8_mode, dev_mode, allocator;
    int reserve[16];
};

struct status { /* PyStatus */
    int type;
    const char *function, *message;
    int exitcode;
};

#define FIND(handle, name) ((__typeof__(name##_type) *)(uintptr_t)dlsym(handle, #name))

extern int Py_IsInitialized_type(void);
extern const char *Py_GetVersion_type(void);
extern int PyGILState_Ensure_type(void);
extern void PyGILState_Release_type(int state);
extern int PyRun_SimpleString_type(const char *code);
extern void *PyEval_SaveThread_type(void);
extern void *PySys_GetObject_type(const char *name);
extern void Py_InitializeEx_type(int signals);
extern void PyPreConfig_InitIsolatedConfig_type(struct preconfig *config);
extern struct status Py_PreInitialize_type(const struct preconfig *config);
extern int PySys_AddAuditHook_type(int (*hook)(const char *event, void *arguments, void *data), void *data);
extern void Py_SetProgramName_type(const wchar_t *name);
extern void Py_SetPath_type(const wchar_t *path);

/* ---- What the user hears -------------------------------------------------------------------------- */

static void say(const char *first, const char *second, const char *third)
{
    struct iovec parts[] = {
        { (void *)(uintptr_t) "devshim: ", 9 },
        { (void *)(uintptr_t)first, strlen(first) },
        { (void *)(uintptr_t)second, strlen(second) },
        { (void *)(uintptr_t)third, strlen(third) },
        { (void *)(uintptr_t) "\n", 1 },
    };
    (void)!real.writev(2, parts, 5);
}

/* Leave a word for the command, whose exit code says so. */
static bool refuse(const char *first, const char *second, const char *third)
{
    char path[RUN_DIRECTORY + sizeof "/hosts/refused"];

    say(first, second, third);
    strcat(strcpy(path, run_directory), "/hosts/refused");
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0)
        real.syscall(SYS_close, fd);
    return false;
}

/* ---- The recipe ----------------------------------------------------------------------------------- */

static const char *cut_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (end)
        *end++ = '\0';
    *at = end ? end : line + strlen(line);
    return line;
}

static bool read_recipe(struct recipe *found)
{
    char path[RUN_DIRECTORY + sizeof "/embed"];

    strcat(strcpy(path, run_directory), "/embed");
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : real.read(fd, recipe, sizeof recipe - 1);
    if (fd >= 0)
        real.syscall(SYS_close, fd);
    if (size <= 0 || size == sizeof recipe - 1)
        return false;
    recipe[size] = '\0';
    char *at = recipe;
    found->library = cut_line(&at);
    found->version = cut_line(&at);
    found->program = cut_line(&at);
    found->path = cut_line(&at);
    found->begin = cut_line(&at);
    found->code = at;
    return true;
}

/* ---- Interpreters --------------------------------------------------------------------------------- */

static bool is_version(const char *version, const struct recipe *recipe)
{
    size_t length = strlen(recipe->version);
    return strncmp(version, recipe->version, length) == 0 && (version[length] < '0' || version[length] > '9');
}

/* A host, or in a run whose host is elsewhere the functions that it replaces. */
static bool has_come(void)
{
    return direct_host() || hooks_are_there();
}

static bool run_in_program_s_own(const struct recipe *recipe)
{
    static char version[16];
    const char *theirs = FIND(RTLD_DEFAULT, Py_GetVersion)();

    strncat(version, theirs, strcspn(theirs, " "));
    if (!is_version(theirs, recipe))
        return refuse("--in-process: this program is Python ", version, ", and devshim is installed for another one; "
                      "run it without --in-process");
    if (!FIND(RTLD_DEFAULT, Py_IsInitialized)())
        return refuse("--in-process: this program has a Python of its own, which is not running yet; "
                      "run it without --in-process", "", "");
    int state = FIND(RTLD_DEFAULT, PyGILState_Ensure)();
    FIND(RTLD_DEFAULT, PyRun_SimpleString)(recipe->code);
    FIND(RTLD_DEFAULT, PyGILState_Release)(state);
    return has_come(); /* else it was said why */
}

/* Global variables of libpython that steer Py_InitializeEx(), up to 3.13 at least. */
static void set_flags(void *library)
{
    static const char *const names[] = { "Py_IsolatedFlag", "Py_NoSiteFlag", "Py_IgnoreEnvironmentFlag",
                                         "Py_NoUserSiteDirectory" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int *flag = dlsym(library, names[i]);
        if (flag)
            *flag = 1;
    }
}

static void widen(const char *text, wchar_t *out, size_t room)
{
    size_t i = 0;
    for (; text[i] && i + 1 < room; i++)
        out[i] = (unsigned char)text[i];
    out[i] = L'\0';
}

static bool run_in_new_one(const struct recipe *recipe)
{
    static wchar_t program[1024], path[4096];
    void *library = recipe->library[0] ? dlopen(recipe->library, RTLD_NOW | RTLD_GLOBAL) : NULL;

    if (!library)
        return refuse("--in-process: there is no shared libpython to load (", recipe->library,
                      "); run it without --in-process, or install devshim for a Python that has one");
    struct preconfig config = { 0 };
    FIND(library, PyPreConfig_InitIsolatedConfig)(&config);
    config.utf8_mode = 1; /* file names do not depend on the program's locale */
    if (FIND(library, Py_PreInitialize)(&config).type != 0)
        return refuse("--in-process: Python ", recipe->version, " cannot be started here; run it without --in-process");
    set_flags(library);
    __typeof__(Py_SetProgramName_type) *set_program = FIND(library, Py_SetProgramName);
    widen(recipe->program, program, sizeof program / sizeof *program);
    __typeof__(Py_SetPath_type) *set_path = FIND(library, Py_SetPath);
    if (set_program)
        set_program(program);
    if (set_path && recipe->path[0]) { /* else it is looked for, which takes a fifth of the interpreter's start */
        widen(recipe->path, path, sizeof path / sizeof *path);
        set_path(path);
    }
    FIND(library, Py_InitializeEx)(0);
    FIND(library, PyRun_SimpleString)(recipe->begin);
    FIND(library, PyEval_SaveThread)();
    return has_come();
}

enum { CLASSIC_SIGNALS = 32 };

/* Python's signal module takes SIGINT when it is imported. */
static void keep_handlers(struct sigaction handlers[CLASSIC_SIGNALS], bool back)
{
    for (int number = 1; number < CLASSIC_SIGNALS; number++)
        if (number != SIGKILL && number != SIGSTOP)
            sigaction(number, back ? &handlers[number] : NULL, back ? NULL : &handlers[number]);
}

/* The kernel's mask, of 64 signals, with those that libc keeps to itself; pthread_sigmask() is newer than our glibc. */
static void set_mask(const sigset_t *mask, sigset_t *before)
{
    real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, before, 8ul);
}

/* Threads of the host's must not take the program's signals, so they are born with all of them blocked. */
static bool start_host(void)
{
    struct sigaction handlers[CLASSIC_SIGNALS];
    struct recipe recipe;
    sigset_t all, before;

    if (!read_recipe(&recipe))
        return refuse("--in-process: the run's directory has gone", "", "");
    sigfillset(&all);
    set_mask(&all, &before);
    keep_handlers(handlers, false);
    int aside = step_aside(1); /* what is plugged already would be in its way */
    bool done = dlsym(RTLD_DEFAULT, "Py_GetVersion") ? run_in_program_s_own(&recipe) : run_in_new_one(&recipe);
    step_aside(aside);
    keep_handlers(handlers, true);
    set_mask(&before, NULL);
    return done;
}

/* ---- Once a process ------------------------------------------------------------------------------- */

enum { NOT_YET, UNDER_WAY, DONE, FAILED };

/* Whether the program's own Python is in the middle of an import: what it imports the host would find half made. */
static bool is_importing(void)
{
    static const char look[] = "exec('import sys; sys._devshim_importing = any(getattr(getattr(one, \"__spec__\", None),"
                               " \"_initializing\", False) for one in list(sys.modules.values()))', {})";
    int state = FIND(RTLD_DEFAULT, PyGILState_Ensure)();
    bool importing = FIND(RTLD_DEFAULT, PyRun_SimpleString)(look) != 0
                     || FIND(RTLD_DEFAULT, PySys_GetObject)("_devshim_importing") == dlsym(RTLD_DEFAULT, "_Py_TrueStruct");

    FIND(RTLD_DEFAULT, PyGILState_Release)(state);
    return importing;
}

bool may_embed(void)
{
    if (!dlsym(RTLD_DEFAULT, "Py_GetVersion"))
        return true;
    return FIND(RTLD_DEFAULT, Py_IsInitialized)() && !is_importing();
}

/* A phase and whose it is are one word: who begins is never seen without his name, and taken for a process of before. */
static uint64_t phase_of(pid_t process, uint32_t phase)
{
    return (uint64_t)process << 32 | phase;
}

bool embed_host(void)
{
    static uint64_t state; /* a fork child of a process without devices so far starts anew */
    int before = errno;
    pid_t own = (pid_t)real.syscall(SYS_getpid);
    uint64_t now = __atomic_load_n(&state, __ATOMIC_ACQUIRE), under_way = phase_of(own, UNDER_WAY);

    if (in_borrowed_memory() && (pid_t)(now >> 32) != own) {
        errno = EDEADLK;
        return false;
    }
    while ((uint32_t)now == NOT_YET || ((uint32_t)now == UNDER_WAY && now != under_way)) /* whose thread is not in this child */
        if (__atomic_compare_exchange_n(&state, &now, under_way, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            now = phase_of(own, start_host() ? DONE : FAILED);
            __atomic_store_n(&state, now, __ATOMIC_RELEASE);
        }
    while (now == under_way) {
        sched_yield();
        now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
    }
    errno = (uint32_t)now == DONE ? before : ENODEV;
    return (uint32_t)now == DONE;
}

/* ---- As soon as the program's own Python runs ------------------------------------------------------- */

/* One that the host does not fit stays without, unless it opens a device: then it is said. */
static bool is_of_our_version(void)
{
    struct recipe recipe;
    return read_recipe(&recipe) && is_version(FIND(RTLD_DEFAULT, Py_GetVersion)(), &recipe);
}

/* https://docs.python.org/3/library/audit_events.html: the interpreter is complete, and its program's first line not yet run. */
static int heard(const char *event, void *arguments, void *unused)
{
    static const char runs[] = "cpython.run_";
    static bool done;
    (void)arguments, (void)unused;

    if (done || strncmp(event, runs, sizeof runs - 1) != 0)
        return 0;
    done = true;
    int before = errno;
    if (!has_come() && is_of_our_version() && may_embed())
        embed_host();
    errno = before;
    return 0;
}

void embed_host_with_python(void)
{
    __typeof__(PySys_AddAuditHook_type) *listen = FIND(RTLD_DEFAULT, PySys_AddAuditHook);
    if (listen && !FIND(RTLD_DEFAULT, Py_IsInitialized)())
        listen(heard, NULL);
}
