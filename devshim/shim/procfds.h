/* procfds.h: descriptors as /proc shows them, those of other processes too: links that lead to carriers. */
#ifndef DEVSHIM_PROCFDS_H
#define DEVSHIM_PROCFDS_H

#include "paths.h"

/* The slow half of leads_to_carrier(). */
bool link_leads_to_carrier(int dirfd, const char *path, const struct stat *status, struct route *out);

/* Ptys and sockets are carriers. */
static inline bool may_be_a_carriers(mode_t mode)
{
    return S_ISCHR(mode) || S_ISSOCK(mode);
}

/* The kernel followed a path to this. Whether it is a carrier, and the path one of /proc's links to a descriptor: then out
 * is its device. Costs nothing but for ptys and sockets. Leaves errno alone. */
static inline bool leads_to_carrier(int dirfd, const char *path, const struct stat *status, struct route *out)
{
    return may_be_a_carriers(status->st_mode) && link_leads_to_carrier(dirfd, path, status, out);
}

/* The same for what readlink() said: its text names a pty or a socket. */
bool text_leads_to_carrier(int dirfd, const char *path, const char *text, ssize_t length, struct route *out);

/* A path was opened that may be one of /proc's links: the new descriptor may then stand for a device. */
void note_descriptor_link(int fd, const char *path);

#endif
