/* wrap_process.h: the environment that programs started by this one get. */
#ifndef DEVSHIM_WRAP_PROCESS_H
#define DEVSHIM_WRAP_PROCESS_H

#include <stddef.h>

#define LONGEST_PRELOAD 4096

/* Keep LD_PRELOAD and DEVSHIM_RUN as they are now, for programs to be started later. */
void remember_environment(void);

/* Put them back into this process's own environment where the program has taken them away. */
void restore_environment(void);

/* How many entries an environment or an argument list has. */
size_t count_of(char *const list[]);

/* The environment itself where nothing is missing, else room filled with it and ours; NULL where it does not fit.
 * room has count + 3 places; preload_room holds a changed LD_PRELOAD. */
char *const *complete_environment(char *const environment[], char **room, char *preload_room, size_t preload_size);

/* A statement, because alloca's memory lives as long as its function. */
#define WITH_SHIM(environment)                                                                      \
    char **room = alloca((count_of(environment) + 3) * sizeof *room);                               \
    char preload_room[2 * LONGEST_PRELOAD];                                                         \
    char *const *completed = complete_environment(environment, room, preload_room, sizeof preload_room); \
    if (completed)                                                                                  \
        environment = completed;

#endif
