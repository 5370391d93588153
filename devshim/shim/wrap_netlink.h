/* wrap_netlink.h: sockets of uevents, for the wrappers that receive. */
#ifndef DEVSHIM_WRAP_NETLINK_H
#define DEVSHIM_WRAP_NETLINK_H

#include "handles.h"

/* The carrier of a descriptor that stands in for a netlink socket of uevents, or NULL. */
static inline const struct carrier *monitor_of(int fd)
{
    return answering(fd, DEVICE_MONITOR);
}

/* A message came on such a socket: who seems to have sent it. room: msg_namelen before the call. */
void receive_uevent(struct msghdr *message, socklen_t room, ssize_t got);

/* getsockname, getsockopt and setsockopt of such a socket. */
int monitor_name(int fd, struct sockaddr *address, socklen_t *size);
int monitor_option(int fd, int level, int option, void *value, socklen_t *size);
int set_monitor_option(int fd, int level, int option, const void *value, socklen_t size);

#endif
