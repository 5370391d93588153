/* leaving.h: what becomes of open devices when a program with a host inside of it executes another. */
#ifndef DEVSHIM_LEAVING_H
#define DEVSHIM_LEAVING_H

#include <stdbool.h>

/* Whether what this process executes now takes a host away: one inside of it, in a run with --in-process. */
bool leaves_host(void);

/* Before that: open the devices that the next program inherits once more, from the run's own host. Leaves errno. */
void leave_host(void);

/* In that program: whether it has inherited such a device. Then all of its devices are with the run's own host. */
bool inherited_from_host(void);

/* From now on as if it had. */
void stay_with_outer_host(void);

#endif
