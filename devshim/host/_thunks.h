/* _thunks.h: what a program calls in the place of a hooked function: it prepares the thread, and calls another. */
#ifndef DEVSHIM_HOST_THUNKS_H
#define DEVSHIM_HOST_THUNKS_H

#define MOST_THUNKS 256

#include <stdbool.h>

#include "../shim/jumps.h"

/* A function that calls replacement with all its arguments, of which so many words may lie on the stack; the same one for
 * the same function, and then the new replacement, because somebody may keep its address. NULL where there are too many.
 * name: for good. */
void *thunk_for(const char *name, const void *original, const void *replacement, unsigned words);

/* By this a replacement calls the original: meanwhile this thread may leave. */
void *thunk_to_original(const char *name, const void *original, unsigned words);

/* Of _direct.c: around a call of a replacement. From the first to the second this thread has a state for Python, stands
 * aside, and does not leave. */
int begin_hook(struct staying *staying);
void end_hook(const struct staying *staying, int aside);

/* Around a call of the original in between. */
void open_hook(const struct staying *staying);
void close_hook(struct staying *staying);

/* Whether this process has its parent's memory until it executes: Python's state would stay behind there. */
bool is_vfork_child(void);

/* This thread has left between these two. */
void leave_hook(void);

/* Of _thunks.c: whether this thread has jumped out of a hook, and must leave Python alone. */
bool has_left_hook(void);

#endif
