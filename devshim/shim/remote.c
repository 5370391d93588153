/* remote.c: a system call of another process, done here on its behalf: its memory and its descriptors. */
#include "remote.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "interposed.h"

__thread struct remote *remote __attribute__((tls_model("initial-exec")));

static bool copied(long number, uintptr_t theirs, void *ours, size_t size)
{
    int before = errno;
    struct iovec local = { ours, size }, there = { (void *)theirs, size };
    ssize_t done = real.syscall(number, remote->thread, &local, 1ul, &there, 1ul, 0ul);

    if (done < 0 && errno == EPERM)
        remote_refused();
    errno = before;
    return done == (ssize_t)size;
}

bool copy_from_remote(void *to, uintptr_t from, size_t size)
{
    return size == 0 || copied(SYS_process_vm_readv, from, to, size);
}

bool copy_to_remote(uintptr_t to, const void *from, size_t size)
{
    return size == 0 || copied(SYS_process_vm_writev, to, (void *)(uintptr_t)from, size);
}

int leave_to_kernel(void)
{
    remote->left = true;
    return 0;
}

/* A signal in the middle of SECCOMP_ADDFD_FLAG_SEND would end the caller's call with 0, and without the descriptor; and the
 * watcher takes a call for lost that has been answered. */
int add_to_remote(int fd, int number, unsigned flags, bool cloexec)
{
    struct seccomp_notif_addfd add = { .id = remote->call, .srcfd = (uint32_t)fd, .newfd = (uint32_t)number, .flags = flags,
                                       .newfd_flags = cloexec ? O_CLOEXEC : 0 };
    uint64_t all = ~0ull, set;

    real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &set, sizeof set);
    int result = (int)real.syscall(SYS_ioctl, remote->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), before = errno;
    real.syscall(SYS_close, fd);
    real.syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof set);
    errno = before;
    return result;
}

int give_to_remote(int fd, bool cloexec)
{
    return add_to_remote(fd, 0, 0, cloexec);
}
