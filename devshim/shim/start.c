/* start.c: finds libc's own functions and joins the run. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "handles.h"
#include "hooks.h"
#include "image.h"
#include "interposed.h"
#include "memory.h"
#include "record.h"
#include "registry.h"
#include "supervised.h"
#include "wrap_process.h"
#include "wrap_stdio.h"

struct real_functions real;
bool started;

extern char **environ;

static void find_real_functions(void)
{
#define X(name) real.name = (__typeof__(real.name))(uintptr_t)dlsym(RTLD_NEXT, #name);
    INTERPOSED(X)
#undef X
}

__attribute__((constructor)) void start(void)
{
    if (started)
        return;
    int before = errno;
    if (!real.open)
        find_real_functions();
    if (environ) { /* a sanitizer's constructor comes before libc knows the environment: then not yet */
        started = true;
        map_registry();
    }
    if (registry) {
        announce_presence();
        start_recording();
        remember_environment();
        notice_memcheck(getenv("LD_PRELOAD"));
        learn_image();
        watch_inherited();
        adopt_standard_streams();
        if (registry->flags & REGISTRY_HOOKS)
            host_before_main();
    }
    errno = before;
}
