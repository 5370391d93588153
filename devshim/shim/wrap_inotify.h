/* wrap_inotify.h: reads of inotify descriptors that watch a directory in two places. */
#ifndef DEVSHIM_WRAP_INOTIFY_H
#define DEVSHIM_WRAP_INOTIFY_H

#include <sys/types.h>

extern unsigned second_watches; /* how many there are; mostly none */

/* read(2) on an ordinary descriptor while there are some. */
ssize_t read_watches(int fd, void *buf, size_t size);

#endif
