/* locks.c: advisory locks meet between two opens of a device. locks NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "check.h"

static int record(int fd, int command, short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
    return fcntl(fd, command, &lock);
}

static int in_child(const char *node, int (*what)(int fd))
{
    int status;
    if (fork() == 0)
        _exit(what(open(node, O_RDWR)));
    CHECK(wait(&status) > 0 && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int try_flock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

static int try_lockf(int fd)
{
    return lockf(fd, F_TLOCK, 0) == 0 ? 0 : errno;
}

static int try_record(int fd)
{
    return record(fd, F_SETLK, F_WRLCK) == 0 ? 0 : errno;
}

static int holder_is_parent(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    CHECK(fcntl(fd, F_GETLK, &lock) == 0);
    return lock.l_type == F_WRLCK && lock.l_pid == getppid() ? 0 : 1;
}

static int nobody_holds(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    CHECK(fcntl(fd, F_GETLK, &lock) == 0);
    return lock.l_type == F_UNLCK ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *node = argv[1];
    (void)argc;
    int one = open(node, O_RDWR), two = open(node, O_RDWR), status;

    CHECK(flock(one, LOCK_EX) == 0);
    CHECK(flock(two, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
    CHECK(flock(dup(one), LOCK_EX | LOCK_NB) == 0); /* a file's, not a descriptor's */
    CHECK(in_child(node, try_flock) == EWOULDBLOCK);
    CHECK(flock(one, LOCK_SH) == 0 && flock(two, LOCK_SH | LOCK_NB) == 0);
    CHECK(flock(one, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
    CHECK(flock(two, LOCK_UN) == 0 && flock(one, LOCK_UN) == 0);
    CHECK(flock(one, 77) == -1 && errno == EINVAL);

    /* A lock that has to be waited for. */
    CHECK(flock(one, LOCK_EX) == 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(node, O_RDWR);
        CHECK(flock(fd, LOCK_EX) == 0);
        _exit(0);
    }
    CHECK(waitpid(child, &status, WNOHANG) == 0);
    CHECK(flock(one, LOCK_UN) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(flock(one, LOCK_EX | LOCK_NB) == 0); /* given up by the last close, at the child's end */
    close(one);
    one = open(node, O_RDWR);
    CHECK(flock(two, LOCK_EX | LOCK_NB) == -1); /* the copy that dup made holds it still */

    /* Record locks are a process's: its own do not stand in its way, and they are none of flock's business. */
    CHECK(record(one, F_SETLK, F_WRLCK) == 0 && record(two, F_SETLK, F_WRLCK) == 0);
    CHECK(in_child(node, try_record) == EAGAIN || in_child(node, try_record) == EACCES);
    CHECK(in_child(node, try_lockf) == EAGAIN || in_child(node, try_lockf) == EACCES);
    CHECK(in_child(node, holder_is_parent) == 0);
    CHECK(record(one, F_SETLK, F_UNLCK) == 0);
    CHECK(in_child(node, nobody_holds) == 0 && in_child(node, try_record) == 0);
    CHECK(lockf(one, F_TLOCK, 0) == 0 && in_child(node, try_lockf) != 0);
    CHECK(lockf(one, F_TEST, 0) == 0 && lockf(one, F_ULOCK, 0) == 0);

    /* Those of an open file description are its own. */
    CHECK(record(one, F_OFD_SETLK, F_WRLCK) == 0);
    CHECK(record(two, F_OFD_SETLK, F_WRLCK) == -1 && errno == EAGAIN);
    CHECK(in_child(node, try_record) == EAGAIN);
    CHECK(record(one, F_OFD_SETLK, F_UNLCK) == 0 && record(two, F_OFD_SETLK, F_WRLCK) == 0);
    return 0;
}
