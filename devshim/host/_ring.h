/* _ring.h: the ring of records, for the module that offers it to Python. */
#ifndef DEVSHIM_HOST_RING_H
#define DEVSHIM_HOST_RING_H

#include "_channel.h"

extern PyType_Spec Ring_spec;

#endif
