/* wrap_spawn.c: posix_spawn, whose child libc runs past every wrapper, and the functions that libc builds on it. */
#include <alloca.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "calls.h"
#include "supervisable.h"
#include "wrap_open.h"
#include "wrap_process.h"

enum { MOST_DEVICES = 16 }; /* devices that one child may be given by addopen; the kernel refuses to open more */

#ifdef __GLIBC__

/* What is behind posix_spawn_file_actions_t (glibc, posix/spawn_int.h); new kinds have always come last. */
enum action_kind { ACTION_CLOSE, ACTION_DUP2, ACTION_OPEN, ACTION_CHDIR, ACTION_FCHDIR };

struct __spawn_action {
    int kind;
    union {
        struct { int fd; } close;
        struct { int fd, to; } dup2;
        struct { int fd; char *path; int flags; mode_t mode; } open;
    };
};

/* A copy of file actions in which the devices are open already, in this process. */
struct translated {
    posix_spawn_file_actions_t actions;
    int fds[MOST_DEVICES], count;
};

static bool opens_device(const struct __spawn_action *action)
{
    struct route route;
    return action->kind == ACTION_OPEN
           && (leads_to_device(action->open.path, &route) || device_to_record(AT_FDCWD, action->open.path, 0));
}

static bool opens_devices(const posix_spawn_file_actions_t *actions)
{
    for (int i = 0; actions && i < actions->__used; i++)
        if (opens_device(&actions->__actions[i]))
            return true;
    return false;
}

/* A number that no action is about. */
static int beyond(const posix_spawn_file_actions_t *actions)
{
    int most = 2;
    for (int i = 0; i < actions->__used; i++) {
        const struct __spawn_action *action = &actions->__actions[i];
        if (action->kind <= ACTION_OPEN && action->open.fd > most)
            most = action->open.fd;
        if (action->kind == ACTION_DUP2 && action->dup2.to > most)
            most = action->dup2.to;
    }
    return most + 1;
}

/* Open the devices here; the child only copies the descriptor to its place. Returns 0 or an errno. */
static int translate(struct translated *translated, struct __spawn_action *copy, const posix_spawn_file_actions_t *actions)
{
    int lowest = beyond(actions);
    bool moved = false;

    memcpy(copy, actions->__actions, (size_t)actions->__used * sizeof *copy);
    translated->actions = *actions;
    translated->actions.__actions = copy;
    for (int i = 0; i < actions->__used; i++) {
        struct __spawn_action action = copy[i];
        moved |= action.kind == ACTION_CHDIR || action.kind == ACTION_FCHDIR;
        if ((moved && action.kind == ACTION_OPEN && action.open.path[0] != '/') || !opens_device(&action))
            continue;
        if (translated->count == MOST_DEVICES)
            return EMFILE;
        int fd = open_routed(AT_FDCWD, action.open.path, action.open.flags | O_CLOEXEC | O_NOCTTY, action.open.mode);
        if (fd < 0)
            return errno;
        int out_of_the_way = real.fcntl(fd, F_DUPFD_CLOEXEC, lowest);
        int error = errno;
        real.syscall(SYS_close, fd);
        if (out_of_the_way < 0)
            return error;
        translated->fds[translated->count++] = out_of_the_way;
        copy[i].kind = ACTION_DUP2;
        copy[i].dup2.fd = out_of_the_way;
        copy[i].dup2.to = action.open.fd;
    }
    return 0;
}

#endif

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                           char *const[], char *const[]);

static int spawn_here(spawn_function *function, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
#ifdef __GLIBC__
    if (registry && opens_devices(actions)) {
        struct translated translated = { .count = 0 };
        int before = errno;
        int error = translate(&translated, alloca((size_t)actions->__used * sizeof(struct __spawn_action)), actions);
        if (!error)
            error = function(pid, path, &translated.actions, attributes, argv, environment);
        while (translated.count > 0)
            real.syscall(SYS_close, translated.fds[--translated.count]);
        errno = before;
        return error;
    }
#endif
    return function(pid, path, actions, attributes, argv, environment);
}

/* launch: filled where needed, because the shim cannot be loaded into the program. Where the launcher cannot be executed the
 * program is, on its own. */
static int spawn(spawn_function *function, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const environment[], bool needed, char *launch)
{
    WITH_SHIM(environment)
    if (needed && tell_launcher(environment, room, launch)) {
        if (spawn_here(real.posix_spawn, pid, LAUNCHER, actions, attributes, argv, environment) == 0)
            return 0;
        tell_launcher(environment, room, NULL);
    }
    return spawn_here(function, pid, path, actions, attributes, argv, environment);
}

INTERPOSE int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
    START_ONCE();
    if (no_program(AT_FDCWD, path))
        return EACCES;
    char *launch = alloca(launch_size(AT_FDCWD, path));
    return spawn(real.posix_spawn, pid, path, actions, attributes, argv, environment, needs_launcher(AT_FDCWD, path, launch),
                 launch);
}

INTERPOSE int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
    START_ONCE();
    if (strchr(file, '/') && no_program(AT_FDCWD, file))
        return EACCES;
    size_t size = launch_size_on_path(file);
    char *launch = alloca(size);
    return spawn(real.posix_spawnp, pid, file, actions, attributes, argv, environment,
                 needs_launcher_on_path(file, launch, size), launch);
}

/* libc hands on its own environ, from which the program may have taken ours. */
INTERPOSE int system(const char *command)
{
    START_ONCE();
    restore_environment();
    return LATE(system)(command);
}

INTERPOSE FILE *popen(const char *command, const char *mode)
{
    START_ONCE();
    restore_environment();
    return LATE(popen)(command, mode);
}
SAME_AS(popen, _IO_popen);
