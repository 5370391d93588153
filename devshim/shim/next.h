/* next.h: what stands behind the shim under a name of libc's, looked up for many names in one go. */
#ifndef DEVSHIM_NEXT_H
#define DEVSHIM_NEXT_H

#include <stddef.h>

/* Store at found[i] what dlsym(RTLD_NEXT, name) finds for the i-th of the NUL-ended names, which an empty one ends. NULL stays
 * where this cannot tell: then dlsym() has to be asked. */
void find_next(const char *names, void **found);

#endif
