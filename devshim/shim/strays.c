/* strays.c: descriptors of our own that are open during a call. A cancelled thread or a siglongjmp leaves them
 * open; the next call that needs one closes them. An inode tells that a number still is what it was. */
#include "strays.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "handles.h"
#include "interposed.h"

enum { STRAYS = 64, CLAIMED = 1 << 30 };

/* The kernel puts more than this on the stack for a signal, on every machine: so much nearer is no handler's frame. */
enum { SIGNAL_FRAME = 512 };

static struct stray {
    uint32_t owner; /* thread; 0: nobody */
    int fd;
    uint64_t inode;
    uintptr_t frame;
} strays[STRAYS];

static bool on_signal_stack(const stack_t *stack, uintptr_t address)
{
    return !(stack->ss_flags & SS_DISABLE) && address - (uintptr_t)stack->ss_sp < stack->ss_size;
}

/* After a siglongjmp the frame of the call that it left lies not above ours any more. */
bool left_behind(uintptr_t frame, uintptr_t here)
{
    stack_t stack;

    if (sigaltstack(NULL, &stack) < 0)
        return false;
    bool ours = on_signal_stack(&stack, here), theirs = on_signal_stack(&stack, frame);
    return ours == theirs ? frame <= here : theirs;
}

static uint64_t inode_of(int fd)
{
    struct stat status;
    return status_of_carrier(fd, &status) == 0 ? status.st_ino : 0;
}

/* What is known of an entry is not to be read back from it: threads of the parent take a vfork child's for a dead thread's. */
int remember_stray(int fd, uint64_t *inode)
{
    uint32_t own = (uint32_t)real.syscall(SYS_gettid);

    for (int i = 0; i < STRAYS; i++) {
        struct stray *stray = &strays[i];
        uint32_t nobody = 0;
        if (!__atomic_compare_exchange_n(&stray->owner, &nobody, own | CLAIMED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        stray->fd = fd;
        stray->inode = inode_of(fd);
        if (inode)
            *inode = stray->inode;
        stray->frame = (uintptr_t)__builtin_frame_address(0);
        __atomic_store_n(&stray->owner, own, __ATOMIC_RELEASE);
        return i;
    }
    if (inode)
        *inode = 0;
    return -1; /* more wait than we keep account of: theirs would stay open */
}

void forget_stray(int stray)
{
    if (stray >= 0)
        __atomic_store_n(&strays[stray].owner, 0, __ATOMIC_RELEASE);
}

static bool is_stray(const struct stray *stray, uint32_t owner, uint32_t own, pid_t process)
{
    if (owner == own)
        return left_behind(stray->frame, (uintptr_t)__builtin_frame_address(0) + SIGNAL_FRAME);
    return real.syscall(SYS_tgkill, process, owner, 0) < 0 && errno == ESRCH;
}

void close_strays_in_children(void)
{
    pthread_atfork(NULL, NULL, close_strays);
}

void close_strays(void)
{
    int before = errno;
    uint32_t own = 0;
    pid_t process = 0;

    for (int i = 0; i < STRAYS; i++) {
        struct stray *stray = &strays[i];
        uint32_t owner = __atomic_load_n(&stray->owner, __ATOMIC_ACQUIRE);
        if (owner == 0 || owner & CLAIMED)
            continue;
        if (!own) {
            own = (uint32_t)real.syscall(SYS_gettid);
            process = (pid_t)real.syscall(SYS_getpid);
        }
        if (!is_stray(stray, owner, own, process)
            || !__atomic_compare_exchange_n(&stray->owner, &owner, own | CLAIMED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        if (inode_of(stray->fd) == stray->inode)
            real.syscall(SYS_close, stray->fd);
        __atomic_store_n(&stray->owner, 0, __ATOMIC_RELEASE);
    }
    errno = before;
}
