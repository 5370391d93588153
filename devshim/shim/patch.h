/* patch.h: puts the shim's wrappers into libraries that are bound to libc's functions already. */
#ifndef DEVSHIM_PATCH_H
#define DEVSHIM_PATCH_H

#include <stdint.h>

/* The address of the wrapper that this library exports under a name, or 0. */
uintptr_t own_function(const char *name);

/* Rewrite the slots of all loaded objects, now and whenever more are loaded. Returns 0 or an errno. */
int patch_libraries(void);

/* The same, at once if there are new ones, and for good. */
void patch_new_libraries(void);

/* Put back what was there, in what is still loaded. */
void unpatch_libraries(void);

#endif
