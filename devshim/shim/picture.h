/* picture.h: what is plugged is laid out below /sys and /run only once somebody looks there. */
#ifndef DEVSHIM_PICTURE_H
#define DEVSHIM_PICTURE_H

#include <string.h>

#include "registry.h"

/* Have the host lay it out. Leaves errno alone. */
void ask_for_picture(void);

/* A path, absolute and of the program's view, is about to be followed. */
static inline void before_following(const char *path, size_t length)
{
    if (__builtin_expect(registry->flags & REGISTRY_PENDING, 0) && length >= 4
        && (memcmp(path, "/sys", 4) == 0 || memcmp(path, "/run", 4) == 0) && (length == 4 || path[4] == '/'))
        ask_for_picture();
}

#endif
