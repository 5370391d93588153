/* wrap_inotify.h: reads of inotify descriptors that watch a directory in two places. */
#ifndef DEVSHIM_WRAP_INOTIFY_H
#define DEVSHIM_WRAP_INOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

extern bool may_watch; /* whether there may be inotify descriptors; mostly there are none */

/* read(2) on an ordinary descriptor where there may be some. */
ssize_t read_watches(int fd, void *buf, size_t size);

#endif
