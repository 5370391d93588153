/* supervised.c: what a program with the shim in it says to the supervisor of a run with the engine `seccomp`. Otherwise
 * both would answer the same call. */
#include "supervised.h"

#include <errno.h>
#include <link.h>
#include <sys/syscall.h>

#include "interposed.h"

static AT_START struct presence presence;

/* The loaded object that libc's syscall() lies in. */
static int find_libc(struct dl_phdr_info *object, size_t size, void *unused)
{
    uintptr_t inside = (uintptr_t)real.syscall;
    (void)size, (void)unused;

    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t low = object->dlpi_addr + part->p_vaddr, high = low + part->p_memsz;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) && low <= inside && inside < high) {
            presence.low = low;
            presence.high = high;
            return 1;
        }
    }
    return 0;
}

/* Its parent was there; here the kernel can be told. */
static void go_to_place(void)
{
    if (real.fcntl(PLACE_DESCRIPTOR, F_GETSIG) == PLACE_SIGNAL && real.syscall(SYS_fchdir, PLACE_DESCRIPTOR) == 0)
        real.syscall(SYS_close, PLACE_DESCRIPTOR);
}

bool is_supervised(void)
{
    return presence.mark[0] != 0;
}

void announce_presence(void)
{
#ifdef SYS_fstat
    int before = errno;

    if (real.syscall(SYS_fstat, PRESENCE_DESCRIPTOR, &presence) == 0 && dl_iterate_phdr(find_libc, NULL)) {
        const uint64_t mark[2] = PRESENCE_MARK;
        presence.mark[0] = mark[0];
        presence.mark[1] = mark[1];
        real.syscall(SYS_fstat, PRESENCE_DESCRIPTOR, &presence);
        go_to_place();
    }
    errno = before;
#else
    (void)find_libc;
#endif
}
