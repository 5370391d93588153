/* recorded.c: calls on a device, one way each, for a recording to be compared with: recorded NODE WAY */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *node;
static int fd;

static void reads(void)
{
    char one[2], two[3];
    struct iovec parts[2] = { { one, sizeof one }, { two, sizeof two } };

    read(fd, one, 1);
    readv(fd, parts, 2);
    pread(fd, two, 3, 10);
    preadv(fd, parts, 2, 20);
    preadv2(fd, parts, 2, 30, 0);
    syscall(SYS_read, fd, one, 2);
}

static void writes(void)
{
    struct iovec parts[2] = { { "ab", 2 }, { "cde", 3 } };

    write(fd, "a", 1);
    writev(fd, parts, 2);
    pwrite(fd, "xyz", 3, 10);
    pwritev(fd, parts, 2, 20);
    pwritev2(fd, parts, 2, 30, 0);
    dprintf(fd, "%d", 12);
}

static void stdio(void)
{
    char line[8];
    FILE *stream = fopen(node, "r+");

    setvbuf(stream, NULL, _IONBF, 0);
    fread(line, 1, 4, stream);
    fputs("put", stream);
    fclose(stream);
    stream = fdopen(dup(fd), "w");
    fprintf(stream, "%s", "printed");
    fclose(stream);
}

static void others(void)
{
    struct flock lock = { .l_type = F_WRLCK };

    lseek(fd, 5, SEEK_SET);
    flock(fd, LOCK_EX | LOCK_NB);
    fcntl(fd, F_SETLK, &lock);
    fsync(fd);
    fdatasync(fd);
    ftruncate(fd, 7);
    void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map != MAP_FAILED)
        munmap(map, 4096);
    read(-1, NULL, 0);
    close(open(node, O_WRONLY | O_CLOEXEC));
    open(node, O_RDONLY | O_DIRECTORY);
}

static void polls(void)
{
    struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT };
    struct timespec soon = { .tv_nsec = 1000000 };
    struct timeval also = { .tv_usec = 1000 };
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = 77 };
    fd_set in;
    int set = epoll_create1(0);

    poll(&one, 1, 1000);
    ppoll(&one, 1, &soon, NULL);
    FD_ZERO(&in);
    FD_SET(fd, &in);
    select(fd + 1, &in, NULL, NULL, &also);
    FD_ZERO(&in);
    FD_SET(fd, &in);
    pselect(fd + 1, &in, NULL, NULL, &soon, NULL);
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    epoll_wait(set, &event, 1, 1);
}

static void copies(void)
{
    int copy = dup(fd), third = fcntl(fd, F_DUPFD, 20);

    write(copy, "copy", 4);
    close(copy);
    write(third, "third", 5);
    int other = open(node, O_WRONLY);
    dup2(other, third);
    write(third, "other", 5);
    close(fd);
}

static void pass(void)
{
    int ends[2], got;
    struct iovec part = { "", 1 };
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    *head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    sendmsg(ends[0], &message, 0);
    char byte;
    part = (struct iovec){ &byte, 1 };
    recvmsg(ends[1], &message, 0);
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
    write(got, "passed", 6);
}

static void *in_thread(void *number)
{
    int own = open(node, O_WRONLY);
    for (int i = 0; i < 1000; i++)
        write(own, number, 1);
    close(own);
    return NULL;
}

static void threads(void)
{
    pthread_t thread[4];

    for (long i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, in_thread, "a\0b\0c\0d" + 2 * i);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
}

static void processes(void)
{
    if (fork() == 0) {
        write(fd, "child", 5);
        _exit(0);
    }
    wait(NULL);
    if (vfork() == 0) {
        dup2(fd, 1);
        execlp("echo", "echo", "executed", NULL);
        _exit(1);
    }
    wait(NULL);
    write(fd, "parent", 6);
    execlp("sh", "sh", "-c", "echo last >&9", NULL);
}

static void jump(int signal)
{
    (void)signal;
    write(fd, "handler", 7);
}

static void signals(void)
{
    struct sigaction action = { .sa_handler = jump };

    sigaction(SIGALRM, &action, NULL);
    raise(SIGALRM);
    raise(SIGKILL);
}

static void bad(void)
{
    write(fd, (char *)16, 4);
    read(fd, (char *)16, 4);
    ioctl(fd, 0xc0104101, (char *)16);
}

int main(int count, char **words)
{
    static const struct { const char *name; void (*way)(void); } ways[] = {
        { "reads", reads }, { "writes", writes }, { "stdio", stdio }, { "others", others }, { "polls", polls },
        { "copies", copies }, { "pass", pass }, { "threads", threads }, { "processes", processes }, { "signals", signals },
        { "bad", bad },
    };
    if (count != 3)
        return 2;
    node = words[1];
    fd = open(node, O_RDWR | O_NOCTTY);
    if (strcmp(words[2], "processes") == 0)
        fd = dup2(fd, 9);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, words[2]) == 0)
            ways[i].way();
}
