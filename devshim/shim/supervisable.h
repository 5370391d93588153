/* supervisable.h: programs that the shim cannot be loaded into, or would see part of: static ones, Go, another libc. One that
 * a program of the run executes is started by the launcher (launch.c), as engine.py does for the command line's own. */
#ifndef DEVSHIM_SUPERVISABLE_H
#define DEVSHIM_SUPERVISABLE_H

#include <stdbool.h>
#include <stddef.h>

/* What tells the launcher which program to become: letters, a colon, and the program's path.
 *   d  data matters in any case, because devices may be plugged later
 *   p  LD_PRELOAD must go, because the program's loader does not bear it
 *   w  the launcher has words of its own before the program's
 *   c  the program is a child of one that runs: it is executed even where it cannot be supervised */
#define LAUNCH_NAME "DEVSHIM_LAUNCH"

/* Any program with the shim in it can be the launcher; this one is. */
#define LAUNCHER "/proc/self/exe"

/* Whether executing a path has to be left to the launcher; then *launch is "DEVSHIM_LAUNCH=..." for its environment.
 * Async-signal-safe, and without a trace in memory: vfork children ask. Says so where the program will see no devices. */
bool needs_launcher(int dirfd, const char *path, char *launch);

/* The same for a name that is looked for on $PATH, as execvp(3) does. */
bool needs_launcher_on_path(const char *file, char *launch, size_t size);

/* How large *launch has to be. Mostly much less than the longest path: the stack may be a small thread's. */
size_t launch_size(int dirfd, const char *path);
size_t launch_size_on_path(const char *file);

/* One line on stderr, once a run, that a program sees no devices, and why. */
void say_unsupervised(const char *path, const char *why);

#endif
