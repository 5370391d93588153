/* hooks.h: functions of a program's libraries in whose place others are called (@hook). */
#ifndef DEVSHIM_HOOKS_H
#define DEVSHIM_HOOKS_H

#include <stdbool.h>

/* See to it that the host is in this process before main() begins. Called by start(), where hooks are declared. */
void host_before_main(void);

/* Have whoever calls a library's function through a slot call another one; in what is loaded now, and in what is loaded
 * later as soon as the program asks for a symbol of it. Returns 0 or an errno. name: kept as it is. */
int hook(const char *name, const void *original, const void *replacement);

bool hooks_are_there(void);

/* In a run whose host is elsewhere: a program whose Python was started in another way than as python3 gets its hooks when it
 * opens something of the run's. */
void hooks_with_first_open(void);

/* Put back all that was there. */
void unhook(void);

/* In a fork child, which keeps its hooks. */
void hooks_in_child(void);

#endif
