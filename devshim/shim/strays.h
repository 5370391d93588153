/* strays.h: descriptors of our own that are open during a call, and may be left behind there. */
#ifndef DEVSHIM_STRAYS_H
#define DEVSHIM_STRAYS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a call of this thread with that stack frame was left by a siglongjmp, seen from a frame of now: else we are
 * in a handler that interrupted it. */
bool left_behind(uintptr_t frame, uintptr_t here);

/* Remember a descriptor while its thread waits on it; what comes back goes to forget_stray() afterwards. *inode (or
 * NULL) is its st_ino, 0 where no account is kept of it. */
int remember_stray(int fd, uint64_t *inode);
void forget_stray(int stray);

/* Let fork children close what threads of their parents' have open meanwhile: it may become a carrier, whose last close
 * nobody would see as long as they live. Those of vfork execute a program or end, and those of a raw clone call sooner or
 * later. */
void close_strays_in_children(void);

/* Close those whose thread was cancelled, has died, or has left the call by a siglongjmp. Leaves errno alone. */
void close_strays(void);

#endif
