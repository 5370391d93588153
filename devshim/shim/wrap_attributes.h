/* wrap_attributes.h: calls on a file's mode that libc has no name for yet. */
#ifndef DEVSHIM_WRAP_ATTRIBUTES_H
#define DEVSHIM_WRAP_ATTRIBUTES_H

#include <sys/types.h>

#ifndef SYS_fchmodat2 /* since Linux 6.6, on all machines */
#define SYS_fchmodat2 452
#endif

/* fchmodat2(2). */
int change_mode(int dirfd, const char *path, mode_t mode, int flags);

#endif
