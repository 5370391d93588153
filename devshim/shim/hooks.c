/* hooks.c: functions of a program's libraries in whose place others are called (@hook).
 *
 * A program calls a library's function through a slot that the loader fills (patch.c says which). Where the slot leads to
 * the hooked function, or is still to be bound, it gets the address of the other one. The library itself, the interpreter
 * and its modules keep the original. elf(5). */
#include "hooks.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "connection.h"
#include "embed.h"
#include "interposed.h"
#include "jumps.h"
#include "objects.h"
#include "registry.h"

enum { MOST_HOOKS = 64, MOST_SLOTS = 1024 };

struct hooked {
    const char *name;
    uintptr_t original, replacement;
    struct object library;
};

struct changed {
    uintptr_t *slot, before, now;
};

static struct hooked hooks[MOST_HOOKS];
static struct changed changes[MOST_SLOTS];
static unsigned hook_count, change_count;
static unsigned long long seen_loads;
static int busy; /* one at a time */
static int problem;

static bool python_loads; /* this is a Python program: what it loads is the program's, though its interpreter loads it */

static void *looking_dlsym(void *handle, const char *name);
static void *python_s_dlsym(void *handle, const char *name);

static bool try_begin(void)
{
    int nobody = 0;
    return __atomic_compare_exchange_n(&busy, &nobody, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void end(void)
{
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

/* ---- Slots ------------------------------------------------------------------------------------------ */

/* What the interpreter brought along; the shim itself. */
static bool is_ours(const struct object *object)
{
    static const char *const parts[] = { "/libpython", "/libdevshim", "/libffi.so", ".abi3.", ".cpython-", "-packages/",
                                         "/ld-linux", "/libc.so" };
    for (size_t i = 0; object->name && i < sizeof parts / sizeof *parts; i++)
        if (strstr(object->name, parts[i]))
            return true;
    return !object->symbols || !object->names;
}

/* The program's interpreter and its modules, which load what is not theirs. */
static bool is_python(const struct object *object)
{
    return object->name && object->symbols && object->names
           && (strstr(object->name, "/libpython") || strstr(object->name, ".cpython-"));
}

/* Also while another thread adds one. */
static const struct hooked *hooked_as(const char *name)
{
    for (unsigned i = 0, count = __atomic_load_n(&hook_count, __ATOMIC_ACQUIRE); i < count; i++)
        if (strcmp(hooks[i].name, name) == 0)
            return &hooks[i];
    return NULL;
}

static void change(const struct object *object, uintptr_t *slot, uintptr_t now)
{
    if (change_count == MOST_SLOTS) {
        problem = ENOSPC;
        return;
    }
    changes[change_count++] = (struct changed){ slot, *slot, now };
    if (!write_slot(object, slot, now))
        problem = errno;
}

static void change_table(const struct object *object, const ElfW(Rela) *table, size_t size)
{
    for (size_t i = 0; i < size / sizeof *table; i++) {
        if (!is_slot(&table[i]))
            continue;
        uintptr_t *slot = (uintptr_t *)(object->base + table[i].r_offset), value = *slot;
        const char *name = name_of(object, &table[i]);
        const struct hooked *hook = hooked_as(name);
        if (hook && object->base != hook->library.base
            && (value == hook->original || covers(&hook->library, value)
                || (ELF64_R_TYPE(table[i].r_info) == JUMP_SLOT && covers(object, value)))) /* not bound yet */
            change(object, slot, hook->replacement);
        else if (!hook && strcmp(name, "dlsym") == 0 && value != (uintptr_t)looking_dlsym)
            change(object, slot, (uintptr_t)looking_dlsym);
    }
}

/* Python's own modules keep the library's functions, also those that they ask for by name. */
static void look_on_as_it_loads(const struct object *object, const ElfW(Rela) *table, size_t size)
{
    for (size_t i = 0; i < size / sizeof *table; i++) {
        uintptr_t *slot = (uintptr_t *)(object->base + table[i].r_offset);
        if (is_slot(&table[i]) && strcmp(name_of(object, &table[i]), "dlsym") == 0 && *slot != (uintptr_t)python_s_dlsym)
            change(object, slot, (uintptr_t)python_s_dlsym);
    }
}

static int change_object(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;

    for (int i = 0; i < 2; i++)
        if (!is_ours(&object))
            change_table(&object, object.tables[i], object.sizes[i]);
        else if (python_loads && is_python(&object))
            look_on_as_it_loads(&object, object.tables[i], object.sizes[i]);
    return 0;
}

/* ---- Hooks ------------------------------------------------------------------------------------------ */

static int find_library(struct dl_phdr_info *info, size_t size, void *hook)
{
    struct object object = look_at(info);
    (void)size;

    if (!covers(&object, ((struct hooked *)hook)->original))
        return 0;
    ((struct hooked *)hook)->library = object;
    return 1;
}

int hook(const char *name, const void *original, const void *replacement)
{
    struct hooked made = { .name = name, .original = (uintptr_t)original, .replacement = (uintptr_t)replacement };

    if (!dl_iterate_phdr(find_library, &made))
        return ENOENT;
    while (!try_begin())
        sched_yield();
    problem = hook_count == MOST_HOOKS || hooked_as(name) ? EEXIST : 0;
    if (!problem) {
        hooks[hook_count] = made;
        __atomic_store_n(&hook_count, hook_count + 1, __ATOMIC_RELEASE);
        seen_loads = loads_so_far();
        look_for_jumps();
        dl_iterate_phdr(change_object, NULL);
    }
    int error = problem;
    end();
    return error;
}

static int put_back(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;

    for (unsigned i = change_count; i-- > 0;)
        if (covers(&object, (uintptr_t)changes[i].slot) && *changes[i].slot == changes[i].now)
            write_slot(&object, changes[i].slot, changes[i].before);
    return 0;
}

bool hooks_are_there(void)
{
    return __atomic_load_n(&hook_count, __ATOMIC_ACQUIRE) > 0;
}

void hooks_with_first_open(void)
{
    int before = errno;

    if ((registry->flags & (REGISTRY_HOOKS | REGISTRY_IN_PROCESS)) == REGISTRY_HOOKS && !hooks_are_there()
        && !direct_host() && !in_borrowed_memory() && may_embed())
        embed_host();
    errno = before;
}

void unhook(void)
{
    while (!try_begin())
        sched_yield();
    if (hook_count)
        dl_iterate_phdr(put_back, NULL);
    __atomic_store_n(&hook_count, 0, __ATOMIC_RELEASE);
    change_count = 0;
    end();
}

/* There is no other thread here, and what one was at is not finished: let all be looked at again. */
void hooks_in_child(void)
{
    seen_loads = 0;
    end();
}

static void look_for_new_libraries(void)
{
    if (!hook_count || loads_so_far() == seen_loads || !try_begin())
        return;
    seen_loads = loads_so_far();
    look_for_jumps();
    dl_iterate_phdr(change_object, NULL);
    end();
}

/* RTLD_NEXT means "after the caller": a call of dlsym() must be the last thing done here, as in patch.c. */
static void *looking_dlsym(void *handle, const char *name)
{
    int before = errno;
    look_for_new_libraries();
    errno = before;
    const struct hooked *hook = hook_count && handle != RTLD_NEXT ? hooked_as(name) : NULL;
    if (!hook)
        return dlsym(handle, name);
    uintptr_t found = (uintptr_t)dlsym(handle, name);
    return (void *)(found == hook->original || covers(&hook->library, found) ? hook->replacement : found);
}

/* By this Python finds a module's first function, and ctypes any, in what it has just loaded. */
static void *python_s_dlsym(void *handle, const char *name)
{
    int before = errno;
    look_for_new_libraries();
    errno = before;
    return dlsym(handle, name);
}

/* ---- Before main() ---------------------------------------------------------------------------------- */

typedef int main_function(int argc, char **argv, char **envp);
typedef int start_function(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                           void (*loader_fini)(void), void *stack_end);

static main_function *their_main;
static start_function *their_start;

/* The names behind the patterns. */
static bool is_declared(const char *name)
{
    const char *at = registry_text(registry->declared);

    for (int lists = 0; lists < 2; lists++, at++)
        for (; *at; at += strlen(at) + 1)
            if (lists == 1 && strcmp(at, name) == 0)
                return true;
    return false;
}

/* Whether an object calls what is to be replaced, or may load something that does. */
static int calls_declared(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;

    for (int i = 0; i < 2 && !is_ours(&object); i++)
        for (size_t n = 0; n < object.sizes[i] / sizeof *object.tables[i]; n++) {
            const ElfW(Rela) *entry = &object.tables[i][n];
            const char *name = name_of(&object, entry);
            if (is_slot(entry) && (is_declared(name) || strcmp(name, "dlopen") == 0))
                return 1;
        }
    return 0;
}

static int main_with_host(int argc, char **argv, char **envp)
{
    if (!may_embed()) {
        python_loads = true;
        embed_host_with_python();
    } else if (dl_iterate_phdr(calls_declared, NULL)) {
        embed_host();
    }
    return their_main(argc, argv, envp);
}

static int start_with_host(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                           void (*loader_fini)(void), void *stack_end)
{
    their_main = main;
    return their_start(main_with_host, argc, argv, init, fini, loader_fini, stack_end);
}

/* The program itself comes first (dl_iterate_phdr(3)); its start code calls libc through a slot like any other. */
static int change_start(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;

    for (int i = 0; i < 2 && object.symbols && object.names; i++)
        for (size_t n = 0; n < object.sizes[i] / sizeof *object.tables[i]; n++) {
            const ElfW(Rela) *entry = &object.tables[i][n];
            if (!is_slot(entry) || strcmp(name_of(&object, entry), "__libc_start_main") != 0)
                continue;
            uintptr_t *slot = (uintptr_t *)(object.base + entry->r_offset);
            their_start = covers(&object, *slot) ? (start_function *)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main")
                                                 : (start_function *)*slot;
            write_slot(&object, slot, (uintptr_t)start_with_host);
        }
    return 1;
}

void host_before_main(void)
{
    dl_iterate_phdr(change_start, NULL);
}
