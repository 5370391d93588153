/* next.c: finds libc's own functions in the tables of the libraries behind the shim, which takes dlsym(RTLD_NEXT) six times as
 * long. Each program that is executed pays for it.
 *
 * Calls nothing: sanitizers stand in for what could help here, and are not set up yet when they come by. Formats: elf(5); "ELF
 * Handling of Symbol Versioning"; DT_GNU_HASH as binutils writes it. */
#include "next.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#include "interposed.h"

#define HIDDEN __attribute__((visibility("hidden")))
enum { NOT_THE_DEFAULT = 0x8000 }; /* the bit of a version that only those who name it get */

/* Made by the linker. */
extern HIDDEN ElfW(Dyn) _DYNAMIC[];
extern HIDDEN const char __ehdr_start[];

struct tables {
    uintptr_t base;
    const ElfW(Sym) *symbols;
    const char *texts;
    const uint16_t *versions; /* NULL: none */
    const ElfW(Addr) *bloom;
    const uint32_t *buckets, *chains; /* chains: as if from symbol 0 on */
    uint32_t bucket_count, bloom_count, bloom_shift;
};

/* glibc has added the base already, but not in what it cannot write to. */
static uintptr_t address(const ElfW(Dyn) *entry, uintptr_t base)
{
    return entry->d_un.d_ptr + (entry->d_un.d_ptr < base ? base : 0);
}

/* What the dynamic linker leaves at the second place of DT_PLTGOT, for the first call of each function ("Procedure Linkage
 * Table" in the psABI of x86-64 and of AArch64). NULL where all was bound at once: then nothing is there. */
static const struct link_map *own_map(void)
{
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_PLTGOT) {
            const struct link_map *map = ((void *const *)address(entry, (uintptr_t)__ehdr_start))[1];
            return map && map->l_ld == _DYNAMIC ? map : NULL;
        }
#endif
    return NULL;
}

/* False where a library's names are listed in some other way. */
static bool read_tables(const struct link_map *map, struct tables *tables)
{
    const uint32_t *hashes = NULL;
    *tables = (struct tables){ .base = map->l_addr };

    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        uintptr_t at = address(entry, map->l_addr);
        switch (entry->d_tag) {
        case DT_SYMTAB: tables->symbols = (const ElfW(Sym) *)at; break;
        case DT_STRTAB: tables->texts = (const char *)at; break;
        case DT_VERSYM: tables->versions = (const uint16_t *)at; break;
        case DT_GNU_HASH: hashes = (const uint32_t *)at; break;
        }
    }
    if (!hashes || !tables->symbols || !tables->texts || !hashes[0] || !hashes[2])
        return false;
    tables->bucket_count = hashes[0];
    tables->bloom_count = hashes[2];
    tables->bloom_shift = hashes[3];
    tables->bloom = (const ElfW(Addr) *)(hashes + 4);
    tables->buckets = (const uint32_t *)(tables->bloom + tables->bloom_count);
    tables->chains = tables->buckets + tables->bucket_count - hashes[1];
    return true;
}

static bool same(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return *one == *other;
}

static bool is_default(const struct tables *tables, uint32_t symbol)
{
    const ElfW(Sym) *entry = &tables->symbols[symbol];
    return entry->st_shndx != SHN_UNDEF && ELF64_ST_BIND(entry->st_info) != STB_LOCAL
           && !(tables->versions && (tables->versions[symbol] == VER_NDX_LOCAL || tables->versions[symbol] & NOT_THE_DEFAULT));
}

/* The symbol that a library exports under a name, or NULL. */
static const ElfW(Sym) *find(const struct tables *tables, const char *name, uint32_t hash)
{
    enum { BITS = 8 * sizeof(ElfW(Addr)) };
    ElfW(Addr) word = tables->bloom[hash / BITS % tables->bloom_count];

    if (!(word >> hash % BITS & word >> (hash >> tables->bloom_shift) % BITS & 1))
        return NULL;
    uint32_t symbol = tables->buckets[hash % tables->bucket_count];
    if (!symbol)
        return NULL;
    for (;; symbol++) {
        uint32_t theirs = tables->chains[symbol];
        if ((theirs | 1) == (hash | 1) && same(name, tables->texts + tables->symbols[symbol].st_name)
            && is_default(tables, symbol))
            return &tables->symbols[symbol];
        if (theirs & 1)
            return NULL;
    }
}

void find_next(const char *names, void **found)
{
    const struct link_map *map = own_map();
    struct tables tables;

    for (map = map ? map->l_next : NULL; map && read_tables(map, &tables); map = map->l_next) {
        bool all = true;
        void **slot = found;
        for (const char *name = names; *name; slot++) {
            uint32_t hash = 5381;
            const char *start = name;
            for (; *name; name++)
                hash = hash * 33 + (uint8_t)*name;
            name++;
            const ElfW(Sym) *symbol = *slot ? NULL : find(&tables, start, hash);
            if (symbol && ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
                return; /* to be computed */
            if (symbol)
                *slot = (void *)(tables.base + symbol->st_value);
            all &= *slot != NULL;
        }
        if (all)
            return;
    }
}
