/* asking.h: asks the host for a descriptor, over a socket. */
#ifndef DEVSHIM_ASKING_H
#define DEVSHIM_ASKING_H

#include <stdbool.h>

#include "wire.h"

/* Returns a descriptor (or -1 with errno from the answer, ENODEV without a host); *answer is filled
 * whenever the host answered at all. With second, the answer brings two. May be interrupted (EINTR) only
 * where the host lets an open wait. */
int ask_for_descriptor(const struct hello_request *request, const char *path, struct hello_answer *answer,
                       int *second);

/* The same in a program that has a host of its own, of the run that it was started in. */
int ask_outer_host(const struct hello_request *request, const char *path);

/* Whether the host is still there, asked of the kernel. */
bool host_lives(void);

#endif
