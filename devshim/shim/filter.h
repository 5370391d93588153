/* filter.h: the BPF filter that takes a program's system calls to the supervisor (engine `seccomp`). seccomp(2) */
#ifndef DEVSHIM_FILTER_H
#define DEVSHIM_FILTER_H

#include <stdbool.h>

/* Install it in this process for good, for all that it starts and executes, too. data: also calls that move data, which
 * terminals and ordinary files do not need. Returns the listener, or -1 with errno. */
int install_filter(bool data);

#endif
