/* patch.h: puts the shim's wrappers into libraries that are bound to libc's functions already. */
#ifndef DEVSHIM_PATCH_H
#define DEVSHIM_PATCH_H

/* Rewrite the slots of all loaded objects, now and whenever more are loaded. Returns 0 or an errno. */
int patch_libraries(void);

/* Put back what was there, in what is still loaded. */
void unpatch_libraries(void);

#endif
