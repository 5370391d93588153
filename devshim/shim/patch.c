/* patch.c: puts the shim's wrappers into libraries that are bound to libc's functions already.
 *
 * A library calls open() through a slot that the dynamic loader fills with its address: for calls (JUMP_SLOT), for
 * function pointers (GLOB_DAT), or in a table of its data (an absolute address). Where a relocation names a function
 * that we export, and the slot still holds what the loader put there, the slot gets our wrapper's address. What a
 * program copied elsewhere before is not found. Libraries that are loaded later are looked at when the program asks for
 * their first symbol: dlopen() itself must see its real caller, whose search path counts. elf(5), ld.so(8). */
#include "patch.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "interposed.h"
#include "objects.h"

/* As for dlsym, see interposed.h. */
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver dlvsym, dlvsym@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver dlvsym, dlvsym@GLIBC_2.17");
#endif

struct patched {
    uintptr_t *slot;
    uintptr_t original, wrapper;
};

/* One pass at a time. Who finds one under way lets it go round once more instead of waiting: it may hold the loader's
 * own lock, which the pass needs. */
static int passing;
static bool once_more;

static struct patched *patched;
static size_t patched_count, patched_room;
static struct object ours, libc;
static unsigned long long seen_loads;
static bool active;
static int problem;

/* ---- Objects ------------------------------------------------------------------------------------ */

static int find_ours(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;
    if (covers(&object, (uintptr_t)&passing))
        ours = object;
    if (covers(&object, (uintptr_t)real.open))
        libc = object;
    return 0;
}

/* ---- Our own functions by name ------------------------------------------------------------------- */

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (const uint8_t *c = (const uint8_t *)name; *c; c++)
        hash = hash * 33 + *c;
    return hash;
}

/* The table that the linker made for the loader; its layout is that of glibc's elf/dl-lookup.c, as documented in the
 * System V ABI's GNU extension: four words, a Bloom filter, buckets, and chains whose last hash has its low bit set. */
static uintptr_t our_function(const char *name)
{
    const uint32_t *table = ours.hash;
    uint32_t buckets = table[0], first = table[1], words = table[2], shift = table[3], hash = gnu_hash(name);
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(table + 4);
    const uint32_t *bucket = (const uint32_t *)(bloom + words), *chain = bucket + buckets;
    enum { BITS = 8 * sizeof(ElfW(Addr)) };
    ElfW(Addr) word = bloom[hash / BITS % words];

    if (!(word >> (hash % BITS) & 1) || !(word >> ((hash >> shift) % BITS) & 1))
        return 0;
    uint32_t index = bucket[hash % buckets];
    if (index < first)
        return 0;
    for (;; index++) {
        uint32_t other = chain[index - first];
        const ElfW(Sym) *symbol = &ours.symbols[index];
        if ((other | 1) == (hash | 1) && strcmp(ours.names + symbol->st_name, name) == 0)
            return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC ? ours.base + symbol->st_value : 0;
        if (other & 1)
            return 0;
    }
}

uintptr_t own_function(const char *name)
{
    static bool looked;

    if (!__atomic_load_n(&looked, __ATOMIC_ACQUIRE)) {
        dl_iterate_phdr(find_ours, NULL); /* one at a time, by the loader's lock; the second finds what the first did */
        __atomic_store_n(&looked, true, __ATOMIC_RELEASE);
    }
    return ours.hash ? our_function(name) : 0;
}

static void *patched_dlsym(void *handle, const char *name);
static void *patched_dlvsym(void *handle, const char *name, const char *version);

static uintptr_t wrapper_of(const char *name)
{
    if (name[0] == 'd' && name[1] == 'l') {
        if (strcmp(name, "dlsym") == 0)
            return (uintptr_t)patched_dlsym;
        if (strcmp(name, "dlvsym") == 0)
            return (uintptr_t)patched_dlvsym;
    }
    return our_function(name);
}

/* ---- Slots --------------------------------------------------------------------------------------- */

static bool remember(uintptr_t *slot, uintptr_t original, uintptr_t wrapper)
{
    if (patched_count == patched_room) {
        size_t more = patched_room ? 2 * patched_room : 4096 / sizeof *patched;
        struct patched *grown = patched
            ? mremap(patched, patched_room * sizeof *patched, more * sizeof *patched, MREMAP_MAYMOVE)
            : real.mmap(NULL, more * sizeof *patched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (grown == MAP_FAILED)
            return false;
        patched = grown;
        patched_room = more;
    }
    patched[patched_count++] = (struct patched){ slot, original, wrapper };
    return true;
}

/* Only what the loader put there: libc's function, the object's own stub for what is not bound yet, or what the name
 * means to the whole program. Something else is somebody's own doing. */
static bool is_untouched(const struct object *object, uintptr_t value, const char *name, unsigned type)
{
    if (covers(&libc, value))
        return true;
    if (type == JUMP_SLOT && covers(object, value))
        return true;
    return value && value == (uintptr_t)dlsym(RTLD_DEFAULT, name);
}

static void patch_table(const struct object *object, const ElfW(Rela) *table, size_t size)
{
    for (size_t i = 0; i < size / sizeof *table; i++) {
        const ElfW(Rela) *entry = &table[i];
        unsigned type = (unsigned)ELF64_R_TYPE(entry->r_info);
        if (!is_slot(entry))
            continue;
        const char *name = name_of(object, entry);
        uintptr_t wrapper = wrapper_of(name);
        if (!wrapper)
            continue;
        uintptr_t *slot = (uintptr_t *)(object->base + entry->r_offset);
        uintptr_t value = __atomic_load_n(slot, __ATOMIC_RELAXED);
        if (value == wrapper || covers(&ours, value) || !is_untouched(object, value, name, type))
            continue;
        if (!remember(slot, value, wrapper) || !write_slot(object, slot, wrapper))
            problem = errno;
    }
}

/* libc and the loader call nothing of theirs through slots but malloc and its kin; the modules of the host's own stay
 * with libc. */
static bool is_left_alone(const struct object *object)
{
    const char *slash = object->name ? strrchr(object->name, '/') : NULL, *file = slash ? slash + 1 : "";

    return object->base == ours.base || object->base == libc.base || !object->symbols || !object->names
           || strncmp(file, "ld-linux", 8) == 0 || strncmp(file, "_channel.", 9) == 0
           || strncmp(file, "libdevshim", 10) == 0;
}

static int patch_object(struct dl_phdr_info *info, size_t size, void *loads)
{
    struct object object = look_at(info);
    (void)size;

    *(unsigned long long *)loads = info->dlpi_adds;
    if (!is_left_alone(&object))
        for (int i = 0; i < 2; i++)
            patch_table(&object, object.tables[i], object.sizes[i]);
    return 0;
}

static bool try_pass(void)
{
    int nobody = 0;
    return __atomic_compare_exchange_n(&passing, &nobody, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void end_pass(void)
{
    __atomic_store_n(&passing, 0, __ATOMIC_SEQ_CST);
}

static void patch_all(void)
{
    unsigned long long loads = 0;
    do {
        __atomic_store_n(&once_more, false, __ATOMIC_SEQ_CST);
        dl_iterate_phdr(patch_object, &loads);
        __atomic_store_n(&seen_loads, loads, __ATOMIC_RELEASE);
    } while (__atomic_load_n(&once_more, __ATOMIC_SEQ_CST));
}

/* Somebody may have asked for another round just as the last one was over, and found it not quite ended. */
static void pass_as_asked(void)
{
    while (__atomic_load_n(&once_more, __ATOMIC_SEQ_CST) && active && try_pass()) {
        if (active)
            patch_all();
        end_pass();
    }
}

static void look_for_new_libraries(void)
{
    unsigned long long loads = loads_so_far();

    if (loads == __atomic_load_n(&seen_loads, __ATOMIC_ACQUIRE))
        return;
    int before = errno;
    __atomic_store_n(&once_more, true, __ATOMIC_SEQ_CST);
    pass_as_asked();
    errno = before;
}

/* ---- dlsym --------------------------------------------------------------------------------------- */

/* RTLD_NEXT means "after the caller": these calls must be the last thing done here, so that the compiler makes jumps
 * of them and the caller stays who it is. */
static void *patched_dlsym(void *handle, const char *name)
{
    look_for_new_libraries();
    uintptr_t wrapper = active && handle != RTLD_NEXT ? wrapper_of(name) : 0;
    if (!wrapper)
        return dlsym(handle, name);
    uintptr_t found = (uintptr_t)dlsym(handle, name);
    return (void *)(covers(&libc, found) || found == (uintptr_t)dlsym(RTLD_DEFAULT, name) ? (found ? wrapper : 0) : found);
}

static void *patched_dlvsym(void *handle, const char *name, const char *version)
{
    look_for_new_libraries();
    uintptr_t wrapper = active && handle != RTLD_NEXT ? wrapper_of(name) : 0;
    if (!wrapper)
        return dlvsym(handle, name, version);
    uintptr_t found = (uintptr_t)dlvsym(handle, name, version);
    return (void *)(covers(&libc, found) ? wrapper : found);
}

/* ---- All of it, and back -------------------------------------------------------------------------- */

static void await_pass(void)
{
    while (!try_pass())
        sched_yield();
}

int patch_libraries(void)
{
    dl_iterate_phdr(find_ours, NULL);
    if (!ours.hash || !libc.base)
        return ENOEXEC;
    await_pass();
    problem = 0;
    active = true;
    patch_all();
    int error = problem;
    end_pass();
    pass_as_asked();
    if (error)
        unpatch_libraries();
    return error;
}

void patch_new_libraries(void)
{
    if (__atomic_load_n(&active, __ATOMIC_RELAXED))
        look_for_new_libraries();
    else
        patch_libraries();
}

/* The newest first: where a library went and another came to the same place, the older entry is void. */
static int unpatch_object(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;

    for (size_t i = patched_count; i-- > 0;) {
        struct patched *entry = &patched[i];
        if (covers(&object, (uintptr_t)entry->slot) && *entry->slot == entry->wrapper)
            write_slot(&object, entry->slot, entry->original);
    }
    return 0;
}

void unpatch_libraries(void)
{
    await_pass();
    if (active) {
        active = false;
        dl_iterate_phdr(unpatch_object, NULL);
        if (patched)
            munmap(patched, patched_room * sizeof *patched);
        patched = NULL;
        patched_count = patched_room = 0;
        seen_loads = 0;
    }
    end_pass();
}
