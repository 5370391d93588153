/* wrap_process.c: programs that this one starts get the shim too, whatever it does to their environment. */
#include <alloca.h>
#include <errno.h>
#include <string.h>

#include "calls.h"
#include "leaving.h"
#include "paths.h"
#include "supervisable.h"
#include "wrap_process.h"

extern char **environ;

static const char preload_name[] = "LD_PRELOAD=", run_name[] = "DEVSHIM_RUN=", files_name[] = HANDED_ON "=";

/* As this process was started with: kept because a program may clear or change its own environment. */
static AT_START char run[256 + sizeof run_name];
static char preload[2 * LONGEST_PRELOAD + sizeof preload_name]; /* behind its end is the library's name, in the same page */
static AT_START const char *library = ""; /* our own file's name, as it stands in LD_PRELOAD */

static __thread bool leaving __attribute__((tls_model("initial-exec"))); /* the host in this process ends with it */

static bool from_host; /* this process holds the host: its run is ours, not one that it inherited */

static void remember(const char *value)
{
    if (!value || strlen(value) >= LONGEST_PRELOAD || !registry)
        return;
    char *name = stpcpy(stpcpy(preload, preload_name), value) + 1, *end = name;
    strcat(memcpy(run, run_name, sizeof run_name), run_directory);
    while (*value && *value != ':' && *value != ' ') /* strcspn() is in pages of libc that nobody else touches */
        *end++ = *value++;
    *end = '\0';
    library = name;
}

void remember_environment(void)
{
    remember(getenv("LD_PRELOAD"));
}

void remember_environment_as(const char *value)
{
    from_host = true;
    remember(value);
}

void forget_environment(void)
{
    from_host = false;
    library = "";
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

size_t count_of(char *const list[])
{
    size_t count = 0;
    while (list && list[count])
        count++;
    return count;
}

/* The program's own preload: it is kept, ours first. */
static bool preloads_others(const char *entry)
{
    return has_prefix(entry, preload_name) && !strstr(entry, library);
}

size_t preload_size(char *const environment[])
{
    size_t most = 1;

    for (size_t i = 0; environment && environment[i]; i++)
        if (preloads_others(environment[i]) && strlen(preload) + strlen(environment[i]) + 1 > most)
            most = strlen(preload) + strlen(environment[i]) + 1;
    return most;
}

char *const *complete_environment(char *const environment[], char **room, char *preload_room, char *files_room)
{
    static char outer[256 + sizeof run_name];
    bool preloads = false, runs = false;
    char *ours = run;
    size_t kept = 0;

    if (!library[0])
        return environment;
    if (leaving)
        ours = strcat(memcpy(outer, run_name, sizeof run_name), outer_run().directory);
    for (size_t i = 0; environment && environment[i]; i++) {
        char *entry = environment[i];
        if (has_prefix(entry, files_name))
            continue; /* of another program */
        if (has_prefix(entry, run_name)) {
            runs = true;
            if (from_host)
                entry = ours;
        }
        preloads = preloads || has_prefix(entry, preload_name);
        if (preloads_others(entry)) {
            strcat(strcat(strcpy(preload_room, preload), ":"), entry + sizeof preload_name - 1);
            entry = preload_room;
        }
        room[kept++] = entry;
    }
    if (!preloads)
        room[kept++] = preload;
    if (!runs)
        room[kept++] = ours;
    char *files = hand_on_files(files_room);
    if (files)
        room[kept++] = files;
    room[kept] = NULL;
    return room;
}

bool tell_launcher(char *const completed[], char **room, char *launch)
{
    size_t end = count_of(completed);

    if (completed != room)
        return false;
    if (launch) {
        room[end] = launch;
        room[end + 1] = NULL;
    } else
        room[end - 1] = NULL;
    return true;
}

void restore_environment(void)
{
    if (!library[0])
        return;
    const char *value = getenv("LD_PRELOAD");
    if (!value)
        setenv("LD_PRELOAD", preload + sizeof preload_name - 1, 1);
    else if (!strstr(value, library)) {
        char both[2 * LONGEST_PRELOAD];
        if (strlen(value) + strlen(preload) + 1 >= sizeof both)
            return;
        strcat(strcat(strcpy(both, preload + sizeof preload_name - 1), ":"), value);
        setenv("LD_PRELOAD", both, 1);
    }
    char room[LONGEST_HANDED_ON];
    char *files = recording() ? hand_on_files(room) : NULL;
    if (files)
        setenv(HANDED_ON, files + sizeof files_name - 1, 1);
    const char *theirs = getenv("DEVSHIM_RUN");
    if (!theirs || (from_host && strcmp(theirs, run_directory) != 0))
        setenv("DEVSHIM_RUN", run_directory, 1);
}

/* Around what executes another program, and comes back only where that fails. */
static void begin_execution(void)
{
    leaving = leaves_host();
    if (leaving)
        leave_host();
}

static int executed(int result)
{
    leaving = false;
    return result;
}

bool no_program(int dirfd, const char *path)
{
    struct route found;
    return path && path[0] && route(dirfd, path, FOLLOW, &found) == ROUTE_DEVICE;
}

/* What the shim cannot be loaded into is started under a supervisor; on its own where that fails. */
#define EXECUTE(call, size, needs)                                                                  \
    begin_execution();                                                                              \
    WITH_SHIM(environment)                                                                          \
    size_t launch_room = size;                                                                      \
    char *launch = alloca(launch_room);                                                             \
    if ((needs) && tell_launcher(environment, room, launch)) {                                      \
        real.execve(LAUNCHER, argv, environment);                                                   \
        tell_launcher(environment, room, NULL);                                                     \
    }                                                                                               \
    return executed(call);

static int not_executable(void)
{
    errno = EACCES;
    return -1;
}

INTERPOSE int execve(const char *path, char *const argv[], char *const environment[])
{
    START_ONCE();
    if (no_program(AT_FDCWD, path))
        return not_executable();
    EXECUTE(real.execve(path, argv, environment), launch_size(AT_FDCWD, path), needs_launcher(AT_FDCWD, path, launch))
}

INTERPOSE int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

INTERPOSE int execvpe(const char *file, char *const argv[], char *const environment[])
{
    START_ONCE();
    if (strchr(file, '/') && no_program(AT_FDCWD, file))
        return not_executable();
    EXECUTE(real.execvpe(file, argv, environment), launch_size_on_path(file), needs_launcher_on_path(file, launch, launch_room))
}

INTERPOSE int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

INTERPOSE int fexecve(int fd, char *const argv[], char *const environment[])
{
    START_ONCE();
    EXECUTE(real.fexecve(fd, argv, environment), launch_size(fd, ""), needs_launcher(fd, "", launch))
}

INTERPOSE int execveat(int directory, const char *path, char *const argv[], char *const environment[], int flags)
{
    START_ONCE();
    if (!real.execveat) {
        errno = ENOSYS;
        return -1;
    }
    if (no_program(directory, path))
        return not_executable();
    EXECUTE(real.execveat(directory, path, argv, environment, flags), launch_size(directory, path),
            !(flags & AT_SYMLINK_NOFOLLOW) && needs_launcher(directory, path, launch))
}

/* The list of arguments of execl and its kin as an array. */
#define COLLECT_ARGUMENTS(argv, first)                                                              \
    va_list args;                                                                                   \
    size_t count = 1;                                                                               \
    va_start(args, first);                                                                          \
    while (va_arg(args, char *))                                                                    \
        count++;                                                                                    \
    va_end(args);                                                                                   \
    char **argv = alloca((count + 1) * sizeof *argv);                                               \
    argv[0] = (char *)(uintptr_t)first;                                                             \
    va_start(args, first);                                                                          \
    for (size_t i = 1; i <= count; i++)                                                             \
        argv[i] = va_arg(args, char *);

INTERPOSE int execl(const char *path, const char *first, ...)
{
    COLLECT_ARGUMENTS(argv, first)
    va_end(args);
    return execve(path, argv, environ);
}

INTERPOSE int execlp(const char *file, const char *first, ...)
{
    COLLECT_ARGUMENTS(argv, first)
    va_end(args);
    return execvpe(file, argv, environ);
}

INTERPOSE int execle(const char *path, const char *first, ...)
{
    COLLECT_ARGUMENTS(argv, first)
    char *const *environment = va_arg(args, char *const *);
    va_end(args);
    return execve(path, argv, environment);
}
