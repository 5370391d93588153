/* hooks.h: functions of a program's libraries in whose place others are called (@hook). */
#ifndef DEVSHIM_HOOKS_H
#define DEVSHIM_HOOKS_H

/* See to it that the host is in this process before main() begins. Called by start(), where hooks are declared. */
void host_before_main(void);

/* Have whoever calls a library's function through a slot call another one; in what is loaded now, and in what is loaded
 * later as soon as the program asks for a symbol of it. Returns 0 or an errno. name: kept as it is. */
int hook(const char *name, const void *original, const void *replacement);

/* Put back all that was there. */
void unhook(void);

#endif
