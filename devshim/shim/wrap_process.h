/* wrap_process.h: the environment that programs started by this one get. */
#ifndef DEVSHIM_WRAP_PROCESS_H
#define DEVSHIM_WRAP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

#define LONGEST_PRELOAD 4096

/* Keep LD_PRELOAD and DEVSHIM_RUN as they are now, for programs to be started later. */
void remember_environment(void);

/* The same in the process of a run's own host: LD_PRELOAD as given, and this run whatever the environment says. */
void remember_environment_as(const char *value);

/* Programs started from now on get the environment as it stands. */
void forget_environment(void);

/* Put them back into this process's own environment where the program has taken them away. */
void restore_environment(void);

/* How many entries an environment or an argument list has. */
size_t count_of(char *const list[]);

/* The environment itself where nothing is missing, else room filled with it and ours.
 * room has count + 5 places, of which the last is left over; preload_room holds a changed LD_PRELOAD, files_room what a recording hands on. */
char *const *complete_environment(char *const environment[], char **room, char *preload_room, char *files_room);

/* How large preload_room has to be. Mostly next to nothing: the stack may be a small thread's. */
size_t preload_size(char *const environment[]);

/* Whether a path is a plugged node's, which nobody can execute: EACCES. */
bool no_program(int dirfd, const char *path);

/* Put the launcher's order behind what was completed, or with NULL take it away again. False where nothing was completed. */
bool tell_launcher(char *const completed[], char **room, char *launch);

/* A statement, because alloca's memory lives as long as its function. */
#define WITH_SHIM(environment)                                                                      \
    char **room = alloca((count_of(environment) + 5) * sizeof *room);                               \
    char *files_room = alloca(recording() ? LONGEST_HANDED_ON : 1);                                 \
    char *preload_room = alloca(preload_size(environment));                                         \
    environment = complete_environment(environment, room, preload_room, files_room);

#endif
