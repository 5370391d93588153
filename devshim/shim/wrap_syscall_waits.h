/* wrap_syscall_waits.h: poll, select and epoll by their numbers. */
#ifndef DEVSHIM_WRAP_SYSCALL_WAITS_H
#define DEVSHIM_WRAP_SYSCALL_WAITS_H

#include <stdbool.h>

/* False where the number is none of these. */
bool call_on_wait(long number, const long arguments[6], long *result);

#endif
