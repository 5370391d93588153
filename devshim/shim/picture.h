/* picture.h: what is plugged is laid out below /sys and /run, and told in /proc, only once somebody looks there. */
#ifndef DEVSHIM_PICTURE_H
#define DEVSHIM_PICTURE_H

#include <stdbool.h>
#include <string.h>

#include "registry.h"

/* Have the host lay it out. Leaves errno alone. */
void ask_for_picture(void);

/* Whether a name below /proc is one of those that tell of drivers: devices, misc, tty/drivers. */
bool tells_of_drivers(const char *name, size_t length);

static inline bool is_left_for_later(const char *path, size_t length)
{
    if (length < 4 || path[0] != '/')
        return false;
    if (path[1] == 'p')
        return length > 6 && memcmp(path, "/proc/", 6) == 0 && tells_of_drivers(path + 6, length - 6);
    return (memcmp(path, "/sys", 4) == 0 || memcmp(path, "/run", 4) == 0) && (length == 4 || path[4] == '/');
}

/* A path, absolute and of the program's view, is about to be followed. */
static inline void before_following(const char *path, size_t length)
{
    if (__builtin_expect(registry->flags & REGISTRY_PENDING, 0) && is_left_for_later(path, length))
        ask_for_picture();
}

#endif
