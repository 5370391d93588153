/* wrap_stdio.h: stdio streams on devices. */
#ifndef DEVSHIM_WRAP_STDIO_H
#define DEVSHIM_WRAP_STDIO_H

#include <stdbool.h>
#include <stdio.h>

/* Whether it is on a device that computes, or one that is recorded: a cookie stream over our read and write. */
bool is_stream_of_ours(const FILE *stream);

/* stdin, stdout and stderr where this program inherited them from a device that computes. */
void adopt_standard_streams(void);

/* The same for one of them (0, 1 or 2), after a device came to be there; nothing where it is none that computes. */
void adopt_standard_stream(int fd);

#endif
