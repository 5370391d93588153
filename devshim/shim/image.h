/* image.h: memory of the program that is mapped for certain, and memory that is so for all that it does. */
#ifndef DEVSHIM_IMAGE_H
#define DEVSHIM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Find out where the program's own image lies, and where its heap begins; once, at the start, before anything allocates. */
void learn_image(void);

/* Whether all of it lies in the program's image, whose constants can be read and whose variables can be written. */
bool in_image(uintptr_t address, size_t size, bool to_write);
/* Whether all of it lies in the heap below the break. Pages there may be protected, so the kernel is to be asked. */
bool in_heap(uintptr_t address, size_t size);

/* The code in which a function lies holds on to the memory of its reads and writes until they return: an interpreter, which
 * counts references. */
void know_lender(const void *function);
bool is_lender(const void *caller);

#endif
