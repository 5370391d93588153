/* wrap_syscall.h: the wrappers by their system calls' numbers, for those who have a call only so. */
#ifndef DEVSHIM_WRAP_SYSCALL_H
#define DEVSHIM_WRAP_SYSCALL_H

/* As syscall(2): what the wrapper of that call returns, with errno. */
long call_by_number(long number, const long arguments[6]);

#endif
