/* direct.c: joins a run whose host is in this process, and leaves it again.
 *
 * The channel's slots serve here as well, in memory of our own; only the conversation is a function call. A fork child
 * does not get the page that says so (channel.c) and becomes an ordinary target of this process. */
#include "direct.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#include "connection.h"
#include "handles.h"
#include "hooks.h"
#include "image.h"
#include "interposed.h"
#include "patch.h"
#include "paths.h"
#include "record.h"
#include "wrap_process.h"
#include "wrap_stdio.h"

#define HOST_THREADS 2

/* Not 0 while this thread serves a call or was told to stand aside. A signal handler that comes in between finds it
 * set, and gets EBUSY where it wants a device: the interpreter is in the middle of something. */
static __thread int aside_now __attribute__((tls_model("initial-exec")));

static pthread_t host_threads[HOST_THREADS];
static bool host_thread_known[HOST_THREADS];

bool stands_aside(void)
{
    if (aside_now)
        return true;
    for (unsigned i = 0; i < HOST_THREADS; i++)
        if (__atomic_load_n(&host_thread_known[i], __ATOMIC_ACQUIRE) && pthread_equal(host_threads[i], pthread_self()))
            return direct_host() != NULL;
    return false;
}

static void host_thread(unsigned which, unsigned long thread)
{
    if (which >= HOST_THREADS)
        return;
    host_threads[which] = (pthread_t)thread;
    __atomic_store_n(&host_thread_known[which], true, __ATOMIC_RELEASE);
}

int step_aside(int now)
{
    int before = aside_now;
    aside_now = now;
    return before;
}

int host_s_descriptor(int first, int last)
{
    const struct direct *direct = direct_host();
    if (__builtin_expect(!direct, 1) || !direct->own_descriptor || stands_aside())
        return -1;
    for (unsigned i = 0; i < HOST_THREADS; i++)
        if (!__atomic_load_n(&host_thread_known[i], __ATOMIC_ACQUIRE)) /* this may be one, which closes what is its own */
            return -1;
    return direct->own_descriptor(first, last);
}

void serve_directly(const struct direct *direct, struct slot *slot, uint8_t *room, uint32_t most)
{
    int before = errno;
    struct staying staying = stay();

    aside_now++;
    direct->serve(direct->host, slot, room, most);
    aside_now--;
    may_leave(&staying);
    errno = before;
}

int begin_wait(struct wait *wait)
{
    *wait = (struct wait){ .direct = direct_host() };
    if (__builtin_expect(!wait->direct, 1))
        return 0;
    if (wait->direct->locked(wait->direct->host)) {
        wait->direct = NULL;
        return EDEADLK;
    }
    wait->kept = wait->direct->let_go(wait->direct->host);
    return 0;
}

void end_wait(const struct wait *wait)
{
    if (!wait->kept)
        return;
    int before = errno;
    wait->direct->take_again(wait->direct->host, wait->kept);
    errno = before;
}

static int attach(const char *run, const char *preload, const struct direct *direct, bool patch)
{
    if (direct->size != sizeof *direct)
        return EPROTO;
    start();
    forget_guesses();
    if (!lend_registry(run))
        return errno ? errno : EPROTO;
    if (!converse_in_process(direct)) {
        int error = errno;
        give_back_registry();
        return error;
    }
    look_for_jumps();
    know_lender(direct->interpreter);
    if (preload)
        remember_environment_as(preload);
    start_recording_again();
    watch_inherited();
    int error = patch ? patch_libraries() : 0;
    if (error) {
        converse_in_process(NULL);
        forget_environment();
        give_back_registry();
    }
    return error;
}

/* Other threads may be in the middle of a wrapper: nothing that they look at goes away, it only becomes empty. */
static void detach(void)
{
    unhook();
    unpatch_libraries();
    forget_environment();
    converse_in_process(NULL);
    forget_guesses();
    give_back_registry();
    for (unsigned i = 0; i < HOST_THREADS; i++)
        host_thread_known[i] = false;
}

static void *real_function(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void stay_here(struct staying *staying)
{
    *staying = stay();
}

static const struct direct_shim lent = {
    .size = sizeof lent, .attach = attach, .detach = detach, .host_thread = host_thread, .aside = step_aside,
    .real = real_function, .hook = hook, .unhook = unhook,
    .hooks_in_child = hooks_in_child, .stay = stay_here, .may_leave = may_leave,
    .in_borrowed_memory = in_borrowed_memory,
};

INTERPOSE const struct direct_shim *devshim_direct(void);
INTERPOSE const struct direct_shim *devshim_direct(void)
{
    return &lent;
}
