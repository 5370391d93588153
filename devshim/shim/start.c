/* start.c: finds libc's own functions and joins the run. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "connection.h"
#include "handles.h"
#include "hooks.h"
#include "image.h"
#include "interposed.h"
#include "memory.h"
#include "next.h"
#include "record.h"
#include "registry.h"
#include "strays.h"
#include "supervised.h"
#include "wrap_aio.h"
#include "wrap_process.h"
#include "wrap_stdio.h"

AT_START struct real_functions real;
AT_START bool started;

extern char **environ;

#define X(name) #name "\0"
static const char names[] = INTERPOSED(X);
#undef X

static void find_real_functions(void)
{
    find_next(names, (void **)&real);
#define X(name)                                                                                    \
    if (!real.name)                                                                                \
        real.name = (__typeof__(real.name))(uintptr_t)dlsym(RTLD_NEXT, #name);
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
        close_strays_in_children();
        end_calls_in_children();
        forget_requests_in_children();
        watch_inherited();
        adopt_standard_streams();
        if (registry->flags & REGISTRY_HOOKS)
            host_before_main();
    }
    errno = before;
}
