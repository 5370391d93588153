/* filter.c: the BPF filter that takes a program's system calls to the supervisor (engine `seccomp`).
 *
 * Another machine's calls, such as those of a 32-bit program, are let through: they would need other numbers and other
 * layouts. What goes through io_uring would not be seen, so programs are told that the kernel has none. */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "wrap_attributes.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* linux/seccomp.h of 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#define FOREIGN 0x40000000u /* __X32_SYSCALL_BIT of asm/unistd.h: numbers of x32 */
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#ifdef MACHINE
static const uint16_t on_names[] = {
    SYS_openat, SYS_openat2, SYS_statx, SYS_newfstatat, SYS_faccessat, SYS_readlinkat, SYS_fstat, SYS_ioctl, SYS_getdents64,
    SYS_chdir, SYS_fchdir, SYS_getcwd, SYS_statfs, SYS_fstatfs, SYS_fchmodat, SYS_fchmodat2, SYS_fchownat, SYS_unlinkat,
    SYS_truncate, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat, SYS_renameat2, SYS_utimensat, SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_open
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_chmod, SYS_chown, SYS_lchown, SYS_unlink,
    SYS_mkdir, SYS_mknod, SYS_rmdir, SYS_rename, SYS_link, SYS_symlink, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
};

static const uint16_t on_data[] = {
    SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_lseek, SYS_sendfile, SYS_splice, SYS_tee, SYS_copy_file_range, SYS_fsync, SYS_fdatasync, SYS_flock,
    SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown, SYS_sendto, SYS_recvfrom, /* for ENOTSOCK */
};

#define LENGTH(list) (sizeof list / sizeof *list)

enum { MOST = 18 + 2 * (LENGTH(on_names) + LENGTH(on_data) + 2) };

struct program {
    struct sock_filter lines[MOST];
    unsigned short count;
};

static void add(struct program *program, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false)
{
    program->lines[program->count++] = (struct sock_filter){ code, if_true, if_false, value };
}

static void answer(struct program *program, uint32_t action)
{
    add(program, BPF_RET | BPF_K, action, 0, 0);
}

static void when(struct program *program, uint32_t number, uint32_t action)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    answer(program, action);
}

/* What tells how a file was opened, because a socket may always be read and written; and what has to do with its tag
 * (handles.c). */
static void write_fcntl(struct program *program)
{
    enum { LINES = 9, OF_SETFL = 3 };

    add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, LINES);
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]), 0, 0);
    when(program, F_GETFL, SECCOMP_RET_USER_NOTIF);
    when(program, F_GETSIG, SECCOMP_RET_USER_NOTIF);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, OF_SETFL);
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]), 0, 0);
    add(program, BPF_JMP | BPF_JSET | BPF_K, O_ASYNC, 0, 1);
    answer(program, SECCOMP_RET_USER_NOTIF);
}

static void write_program(struct program *program, bool data)
{
    program->count = 0;
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
    answer(program, SECCOMP_RET_ALLOW);
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef FOREIGN
    add(program, BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 1);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
#endif
#ifdef SYS_io_uring_setup
    when(program, SYS_io_uring_setup, SECCOMP_RET_ERRNO | ENOSYS);
#endif
    for (size_t i = 0; i < LENGTH(on_names); i++)
        when(program, on_names[i], SECCOMP_RET_USER_NOTIF);
    for (size_t i = 0; data && i < LENGTH(on_data); i++)
        when(program, on_data[i], SECCOMP_RET_USER_NOTIF);
    if (data)
        write_fcntl(program);
    answer(program, SECCOMP_RET_ALLOW);
}

/* WAIT_KILLABLE_RECV: otherwise a signal makes the kernel forget a call that the supervisor is at, and start it anew. */
int install_filter(bool data)
{
    struct program program;
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

    write_program(&program, data);
    struct sock_fprog whole = { program.count, program.lines };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)real.syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &whole);
}
#else
int install_filter(bool data)
{
    (void)data;
    errno = ENOTSUP;
    return -1;
}
#endif
