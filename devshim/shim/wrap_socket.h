/* wrap_socket.h: devices are no sockets, though the carriers of some are. */
#ifndef DEVSHIM_WRAP_SOCKET_H
#define DEVSHIM_WRAP_SOCKET_H

#include <stdbool.h>

/* Whether to refuse a call for sockets; then errno is ENOTSOCK, as socket(7)'s calls have it on a device. */
bool no_socket(int fd);

#endif
