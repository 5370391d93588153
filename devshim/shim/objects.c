/* objects.c: the loaded program and its libraries, and the slots through which they call each other. elf(5). */
#include "objects.h"

#include "interposed.h"

static uintptr_t size_of_page(void)
{
    static uintptr_t size;
    if (!size)
        size = (uintptr_t)sysconf(_SC_PAGESIZE);
    return size;
}

/* glibc has added the load address to these pointers, other loaders and the vdso have not. */
static uintptr_t address_of(const struct object *object, uintptr_t pointer)
{
    return pointer < object->base ? object->base + pointer : pointer;
}

static void look_at_dynamic(struct object *object, const ElfW(Dyn) *entry)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        uintptr_t at = address_of(object, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB: object->symbols = (const ElfW(Sym) *)at; break;
        case DT_STRTAB: object->names = (const char *)at; break;
        case DT_RELA: object->tables[0] = (const ElfW(Rela) *)at; break;
        case DT_RELASZ: object->sizes[0] = entry->d_un.d_val; break;
        case DT_JMPREL: object->tables[1] = (const ElfW(Rela) *)at; break;
        case DT_PLTRELSZ: object->sizes[1] = entry->d_un.d_val; break;
        case DT_GNU_HASH: object->hash = (const uint32_t *)at; break;
        }
    }
}

struct object look_at(const struct dl_phdr_info *info)
{
    const uintptr_t page_size = size_of_page();
    struct object object = { .name = info->dlpi_name, .base = info->dlpi_addr, .low = UINTPTR_MAX,
                             .headers = info->dlpi_phdr, .count = info->dlpi_phnum };

    for (unsigned i = 0; i < object.count; i++) {
        const ElfW(Phdr) *header = &object.headers[i];
        uintptr_t start = object.base + header->p_vaddr, end = start + header->p_memsz;
        if (header->p_type == PT_LOAD) {
            object.low = start < object.low ? start : object.low;
            object.high = end > object.high ? end : object.high;
        } else if (header->p_type == PT_GNU_RELRO) {
            object.relro = start & ~(page_size - 1);
            object.relro_end = end & ~(page_size - 1);
        }
    }
    for (unsigned i = 0; i < object.count; i++)
        if (object.headers[i].p_type == PT_DYNAMIC)
            look_at_dynamic(&object, (const ElfW(Dyn) *)(object.base + object.headers[i].p_vaddr));
    return object;
}

/* ---- Slots --------------------------------------------------------------------------------------- */

/* Whether a slot's page may be written to without more ado. */
static bool is_writable(const struct object *object, uintptr_t slot)
{
    if (slot >= object->relro && slot < object->relro_end)
        return false;
    for (unsigned i = 0; i < object->count; i++) {
        const ElfW(Phdr) *header = &object->headers[i];
        if (header->p_type == PT_LOAD && slot - (object->base + header->p_vaddr) < header->p_memsz)
            return header->p_flags & PF_W;
    }
    return false;
}

bool write_slot(const struct object *object, uintptr_t *slot, uintptr_t value)
{
    const uintptr_t page_size = size_of_page();
    bool writable = is_writable(object, (uintptr_t)slot);
    void *page = (void *)((uintptr_t)slot & ~(page_size - 1));

    if (!writable && mprotect(page, page_size, PROT_READ | PROT_WRITE) < 0)
        return false;
    __atomic_store_n(slot, value, __ATOMIC_RELEASE);
    if (!writable)
        mprotect(page, page_size, PROT_READ);
    return true;
}

/* ---- Loads --------------------------------------------------------------------------------------- */

static int count_loads(struct dl_phdr_info *info, size_t size, void *loads)
{
    (void)size;
    *(unsigned long long *)loads = info->dlpi_adds;
    return 1;
}

unsigned long long loads_so_far(void)
{
    unsigned long long loads = 0;

    dl_iterate_phdr(count_loads, &loads);
    return loads;
}
