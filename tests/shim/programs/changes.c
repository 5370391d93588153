/* changes.c: changes NODE OTHER: what the kernel says to those who change a node's name or what is known of it, or take its
 * descriptor for a socket; and which signal tells that it can be read, after something was written to it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include "check.h"

static const char *node, *other;

static long modified(void)
{
    struct stat status;
    CHECK(stat(node, &status) == 0);
    return status.st_mtime;
}

/* What would be made where a node's name was free is taken away again. */
static void names(void)
{
    const struct timespec nanoseconds[2] = { { 1000, 0 }, { 2000, 0 } };
    const struct timeval microseconds[2] = { { 3000, 0 }, { 4000, 0 } };
    const struct utimbuf seconds = { 5000, 6000 };

    TELL(mkdir(node, 0700));
    TELL(rmdir(node));
    TELL(symlink("elsewhere", node));
    TELL(mkfifo(node, 0600));
    TELL(link(other, node));
    TELL(rename(other, node));
    TELL(unlink(node));
    TELL(rename(node, other));
    TELL(link(node, other));
    TELL(utimensat(AT_FDCWD, node, nanoseconds, 0));
    TELL(modified());
    TELL(utimes(node, microseconds));
    TELL(modified());
    TELL(utime(node, &seconds));
    TELL(modified());
}

static void sockets(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int value = 0;

    TELL(getsockname(fd, (struct sockaddr *)&name, &size));
    TELL(getpeername(fd, (struct sockaddr *)&name, &size));
    TELL(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
    TELL(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value));
    TELL(send(fd, "x", 1, MSG_DONTWAIT));
    TELL(recv(fd, &value, 1, MSG_DONTWAIT));
    TELL(shutdown(fd, SHUT_RDWR));
}

static void signals(int fd)
{
    const struct timespec long_enough = { .tv_sec = 60 };
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    TELL(fcntl(fd, F_GETSIG));
    TELL(fcntl(fd, F_SETOWN, getpid()));
    TELL(fcntl(fd, F_SETFL, O_ASYNC));
    TELL(write(fd, "12345678", 8));
    TELL(sigtimedwait(&all, NULL, &long_enough) == SIGIO);
}

int main(int count, char **words)
{
    CHECK(count == 3);
    node = words[1];
    other = words[2];
    names();
    int fd = open(node, O_RDWR);
    CHECK(fd >= 0);
    sockets(fd);
    signals(fd);
    return 0;
}
