/* wrap_places.h: the calls of wrap_places.c by their numbers. */
#ifndef DEVSHIM_WRAP_PLACES_H
#define DEVSHIM_WRAP_PLACES_H

#include <stdbool.h>

/* syscall(2) with the number of one of these calls. False where it is none of them. */
bool call_on_place(long number, const long arguments[6], long *result);

#endif
