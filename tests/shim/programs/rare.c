/* rare.c: says how a device answers calls that are not for it: those of sockets, of administrators, of programs to be
 * executed; and how its locks meet. rare NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fiemap.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <spawn.h>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "check.h"

enum { WAY = O_NONBLOCK | O_NOCTTY };

static const char *node;
static char text[4096];

static void as_socket(int fd)
{
    struct sockaddr_un address = { AF_UNIX, "/nonexistent" };
    struct iovec part = { text, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    struct mmsghdr messages = { .msg_hdr = message };
    int value = 0;
    socklen_t size = sizeof value;

    TELL(connect(fd, (void *)&address, sizeof address));
    TELL(connect(fd, NULL, 0));
    TELL(sendmsg(fd, &message, MSG_DONTWAIT));
    TELL(sendmsg(fd, NULL, MSG_DONTWAIT));
    TELL(sendmmsg(fd, &messages, 1, MSG_DONTWAIT));
    TELL(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
    TELL(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, size));
    TELL(getpeername(fd, (void *)&address, &size));
    TELL(sockatmark(fd));
    TELL(isfdtype(fd, S_IFSOCK));
    TELL(isfdtype(fd, S_IFCHR));
    TELL(syscall(SYS_connect, fd, &address, sizeof address));
    TELL(syscall(SYS_bind, fd, &address, sizeof address));
    TELL(syscall(SYS_listen, fd, 1));
    TELL(syscall(SYS_accept4, fd, NULL, NULL, 0));
    TELL(syscall(SYS_shutdown, fd, SHUT_RDWR));
    TELL(syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT));
    TELL(syscall(SYS_sendmmsg, fd, &messages, 1, MSG_DONTWAIT));
    TELL(syscall(SYS_sendto, fd, "x", 1, MSG_DONTWAIT, NULL, 0));
    TELL(syscall(SYS_recvfrom, fd, text, 1, MSG_DONTWAIT, NULL, 0));
    TELL(syscall(SYS_recvmmsg, fd, &messages, 1, MSG_DONTWAIT, NULL));
    TELL(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &value, &size));
    TELL(syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVBUF, &value, size));
    TELL(syscall(SYS_getsockname, fd, &address, &size));
    TELL(syscall(SYS_getpeername, fd, &address, &size));
}

static void as_address(void)
{
    struct sockaddr_un address = { AF_UNIX, "" };
    int made = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, node);
    TELL(bind(made, (void *)&address, sizeof address));
    TELL(connect(made, (void *)&address, sizeof address));
    close(made);
}

static void as_program(int fd)
{
    char *words[] = { (char *)"x", NULL }, *nothing[] = { NULL };
    pid_t child;

    TELL(execve(node, words, nothing));
    TELL(execv(node, words));
    TELL(execvp(node, words));
    TELL(execl(node, "x", NULL));
    TELL(fexecve(fd, words, nothing));
    TELL(execveat(AT_FDCWD, node, words, nothing, 0));
    TELL(syscall(SYS_execve, node, words, nothing));
    TELL(posix_spawn(&child, node, NULL, NULL, words, nothing));
    TELL(posix_spawnp(&child, node, NULL, NULL, words, nothing));
}

static void as_place(void)
{
    TELL(chroot(node));
    TELL(mount("none", node, "tmpfs", 0, ""));
    TELL(umount(node));
    TELL(umount2(node, UMOUNT_NOFOLLOW));
    TELL(swapon(node, 0));
    TELL(swapoff(node));
    TELL(quotactl(QCMD(Q_SYNC, USRQUOTA), node, 0, NULL));
    TELL(acct(node));
    TELL(syscall(SYS_acct, node));
    TELL(syscall(SYS_chroot, node));
    TELL(removexattr(node, "user.x"));
    TELL(lremovexattr(node, "user.x"));
    int marks = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
    TELL(fanotify_mark(marks, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, node));
    TELL(fanotify_mark(marks, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, AT_FDCWD, node));
    TELL(syscall(SYS_fanotify_mark, marks, FAN_MARK_REMOVE, (uint64_t)FAN_OPEN, AT_FDCWD, node));
    close(marks);
}

static void as_file(int fd)
{
    int writing = open(node, O_WRONLY | WAY);

    TELL(fremovexattr(fd, "user.x"));
    TELL(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
    TELL(posix_fadvise(fd, 0, 1, 99));
    TELL(vmsplice(fd, &(struct iovec){ text, 1 }, 1, SPLICE_F_NONBLOCK));
    TELL((intptr_t)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    TELL((intptr_t)mmap(NULL, 4096, PROT_READ, MAP_SHARED, writing, 0));
    TELL(ioctl(fd, FICLONE, fd));
    TELL(ioctl(fd, FIDEDUPERANGE, text));
    TELL(ioctl(fd, FS_IOC_FIEMAP, text));
    TELL(ioctl(fd, FIFREEZE, 0));
    close(writing);
}

static struct flock whole(short type)
{
    return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

static void locks(int fd)
{
    int other = open(node, O_RDWR | WAY), reading = open(node, O_RDONLY | WAY);
    struct flock lock = whole(F_WRLCK);

    TELL(fcntl(fd, F_OFD_SETLK, &lock));
    TELL(fcntl(other, F_OFD_SETLK, &lock));
    TELL(fcntl(other, F_OFD_GETLK, &lock));
    printf("in the way: %d of %d\n", lock.l_type, (int)lock.l_pid);
    TELL(fcntl(other, F_OFD_SETLK, &lock)); /* with a process */
    lock = whole(F_WRLCK);
    TELL(fcntl(fd, F_SETLK, &lock));
    lock = whole(F_UNLCK);
    TELL(fcntl(fd, F_OFD_SETLK, &lock));
    TELL(lockf(reading, F_TLOCK, 0));
    TELL(lockf(reading, F_TEST, 0));
    TELL(lockf(fd, F_TLOCK, 0));
    TELL(lockf(fd, F_ULOCK, 0));
    close(other);
    close(reading);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    node = argv[1];
    int fd = open(node, O_RDWR | WAY);
    CHECK(fd >= 0);
    as_socket(fd);
    as_address();
    as_program(fd);
    as_place();
    as_file(fd);
    locks(fd);
    return 0;
}
