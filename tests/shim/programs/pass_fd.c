/* pass_fd.c: a descriptor sent over a socket, taken by recvmsg, by recvmmsg and by pidfd_getfd. pass_fd NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

union control {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static void give(int socket, int fd)
{
    union control control = { { 0 } };
    struct iovec part = { "x", 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    CHECK(sendmsg(socket, &message, 0) == 1);
}

static int take(int socket, int many)
{
    union control control;
    char byte;
    struct iovec part = { &byte, 1 };
    struct mmsghdr message = { .msg_hdr = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control } };
    int fd;
    if (many)
        CHECK(recvmmsg(socket, &message, 1, 0, NULL) == 1);
    else
        CHECK(recvmsg(socket, &message.msg_hdr, 0) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message.msg_hdr)), sizeof fd);
    return fd;
}

int main(int argc, char **argv)
{
    (void)argc;
    int ends[2], status;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    if (fork() == 0) { /* never opened anything itself */
        CHECK(reads(take(ends[1], 0)));
        CHECK(reads(take(ends[1], 1)));
        _exit(0);
    }
    int fd = open(argv[1], O_RDONLY);
    give(ends[0], fd);
    give(ends[0], fd);
    CHECK(wait(&status) > 0 && status == 0);

    pid_t parent = getpid();
    if (fork() == 0) {
        int pidfd = (int)syscall(SYS_pidfd_open, parent, 0);
        int got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
        CHECK((got >= 0 && reads(got)) || errno == EPERM || errno == ENOSYS);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    return 0;
}
