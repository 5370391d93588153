/* memory.c: copies from and to the program's memory.
 *
 * The kernel answers a bad pointer with EFAULT; a memcpy would kill the program. process_vm_readv on oneself
 * does it as the kernel does, for 0.3 us. What lies in the calling thread's own live stack is mapped for
 * certain, and copied directly. */
#include "memory.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"

#define MAIN_STACK (8u << 20)   /* how far below its top the main thread's stack is taken to reach */
#define OTHER_STACK (64u << 10) /* a thread's; glibc's smallest is 16 KiB, what lies above is its own too */

extern void *__libc_stack_end __attribute__((weak)); /* glibc's; without it the kernel copies all */

/* Under valgrind, which follows a memcpy only: what the kernel has copied for us counts as defined on our side,
 * not on the program's; and what the host writes into shared memory must not inherit the program's undefined bytes. */
static bool memcheck;

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
    if (in_own_stack(from, size) && !memcheck) {
        memcpy(to, (const void *)from, size);
        return true;
    }
    return size == 0 || copy(SYS_process_vm_readv, from, to, size);
}

bool copy_to_target(uintptr_t to, const void *from, size_t size)
{
    if (in_own_stack(to, size)) {
        memcpy((void *)to, from, size);
        return true;
    }
    if (size == 0)
        return true;
    bool copied = copy(SYS_process_vm_writev, to, (void *)(uintptr_t)from, size);
    if (copied && memcheck)
        memcpy((void *)to, from, size);
    return copied;
}
