/* image.c: where the program's image and heap lie: its literals, variables and most of what it allocates.
 *
 * A program maps its image once, before it begins, and does not take it away under its own feet; so a copy from there
 * needs no help of the kernel, which takes five times as long as a whole read(2). */
#include "image.h"

#include <link.h>
#include <unistd.h>

#include "interposed.h"

enum { MOST = 8 };

static AT_START struct part {
    uintptr_t from, to;
    bool writable;
} parts[MOST];
static AT_START size_t count;
static AT_START uintptr_t heap;

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

/* ---- Who holds on to what it lends ------------------------------------------------------------------- */

static struct {
    uintptr_t from, size;
} lender;

static int find_code(struct dl_phdr_info *object, size_t size, void *function)
{
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t from = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        if (object->dlpi_phdr[i].p_flags & PF_X && (uintptr_t)function - from < object->dlpi_phdr[i].p_memsz) {
            lender.from = from;
            lender.size = object->dlpi_phdr[i].p_memsz;
            return 1;
        }
    }
    return 0;
}

void know_lender(const void *function)
{
    lender.size = 0;
    if (function)
        dl_iterate_phdr(find_code, (void *)(uintptr_t)function);
}

bool is_lender(const void *caller)
{
    return (uintptr_t)caller - lender.from < lender.size;
}

/* ---- Image and heap ---------------------------------------------------------------------------------- */

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
