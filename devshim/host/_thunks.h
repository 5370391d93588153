/* _thunks.h: what a program calls in the place of a hooked function: it prepares the thread, and goes on to another. */
#ifndef DEVSHIM_HOST_THUNKS_H
#define DEVSHIM_HOST_THUNKS_H

#define MOST_THUNKS 256

/* A function that calls prepare() and goes on to replacement with all its arguments; the same one for the same
 * function, and then to the new replacement, because somebody may keep its address. NULL where there are too many. name:
 * for good. */
void *thunk_for(const char *name, const void *original, const void *replacement);

/* Of _direct.c: from now on this thread has a state for Python. Leaves errno. */
void prepare_thread(void);

#endif
