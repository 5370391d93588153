/* wrap_open.h: opening by route, for the wrappers of open() and those of stdio. */
#ifndef DEVSHIM_WRAP_OPEN_H
#define DEVSHIM_WRAP_OPEN_H

#include "paths.h"

/* open() in all its forms: the device, the run's tree, or libc's own. */
int open_routed(int dirfd, const char *path, int flags, mode_t mode);

/* The same for a path whose @opening, if any, was asked before. */
int open_unasked(int dirfd, const char *path, int flags, mode_t mode);

/* openat2(2); how: a struct open_how of size bytes. */
int openat2_routed(int dirfd, const char *path, const void *how, size_t size);

/* Whether opening the path would open a device, links followed; route says which. */
bool leads_to_device(const char *path, struct route *route);

#endif
