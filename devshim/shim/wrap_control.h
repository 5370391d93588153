/* wrap_control.h: ioctl(2) for those who have a carrier's descriptor, but not the program's memory. */
#ifndef DEVSHIM_WRAP_CONTROL_H
#define DEVSHIM_WRAP_CONTROL_H

#include "handles.h"

/* An ioctl of another process on a carrier that it holds, and we at fd; argument: as that process gave it (remote.h). */
int ioctl_of_another(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument);

#endif
