/* objects.h: the loaded program and its libraries, and the slots through which they call each other. elf(5). */
#ifndef DEVSHIM_OBJECTS_H
#define DEVSHIM_OBJECTS_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT, GLOB_DAT = R_X86_64_GLOB_DAT, ABSOLUTE = R_X86_64_64 };
#elif defined(__aarch64__)
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT, GLOB_DAT = R_AARCH64_GLOB_DAT, ABSOLUTE = R_AARCH64_ABS64 };
#else
#error "objects.c knows no relocations of this machine yet"
#endif

struct object {
    const char *name;
    uintptr_t base, low, high;          /* load address, and the addresses that it covers */
    uintptr_t relro, relro_end;         /* read-only once loaded */
    const ElfW(Phdr) *headers;
    unsigned count;
    const ElfW(Sym) *symbols;
    const char *names;
    const ElfW(Rela) *tables[2];        /* DT_RELA, DT_JMPREL */
    size_t sizes[2];
    const uint32_t *hash;               /* DT_GNU_HASH */
};

/* A loaded object, as dl_iterate_phdr() shows it. */
struct object look_at(const struct dl_phdr_info *info);

static inline bool covers(const struct object *object, uintptr_t address)
{
    return address >= object->low && address < object->high;
}

/* The kinds of relocation whose slot holds the address of a function and nothing else. */
static inline bool is_slot(const ElfW(Rela) *entry)
{
    unsigned type = (unsigned)ELF64_R_TYPE(entry->r_info);
    return type == JUMP_SLOT || type == GLOB_DAT || (type == ABSOLUTE && entry->r_addend == 0);
}

/* What the slot of a relocation is for. */
static inline const char *name_of(const struct object *object, const ElfW(Rela) *entry)
{
    return object->names + object->symbols[ELF64_R_SYM(entry->r_info)].st_name;
}

/* Put an address into a slot, which may be read-only by now. False with errno where that cannot be. */
bool write_slot(const struct object *object, uintptr_t *slot, uintptr_t value);

/* How many libraries were loaded so far; changes whenever one is. */
unsigned long long loads_so_far(void);

#endif
