/* wrap_dlsym.c: the two ways past whatever was preloaded. A program that asks libc.so.6 itself, as ctypes.CDLL("libc.so.6")
 * does, JNA, P/Invoke and others, finds our wrapper for a name of ours. A library that is loaded with RTLD_DEEPBIND, as PHP's
 * extensions are, is bound to libc first: its slots are put right before anybody has its first symbol. */
#define LOOKS_UP_DLSYM
#include "interposed.h"
#include "patch.h"
#include "registry.h"

#ifdef __GLIBC__

#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
__asm__(".symver dlvsym, dlvsym@GLIBC_2.2.5");
#else
#define OLDEST "GLIBC_2.17"
__asm__(".symver dlvsym, dlvsym@GLIBC_2.17");
#endif

typedef void *look_up(void *restrict handle, const char *restrict name);

typedef void *load(const char *file, int mode);

/* Sanitizers look for their own functions with dlsym(), before they are set up. */
#define EARLY __attribute__((no_sanitize("thread")))

static look_up *libcs;
static load *libcs_dlopen;
static bool bound_deep; /* some library was loaded so */

static EARLY void __attribute__((noinline)) find_libcs(void)
{
    libcs_dlopen = (load *)(uintptr_t)dlvsym(RTLD_NEXT, "dlopen", OLDEST);
    libcs = (look_up *)(uintptr_t)dlvsym(RTLD_NEXT, "dlsym", OLDEST);
}

/* Where a library behind the shim stands in for the same name, that one may be asking: it has to find libc's. */
static EARLY void *__attribute__((noinline)) look_up_in(void *handle, const char *name)
{
    if (bound_deep && registry)
        patch_new_libraries();
    void *found = libcs(handle, name);
    if (!found || !registry)
        return found;
    uintptr_t wrapper = own_function(name);
    return wrapper && found == libcs(RTLD_NEXT, name) ? (void *)wrapper : found;
}

/* RTLD_NEXT means "after the caller", and a caller's search path counts: libc's own has to be the last thing called here, so
 * that the compiler makes a jump of it and the caller stays who it is. */
#define JUMPS __attribute__((optimize("optimize-sibling-calls")))

INTERPOSE EARLY JUMPS void *dlopen(const char *file, int mode)
{
    if (__builtin_expect(!libcs, 0))
        find_libcs();
    if (mode & RTLD_DEEPBIND)
        bound_deep = true;
    return libcs_dlopen(file, mode);
}

INTERPOSE EARLY JUMPS void *dlsym(void *restrict handle, const char *restrict name)
{
    if (__builtin_expect(!libcs, 0))
        find_libcs();
    if (handle == RTLD_NEXT || handle == RTLD_DEFAULT)
        return libcs(handle, name);
    return look_up_in(handle, name);
}

#endif
