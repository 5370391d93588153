/* _events.h: waits for descriptors, for who makes Python's types. */
#ifndef DEVSHIM_HOST_EVENTS_H
#define DEVSHIM_HOST_EVENTS_H

#include "_channel.h"

extern PyType_Spec Events_spec;

#endif
