/* wrap_socket.h: devices are no sockets, though the carriers of some are. */
#ifndef DEVSHIM_WRAP_SOCKET_H
#define DEVSHIM_WRAP_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether to refuse a call for sockets; then errno is ENOTSOCK, as socket(7)'s calls have it on a device. */
bool no_socket(int fd);

/* Whether a socket's address is the path of a plugged node. */
bool names_device(const struct sockaddr *address, socklen_t length);

/* syscall(2) with the number of one of these calls. False where it is none of them. */
bool call_on_socket(long number, const long arguments[6], long *result);

#endif
