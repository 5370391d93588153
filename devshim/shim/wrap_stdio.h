/* wrap_stdio.h: stdio streams on devices. */
#ifndef DEVSHIM_WRAP_STDIO_H
#define DEVSHIM_WRAP_STDIO_H

/* stdin, stdout and stderr where this program inherited them from a device that computes. */
void adopt_standard_streams(void);

/* The same for one of them, after a dup2() put a device there. */
void adopt_standard_stream(int fd);

#endif
