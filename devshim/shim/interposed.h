/* interposed.h: the libc functions this shim stands in for, and a way to call libc's own.
 *
 * To interpose one more: add its name here, write it in the wrap_*.c of its family.
 * Types come from the system headers; what glibc exports without a header is declared at the end. */
#ifndef DEVSHIM_INTERPOSED_H
#define DEVSHIM_INTERPOSED_H

#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>
#include <wordexp.h>

/* glibc 2.34 moved dlsym from libdl into libc under a new version. The old one is still there, and a shim that asks for
 * it loads from 2.28 on (before 2.34 with libdl, which the linker names where it exists). */
#if defined(LOOKS_UP_DLSYM) /* wrap_dlsym.c makes one */
#elif defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
#endif

_Static_assert(sizeof(off_t) == 8, "the shim's SAME_AS aliases for the *64 names need a 64-bit off_t");

/* One word a function. The families are the wrap_*.c files. */
#define INTERPOSED(X)                                                                              \
    /* wrap_open.c */                                                                              \
    X(open) X(openat) X(creat)                                                                     \
    /* wrap_stdio.c */                                                                             \
    X(fopen) X(freopen) X(fdopen)                                                                  \
    /* wrap_io.c */                                                                                \
    X(read) X(readv) X(pread) X(preadv) X(preadv2)                                                 \
    X(write) X(writev) X(pwrite) X(pwritev) X(pwritev2)                                            \
    X(lseek)                                                                                       \
    /* wrap_control.c */                                                                           \
    X(ioctl) X(fsync) X(fdatasync) X(ftruncate) X(mmap)                                            \
    X(splice) X(tee) X(sendfile) X(copy_file_range)                                                \
    X(posix_fadvise)                                                                               \
    /* wrap_poll.c, wrap_select.c, wrap_epoll.c */                                                 \
    X(poll) X(ppoll) X(select) X(pselect) X(epoll_ctl) X(epoll_wait) X(epoll_pwait)                \
    /* wrap_fd.c */                                                                                \
    X(close) X(dup) X(dup2) X(dup3) X(fcntl) X(flock) X(lockf) X(recvmsg) X(recvmmsg)              \
    /* wrap_socket.c */                                                                            \
    X(recv) X(connect) X(sendmsg)                                                                  \
    /* wrap_tty.c */                                                                               \
    X(tcgetattr) X(tcsetattr) X(tcdrain) X(tcflush) X(tcflow) X(tcsendbreak)                       \
    X(isatty) X(ttyname) X(ttyname_r)                                                              \
    /* wrap_process.c */                                                                           \
    X(execve) X(execv) X(execvp) X(execvpe) X(execl) X(execlp) X(execle) X(fexecve) X(execveat)    \
    /* wrap_spawn.c */                                                                             \
    X(posix_spawn) X(posix_spawnp)                                                                 \
    /* wrap_syscall.c */                                                                           \
    X(syscall)                                                                                     \
    /* wrap_path.c, wrap_dir.c */                                                                  \
    INTERPOSED_PATHS(X)

/* The families of wrap_stat.c, wrap_path.c and wrap_dir.c. */
#define INTERPOSED_PATHS(X)                                                                        \
    X(fstat) X(fstatat) X(statx)                                                                   \
    X(faccessat) X(readlinkat) X(chdir) X(fchdir) X(getcwd) X(realpath)                            \
    X(opendir) X(fdopendir) X(readdir) X(closedir) X(getdents64)

/* Stood in for as well, but called too seldom to look libc's own up at each start (0.4 us a name): LATE(chmod)(...). */
#define INTERPOSED_RARELY(X)                                                                       \
    /* wrap_fd.c, wrap_epoll.c */                                                                  \
    X(close_range) X(closefrom) X(epoll_pwait2)                                                    \
    /* wrap_ptmx.c, wrap_tty.c */                                                                  \
    X(posix_openpt) X(getpt) X(grantpt) X(unlockpt) X(ptsname) X(ptsname_r) X(openpty) X(forkpty)  \
    X(tcgetpgrp) X(tcsetpgrp) X(tcgetsid)                                                          \
    /* wrap_stdio.c */                                                                             \
    X(dprintf) X(vdprintf)                                                                         \
    /* wrap_fread.c */                                                                             \
    X(fread) X(fread_unlocked)                                                                     \
    /* wrap_aio.c */                                                                               \
    X(aio_read) X(aio_write) X(aio_fsync) X(aio_cancel) X(aio_suspend) X(lio_listio)               \
    /* wrap_socket.c */                                                                            \
    X(getsockname) X(getpeername) X(getsockopt) X(setsockopt) X(shutdown) X(send) X(sendto)        \
    X(sendmmsg) X(listen) X(accept) X(accept4) X(sockatmark)                                       \
    /* wrap_places.c */                                                                            \
    X(chroot) X(mount) X(umount) X(umount2) X(swapon) X(swapoff) X(quotactl) X(acct)               \
    X(fanotify_mark)                                                                               \
    /* wrap_netlink.c */                                                                           \
    X(socket) X(bind) X(recvfrom)                                                                  \
    /* wrap_wide.c */                                                                              \
    X(fgetwc) X(getwc) X(fgetwc_unlocked) X(getwc_unlocked) X(getwchar) X(getwchar_unlocked)       \
    X(fgetws) X(fgetws_unlocked) X(ungetwc)                                                        \
    X(fputwc) X(putwc) X(fputwc_unlocked) X(putwc_unlocked) X(putwchar) X(putwchar_unlocked)       \
    X(fputws) X(fputws_unlocked) X(fwprintf) X(wprintf) X(vfwprintf) X(vwprintf)                   \
    /* wrap_stat.c */                                                                              \
    X(stat) X(lstat) X(ftok)                                                                       \
    /* wrap_statfs.c */                                                                            \
    X(statfs) X(fstatfs) X(statvfs) X(fstatvfs)                                                    \
    /* wrap_path.c */                                                                              \
    X(access) X(eaccess) X(euidaccess) X(readlink) X(canonicalize_file_name)                       \
    X(getwd) X(get_current_dir_name)                                                               \
    /* wrap_attributes.c */                                                                        \
    X(chmod) X(lchmod) X(fchmod) X(fchmodat) X(chown) X(lchown) X(fchown) X(fchownat)              \
    X(utime) X(utimes) X(lutimes) X(futimes) X(futimesat) X(futimens) X(utimensat)                 \
    X(getxattr) X(lgetxattr) X(fgetxattr) X(listxattr) X(llistxattr) X(flistxattr)                 \
    X(setxattr) X(lsetxattr) X(fsetxattr) X(removexattr) X(lremovexattr) X(fremovexattr)           \
    X(truncate) X(pathconf) X(name_to_handle_at)                                                   \
    /* wrap_inotify.c */                                                                           \
    X(inotify_init) X(inotify_init1) X(inotify_add_watch) X(inotify_rm_watch)                      \
    /* wrap_spawn.c */                                                                             \
    X(system) X(popen)                                                                             \
    /* wrap_names.c */                                                                             \
    X(mkdir) X(mkdirat) X(rmdir) X(unlink) X(unlinkat) X(remove) X(rename) X(renameat)             \
    X(renameat2) X(link) X(linkat) X(symlink) X(symlinkat) X(mkfifo) X(mkfifoat)                   \
    X(mknod) X(mknodat)                                                                            \
    /* wrap_dir.c, wrap_search.c, wrap_ftw.c */                                                    \
    X(readdir_r) X(rewinddir) X(seekdir) X(telldir) X(getdirentries)                               \
    X(scandir) X(scandirat) X(glob) X(ftw) X(nftw)                                                 \
    /* wrap_fts.c */                                                                               \
    X(fts_open) X(fts_read) X(fts_children) X(fts_close)                                           \
    /* wrap_wordexp.c */                                                                           \
    X(wordexp)

/* libc's own functions: real.read(fd, buf, size) goes past the shim. */
struct real_functions {
#define X(name) __typeof__(name) *name;
    INTERPOSED(X)
#undef X
};
extern struct real_functions real; /* filled by the same list in start.c */

/* libc's own function of a name in INTERPOSED_RARELY, looked up when it is first called. */
#define LATE(name)                                                                                 \
    (*({                                                                                           \
        static __typeof__(name) *found;                                                            \
        if (!found)                                                                                \
            found = (__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name);                        \
        found;                                                                                     \
    }))

/* What each process writes at its start lies beside what the dynamic linker has written there: no page more is touched. */
#define AT_START __attribute__((section(".data")))

/* Everything is hidden (-fvisibility=hidden) but what carries this mark. */
#define INTERPOSE __attribute__((visibility("default")))

/* libc knows some functions under several names. */
#define SAME_AS(name, other) \
    INTERPOSE extern __typeof__(name) other __attribute__((alias(#name)))

#if defined(__has_attribute) && __has_attribute(copy)
#define WITH_ATTRIBUTES_OF(name) , copy(name)
#else
#define WITH_ATTRIBUTES_OF(name)
#endif

/* The same for a name that headers declare with a type of its own, such as struct stat64: only the symbol is made. */
#define ALSO_CALLED(name, other)                                                                   \
    INTERPOSE extern __typeof__(name) name##_called_##other __asm__(#other)                        \
        __attribute__((alias(#name) WITH_ATTRIBUTES_OF(name)))

/* The shim starts itself when a constructor of another library calls a wrapper before ours has run. */
extern bool started;
void start(void);
#define START_ONCE() do { if (__builtin_expect(!started, 0)) start(); } while (0)

#endif
