/* memory.c: copies from and to the program's memory.
 *
 * The kernel answers a bad pointer with EFAULT; a memcpy would kill the program. process_vm_readv on oneself
 * does it as the kernel does, for 0.3 us. What lies in the calling thread's own live stack, or in the program's image,
 * is mapped for certain, and copied directly. */
#include "memory.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#include "connection.h"
#include "image.h"
#include "interposed.h"
#include "remote.h"

#define MAIN_STACK (8u << 20)   /* how far below its top the main thread's stack is taken to reach */
#define OTHER_STACK (64u << 10) /* a thread's; glibc's smallest is 16 KiB, what lies above is its own too */

extern void *__libc_stack_end __attribute__((weak)); /* glibc's; without it the kernel copies all */

/* Under valgrind, which follows a memcpy only: what the kernel has copied for us counts as defined on our side,
 * not on the program's; and what the host writes into shared memory must not inherit the program's undefined bytes. */
static AT_START bool memcheck;

/* The end of a thread's own memory: glibc's thread descriptor, to which pthread_self() points, lies above
 * its stack. Elsewhere 0: the kernel copies. */
static uintptr_t thread_top(void)
{
#ifdef __GLIBC__
    return (uintptr_t)pthread_self();
#else
    return 0;
#endif
}

/* Everything between the stack pointer and the stack's top is live. */
static bool in_own_stack(uintptr_t address, size_t size)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t top = &__libc_stack_end ? (uintptr_t)__libc_stack_end : 0;

    if (address < here || address + size < address)
        return false;
    if (here < top && top - here < MAIN_STACK)
        return address + size <= top;
    top = thread_top();
    return here < top && top - here < OTHER_STACK && address + size <= top;
}

/* ---- Quicker, where the model answers in this very process, for recordings, and on the heap ---- */

enum { PROBED_SIZE = 4096, KERNEL_MASK = 8 };
enum fits { UNKNOWN, FITS, FAULTS };

/* A signal mask is copied in before anything else is looked at, such as that there is no way -1 of applying it. */
static enum fits is_readable(uintptr_t address)
{
    if (real.syscall(SYS_rt_sigprocmask, -1, address & ~7ul, NULL, 8ul) >= 0)
        return UNKNOWN;
    return errno == EINVAL ? FITS : errno == EFAULT ? FAULTS : UNKNOWN;
}

/* A futex operation that changes its word by "or 0": written to, and as it was, also for other threads. */
static enum fits is_writable(uintptr_t address)
{
    static uint32_t nobody_waits_here;
    long nothing = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_LT, 0);

    if (real.syscall(SYS_futex, &nobody_waits_here, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0l, 0l, address & ~3ul, nothing) >= 0)
        return FITS;
    return errno == EFAULT ? FAULTS : UNKNOWN;
}

/* The signal mask goes there: half as long a way, for memory that is overwritten anyway. */
static enum fits takes_mask(uintptr_t address)
{
    if (real.syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, address, (long)KERNEL_MASK) >= 0)
        return FITS;
    return errno == EFAULT ? FAULTS : UNKNOWN;
}

/* Asks the kernel about the pages at both ends and then copies by hand: a third of what it takes to let the kernel copy.
 * A thread that unmaps its own buffer in the middle of the call would crash, which the other way tells it nicely; calls in
 * the same process are worth it. */
static bool copy_after_probe(enum fits (*probe)(uintptr_t), size_t probed, uintptr_t theirs, void *to, const void *from,
                             size_t size, bool *done)
{
    int before = errno;
    if (size == 0 || size > PROBED_SIZE || theirs + size < theirs)
        return false;
    enum fits fits = probe(theirs);
    if (fits == FITS && (theirs ^ (theirs + size - 1)) & ~(uintptr_t)(PROBED_SIZE - 1))
        fits = probe(theirs + size - probed);
    errno = before;
    if (fits == FITS)
        memcpy(to, from, size);
    *done = fits == FITS;
    return fits != UNKNOWN;
}

static bool copy(long number, uintptr_t theirs, void *ours, size_t size)
{
    int before = errno;
    struct iovec local = { ours, size }, remote = { (void *)theirs, size };
    ssize_t copied = real.syscall(number, getpid(), &local, 1ul, &remote, 1ul, 0ul);
    bool unavailable = copied < 0 && (errno == ENOSYS || errno == EPERM);

    errno = before;
    if (unavailable) { /* a sandbox forbids it: then a bad pointer does what it does to any memcpy */
        if (number == SYS_process_vm_readv)
            memcpy(ours, (const void *)theirs, size);
        else
            memcpy((void *)theirs, ours, size);
        return true;
    }
    return copied == (ssize_t)size;
}

void notice_memcheck(const char *preload)
{
    memcheck = preload && strstr(preload, "vgpreload_memcheck");
}

bool copy_from_target(void *to, uintptr_t from, size_t size)
{
    if (__builtin_expect(remote != NULL, 0))
        return remote->theirs ? copy_from_remote(to, from, size) : memcpy(to, (const void *)from, size) == to;
    if (!memcheck && (in_own_stack(from, size) || in_image(from, size, false))) {
        memcpy(to, (const void *)from, size);
        return true;
    }
    bool done;
    if (!memcheck && (direct_host() || in_heap(from, size))
        && copy_after_probe(is_readable, 1, from, to, (const void *)from, size, &done))
        return done;
    return size == 0 || copy(SYS_process_vm_readv, from, to, size);
}

bool copy_in_use(void *to, uintptr_t from, size_t size)
{
    bool done;
    if (!remote && !memcheck && !in_own_stack(from, size) && copy_after_probe(is_readable, 1, from, to, (const void *)from, size, &done))
        return done;
    return copy_from_target(to, from, size);
}

bool copy_to_target(uintptr_t to, const void *from, size_t size)
{
    if (__builtin_expect(remote != NULL, 0))
        return remote->theirs ? copy_to_remote(to, from, size) : memcpy((void *)to, from, size) == (void *)to;
    if (in_own_stack(to, size) || (!memcheck && in_image(to, size, true))) {
        memcpy((void *)to, from, size);
        return true;
    }
    if (size == 0)
        return true;
    bool done;
    bool by_hand = direct_host() || (!memcheck && in_heap(to, size));
    if (by_hand && (size < KERNEL_MASK ? copy_after_probe(is_writable, 1, to, (void *)to, from, size, &done)
                                             : copy_after_probe(takes_mask, KERNEL_MASK, to, (void *)to, from, size, &done)))
        return done;
    bool copied = copy(SYS_process_vm_writev, to, (void *)(uintptr_t)from, size);
    if (copied && memcheck)
        memcpy((void *)to, from, size);
    return copied;
}
