/* opening.h: paths whose opening a model file answers itself, wherever they lie (@opening). */
#ifndef DEVSHIM_OPENING_H
#define DEVSHIM_OPENING_H

#include "handles.h"

/* Whether there is any such path. */
static inline bool openings_declared(void)
{
    START_ONCE();
    return registry && __builtin_expect(registry->flags & REGISTRY_OPENINGS, 0);
}

/* Where openings_declared(): whether a path's opening was answered; *fd is then what open() returns, with errno. False:
 * open it as ever; errno stays. */
bool take_opening(int dirfd, const char *path, int flags, mode_t mode, int *fd);

/* The path behind a carrier that came of this in this process, if it is one of the latest; or NULL. */
const char *opened_path(const struct carrier *carrier);

#endif
