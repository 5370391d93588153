/* image.c: where the program's image and heap lie: its literals, variables and most of what it allocates.
 *
 * A program maps its image once, before it begins, and does not take it away under its own feet; so a copy from there
 * needs no help of the kernel, which takes five times as long as a whole read(2). */
#include "image.h"

#include <link.h>
#include <unistd.h>

enum { MOST = 8 };

static struct part {
    uintptr_t from, to;
    bool writable;
} parts[MOST];
static size_t count;
static uintptr_t heap;

static void add(uintptr_t from, uintptr_t to, bool writable)
{
    if (count < MOST && from < to)
        parts[count++] = (struct part){ from, to, writable };
}

/* The first object is the program. What the loader has made constant after relocation (PT_GNU_RELRO) is left out of
 * the part in whose beginning it lies. */
static int learn(struct dl_phdr_info *object, size_t size, void *unused)
{
    uintptr_t constant_to = 0;
    (void)size, (void)unused;

    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_GNU_RELRO)
            constant_to = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr + object->dlpi_phdr[i].p_memsz;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + part->p_vaddr, to = from + part->p_memsz;
        if (part->p_type == PT_LOAD && part->p_flags & PF_R)
            add(from < constant_to && constant_to <= to ? constant_to : from, to, part->p_flags & PF_W);
    }
    return 1;
}

void learn_image(void)
{
    heap = (uintptr_t)sbrk(0);
    dl_iterate_phdr(learn, NULL);
}

bool in_image(uintptr_t address, size_t size, bool to_write)
{
    for (size_t i = 0; i < count; i++)
        if (address - parts[i].from < parts[i].to - parts[i].from)
            return size <= parts[i].to - address && (parts[i].writable || !to_write);
    return false;
}

bool in_heap(uintptr_t address, size_t size)
{
    if (!heap || address < heap)
        return false;
    uintptr_t end = (uintptr_t)sbrk(0);
    return address < end && size <= end - address;
}
