/* remote.h: a system call of another process, done here on its behalf: whose memory its pointers lead into, where its new
 * descriptors go, and whether the kernel shall do it after all. For the supervisor of the engine `seccomp`; in a program
 * itself there is never one. */
#ifndef DEVSHIM_REMOTE_H
#define DEVSHIM_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct carrier;

struct remote {
    pid_t thread;   /* the one that calls */
    int listener;
    uint64_t call;  /* the kernel's cookie for the call that it waits in */
    bool theirs;    /* the call's pointers lead into the caller's memory; else into copies of ours */
    bool left;      /* left to the kernel: what the wrapper returned does not count */
    int lent;       /* the caller's descriptor as one of ours, where that is a device's; else -1 */
    const struct carrier *carrier; /* the device's, with its inode when it was looked at */
    uint64_t inode;
};

/* On whose behalf this thread is at a call; NULL: its own. */
extern __thread struct remote *remote __attribute__((tls_model("initial-exec")));

/* Copies from and to the caller's memory. False where not all of it is there. */
bool copy_from_remote(void *to, uintptr_t from, size_t size);
bool copy_to_remote(uintptr_t to, const void *from, size_t size);

/* The place of a real call on the program's own descriptor: that is made when this one is answered. Returns 0. */
int leave_to_kernel(void);

/* The value of a real call in a wrapper; on another's behalf the kernel makes it there. */
#define REALLY(call) (__builtin_expect(remote != NULL, 0) ? leave_to_kernel() : (call))

/* Before a wait that may last: others shall take the calls that come meanwhile. (supervise.c) */
void remote_waits(void);

/* The kernel does not let us look into the caller: says so, once. (supervise.c) */
void remote_refused(void);

static inline void others_take_over(void)
{
    if (__builtin_expect(remote != NULL, 0))
        remote_waits();
}

/* Give a descriptor of ours to the caller and close it here. Returns its number there, or -1 with errno. The other one
 * knows the flags of SECCOMP_IOCTL_NOTIF_ADDFD, and a number for SECCOMP_ADDFD_FLAG_SETFD. */
int give_to_remote(int fd, bool cloexec);
int add_to_remote(int fd, int number, unsigned flags, bool cloexec);

#endif
