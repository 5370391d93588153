/* waits.c: calls that wait, and what ends the waiting. waits HOW NODE [BELL]; NODE is a Mailbox */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "check.h"

#define TOLD  _IO('P', 1)
#define TAKE  _IOR('P', 2, int)
#define COUNT _IO('P', 4)

static const char *node, *bell;

/* Until so many calls have been told to wait since the last look. */
static int seen;

static void until_told(int fd, int more)
{
    seen += more;
    UNTIL(ioctl(fd, TOLD) >= seen);
}

static pid_t in_child(void (*what)(int fd), int fd)
{
    pid_t child = fork();
    if (child == 0) {
        what(fd);
        _exit(0);
    }
    return child;
}

static void is_done(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void get_a_message(int fd)
{
    char buf[8];
    CHECK(read(fd, buf, sizeof buf) == 5 && memcmp(buf, "hello", 5) == 0);
}

static void wait_in_read(int fd)
{
    pid_t child = in_child(get_a_message, fd);
    until_told(fd, 1);
    CHECK(write(fd, "hello", 5) == 5);
    is_done(child);
}

static void nonblocking(int fd)
{
    char c;
    struct pollfd look = { fd, POLLIN | POLLOUT, 0 };
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 3; i++) {
        CHECK(poll(&look, 1, 0) == 1 && look.revents == POLLOUT);
        CHECK(read(fd, &c, 1) == -1 && errno == EAGAIN);
        CHECK(write(fd, "h", 1) == 1);
        CHECK(poll(&look, 1, 0) == 1 && look.revents == (POLLIN | POLLOUT));
        CHECK(read(fd, &c, 1) == 1 && c == 'h');
    }
    CHECK(poll(&look, 1, 0) == 1 && look.revents == POLLOUT);
    CHECK(ioctl(fd, TAKE, &c) == -1 && errno == EAGAIN);
}

static void poll_and_get(int fd)
{
    struct pollfd look = { fd, POLLIN, 0 };
    CHECK(poll(&look, 1, -1) == 1 && look.revents == POLLIN);
    get_a_message(fd);
}

static void select_and_get(int fd)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    CHECK(select(fd + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(fd, &set));
    get_a_message(fd);
}

static void epoll_and_get(int fd, unsigned how)
{
    int ring = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN | how };
    CHECK(epoll_ctl(ring, EPOLL_CTL_ADD, fd, &event) == 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int got = 0; got < 3;) { /* edge-triggered: an event for each time that it became readable anew */
        char buf[8];
        CHECK(epoll_wait(ring, &event, 1, 10000) == 1 && event.events == EPOLLIN);
        while (read(fd, buf, sizeof buf) == 5)
            got++;
        CHECK(errno == EAGAIN);
        if (got < 3)
            CHECK(write(fd, "hello", 5) == 5);
    }
}

static void level_triggered(int fd)
{
    epoll_and_get(fd, 0);
}

static void edge_triggered(int fd)
{
    epoll_and_get(fd, EPOLLET);
}

static void watched(int fd, void (*how)(int))
{
    pid_t child = in_child(how, fd);
    CHECK(write(fd, "hello", 5) == 5);
    is_done(child);
}

/* Many wait on one file; each message wakes one of them for good. */
static void several(int fd)
{
    pid_t children[200];
    for (int i = 0; i < 200; i++)
        children[i] = in_child(get_a_message, fd);
    until_told(fd, 200);
    for (int i = 0; i < 200; i++)
        CHECK(write(fd, "hello", 5) == 5);
    for (int i = 0; i < 200; i++)
        is_done(children[i]);
    CHECK(ioctl(fd, COUNT) == 0);
}

static void take_an_h(int fd)
{
    int letter = 0;
    CHECK(ioctl(fd, TAKE, &letter) == 0 && letter == 'h');
}

static void wait_in_ioctl(int fd)
{
    pid_t child = in_child(take_an_h, fd), other = in_child(take_an_h, fd);
    until_told(fd, 2);
    CHECK(write(fd, "h", 1) == 1 && write(fd, "h", 1) == 1);
    is_done(child);
    is_done(other);
}

static void put_a_message(int fd)
{
    CHECK(write(fd, "hello", 5) == 5);
}

/* Of capacity 2. */
static void wait_in_write(int fd)
{
    put_a_message(fd);
    put_a_message(fd);
    pid_t child = in_child(put_a_message, fd), other = in_child(put_a_message, fd);
    until_told(fd, 2);
    for (int i = 0; i < 4; i++)
        get_a_message(fd);
    is_done(child);
    is_done(other);
}

static void poll_and_put(int fd)
{
    struct pollfd look = { fd, POLLOUT, 0 };
    CHECK(poll(&look, 1, -1) == 1 && look.revents == POLLOUT);
    CHECK(write(fd, "hello", 5) == 5);
}

static void poll_for_room(int fd)
{
    struct pollfd look = { fd, POLLOUT, 0 };
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 300; i++) {
        put_a_message(fd);
        put_a_message(fd);
        CHECK(write(fd, "hello", 5) == -1 && errno == EAGAIN);
        CHECK(poll(&look, 1, 0) == 0);
        if (i % 100 == 0) {
            pid_t child = in_child(poll_and_put, fd);
            get_a_message(fd);
            is_done(child);
        } else {
            get_a_message(fd);
            CHECK(poll(&look, 1, 10000) == 1);
            put_a_message(fd);
        }
        get_a_message(fd);
        get_a_message(fd);
    }
}

static void come_in(int unused)
{
    char buf[8];
    (void)unused;
    int fd = open(node, O_RDWR);
    CHECK(fd >= 0 && read(fd, buf, sizeof buf) == 7);
}

static void wait_in_open(int unused)
{
    char buf[16] = "";
    int ring = open(bell, O_RDWR);
    (void)unused;
    CHECK(open(node, O_RDWR | O_NONBLOCK) == -1 && errno == EAGAIN);
    pid_t child = in_child(come_in, -1), other = in_child(come_in, -1);
    UNTIL(read(ring, buf, sizeof buf - 1) > 0 && atoi(buf) >= 3);
    CHECK(write(ring, "!", 1) == 1 && write(ring, "!", 1) == 1);
    is_done(child);
    is_done(other);
}

int main(int argc, char **argv)
{
    const char *how = argv[1];
    node = argv[2];
    bell = argc > 3 ? argv[3] : NULL;
    if (strcmp(how, "open") == 0) {
        wait_in_open(-1);
        return 0;
    }
    int fd = open(node, O_RDWR);
    CHECK(fd >= 0);
    if (strcmp(how, "read") == 0)
        wait_in_read(fd);
    else if (strcmp(how, "nonblock") == 0)
        nonblocking(fd);
    else if (strcmp(how, "poll") == 0)
        watched(fd, poll_and_get);
    else if (strcmp(how, "select") == 0)
        watched(fd, select_and_get);
    else if (strcmp(how, "epoll") == 0)
        watched(fd, level_triggered);
    else if (strcmp(how, "edge") == 0)
        watched(fd, edge_triggered);
    else if (strcmp(how, "several") == 0)
        several(fd);
    else if (strcmp(how, "ioctl") == 0)
        wait_in_ioctl(fd);
    else if (strcmp(how, "write") == 0)
        wait_in_write(fd);
    else if (strcmp(how, "room") == 0)
        poll_for_room(fd);
    else
        CHECK(!"no such way");
    return 0;
}
