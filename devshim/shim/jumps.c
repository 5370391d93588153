/* jumps.c: what keeps a thread in a call that is answered in this very process, until the answer is there.
 *
 * Two system calls for the mask cost more than the call itself, so only programs pay them that have a function to jump
 * with: then a signal waits for as long as a model takes. Waits in the kernel are not meant: they hold nothing. */
#include "jumps.h"

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "objects.h"

static bool jumps_happen;

static bool is_jump(const char *name)
{
    static const char *const jumps[] = { "siglongjmp", "longjmp", "_longjmp", "__longjmp_chk" };

    if (name[0] != 'l' && name[0] != 's' && (name[0] != '_' || (name[1] != 'l' && name[1] != '_')))
        return false; /* as most of the thousands are */
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++)
        if (strcmp(name, jumps[i]) == 0)
            return true;
    return false;
}

/* libc's own, and readline's, which jumps only while it waits for a key. */
static bool is_harmless(const struct object *object)
{
    return !object->symbols || !object->names || (object->name && strstr(object->name, "/libc.so"))
           || (object->name && strstr(object->name, "/libreadline.so"));
}

static int find_jump(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object object = look_at(info);
    (void)size;
    (void)unused;

    for (int i = 0; i < 2 && !is_harmless(&object); i++)
        for (size_t n = 0; n < object.sizes[i] / sizeof *object.tables[i]; n++)
            if (is_slot(&object.tables[i][n]) && is_jump(name_of(&object, &object.tables[i][n])))
                return 1;
    return 0;
}

void look_for_jumps(void)
{
    jumps_happen = dl_iterate_phdr(find_jump, NULL) != 0;
}

/* A fault in a model is still a crash, not a hang. */
static sigset_t all_but_faults(void)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
    sigset_t mask;

    sigfillset(&mask);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&mask, faults[i]);
    return mask;
}

struct staying stay(void)
{
    struct staying staying;
    staying.masked = jumps_happen;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &staying.cancelling);
    if (__builtin_expect(staying.masked, 0)) {
        sigset_t mask = all_but_faults();
        real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &staying.mask, 8ul);
    }
    return staying;
}

void may_leave(const struct staying *staying)
{
    pthread_setcancelstate(staying->cancelling, NULL);
    if (__builtin_expect(staying->masked, 0)) /* a handler may come, and not come back */
        real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &staying->mask, NULL, 8ul);
}
