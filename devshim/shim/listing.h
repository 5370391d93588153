/* listing.h: what a directory holds, real and plugged entries as one. */
#ifndef DEVSHIM_LISTING_H
#define DEVSHIM_LISTING_H

#include "paths.h"

/* What an open directory is: ROUTE_MERGED or ROUTE_TREE (then name is its path as the program knows it), else
 * ROUTE_REAL. An ordinary directory costs one fstat. Leaves errno alone. */
enum route_kind directory_at(int fd, char name[ROUTE_PATH]);

/* getdents64(2) on such a directory. The position is the descriptor's own, so dup and fork share it as ever. */
ssize_t list_directory(int fd, enum route_kind kind, const char *name, void *buffer, size_t size);

#endif
