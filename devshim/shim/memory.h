/* memory.h: copies from and to the program's memory that answer EFAULT instead of crashing it. */
#ifndef DEVSHIM_MEMORY_H
#define DEVSHIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Find out whether valgrind looks on; preload: the program's LD_PRELOAD. */
void notice_memcheck(const char *preload);

/* True when all was copied. Both leave errno alone. */
bool copy_from_target(void *to, uintptr_t from, size_t size);
/* The same for memory that a call of this thread is about, and that nobody unmaps until it returns: looked at first, then
 * copied by hand, for a third of the price. */
bool copy_in_use(void *to, uintptr_t from, size_t size);
bool copy_to_target(uintptr_t to, const void *from, size_t size);

#endif
