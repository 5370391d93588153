/* manners.c: says how a device answers calls that few programs make, so that two devices can be compared. manners NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>

#include "check.h"

/* A new descriptor: its number does not matter, what it stands for does. */
#define TELL_OPEN(call)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int new_ = (int)(call);                                                                    \
        printf("%s: %s %s\n", #call, new_ < 0 ? strerror(errno) : "opened", new_ < 0 ? "" : is_it(new_)); \
        if (new_ >= 0)                                                                             \
            close(new_);                                                                           \
    } while (0)

enum { WAY = O_NONBLOCK | O_NOCTTY };

static const char *node, *name;
static struct stat known;
static char directory[256], text[4096];

static const char *verdict(const struct stat *status)
{
    return status->st_rdev != known.st_rdev ? "another device" : status->st_ino != known.st_ino ? "another inode" : "itself";
}

static const char *is_it(int fd)
{
    struct stat status;
    return fstat(fd, &status) < 0 ? "no status" : verdict(&status);
}

static const char *looked_at(int dirfd, const char *path)
{
    struct stat status;
    return fstatat(dirfd, path, &status, 0) < 0 ? strerror(errno) : verdict(&status);
}

static const char *led_to(int dirfd, const char *path)
{
    ssize_t length = readlinkat(dirfd, path, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    return length < 0 ? strerror(errno) : strcmp(text, node) == 0 ? "the node" : "elsewhere";
}

static void through(const char *what, int dirfd, const char *path)
{
    struct statx status;
    char *resolved = dirfd == AT_FDCWD ? realpath(path, NULL) : strdup(node);

    printf("%s: link to %s, is %s, resolves to %s, statx %d", what, led_to(dirfd, path), looked_at(dirfd, path),
           resolved && strcmp(resolved, node) == 0 ? "the node" : "something else", statx(dirfd, path, 0, STATX_TYPE, &status));
    printf(", type %o\n", status.stx_mode & S_IFMT);
    free(resolved);
    if (dirfd == AT_FDCWD)
        TELL_OPEN(open(path, O_RDWR | WAY));
    fflush(stdout);
}

static void in_proc(int fd)
{
    char path[64], number[16];
    pid_t parent = getpid();

    sprintf(number, "%d", fd);
    sprintf(path, "/proc/self/fd/%d", fd);
    through("own", AT_FDCWD, path);
    sprintf(path, "/proc/thread-self/fd/%d", fd);
    through("thread's", AT_FDCWD, path);
    sprintf(path, "/proc/self/task/%d/fd/%d", (int)getpid(), fd);
    through("task's", AT_FDCWD, path);
    int all = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    through("by directory", all, number);
    close(all);
    CHECK(chdir("/proc/self/fd") == 0);
    through("by working directory", AT_FDCWD, number);
    CHECK(chdir("/") == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(close(fd) == 0);
        sprintf(path, "/proc/%d/fd/%d", (int)parent, fd);
        through("parent's", AT_FDCWD, path);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
}

static int open2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

static void restricted(void)
{
    int here = open(directory, O_PATH | O_DIRECTORY);
    char rooted[256];

    sprintf(rooted, "/%s", name);
    TELL_OPEN(open2(AT_FDCWD, node, O_RDWR | WAY, 0, 0));
    TELL_OPEN(open2(AT_FDCWD, node, O_RDWR | WAY, 0, RESOLVE_NO_SYMLINKS));
    TELL_OPEN(open2(here, name, O_RDWR | WAY, 0, RESOLVE_BENEATH));
    TELL_OPEN(open2(here, name, O_RDWR | WAY, 0, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV));
    TELL_OPEN(open2(here, rooted, O_RDWR | WAY, 0, RESOLVE_IN_ROOT));
    TELL_OPEN(open2(here, node, O_RDWR | WAY, 0, RESOLVE_BENEATH));
    TELL_OPEN(open2(AT_FDCWD, node, O_RDWR | WAY | 1ull << 40, 0, 0));
    TELL_OPEN(open2(AT_FDCWD, node, O_RDWR | WAY, 0600, 0));
    TELL_OPEN(open2(AT_FDCWD, node, O_RDWR | WAY, 0, 1ull << 40));
    close(here);
}

static void opened_otherwise(void)
{
    TELL_OPEN(open(node, O_RDWR | O_TMPFILE, 0600));
    TELL_OPEN(open(node, O_RDONLY | O_DIRECTORY));
    TELL_OPEN(open(node, O_RDWR | O_DIRECT | WAY));
    TELL_OPEN(open(node, O_RDWR | O_CREAT | O_EXCL | WAY, 0600));
    TELL_OPEN(open(node, O_RDWR | O_CREAT | O_TRUNC | WAY, 0600));
    int fd = open(node, O_ACCMODE | WAY);
    TELL(read(fd, text, 1));
    TELL(readv(fd, &(struct iovec){ text, 1 }, 1));
    TELL(write(fd, "x", 1));
    close(fd);
    fd = open(node, O_RDWR | O_CLOEXEC | WAY);
    TELL(fcntl(fd, F_GETFL) & O_CLOEXEC);
    TELL(fcntl(fd, F_GETFD));
    close(fd);
}

static void by_path_alone(void)
{
    int fd = open(node, O_PATH);
    struct pollfd one = { fd, POLLIN, 0 };
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = epoll_create1(0);

    printf("O_PATH: %s\n", is_it(fd));
    TELL(read(fd, text, 1));
    TELL(write(fd, "", 1));
    TELL(lseek(fd, 0, SEEK_CUR));
    TELL(ioctl(fd, TCGETS, text));
    TELL(fchmod(fd, 0600));
    TELL(fchown(fd, -1, -1));
    TELL(futimens(fd, NULL));
    TELL(fgetxattr(fd, "user.x", text, 1));
    TELL(fsync(fd));
    TELL(flock(fd, LOCK_EX | LOCK_NB));
    TELL((intptr_t)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    TELL(poll(&one, 1, 0));
    TELL(one.revents);
    TELL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    TELL(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
    char path[64];
    sprintf(path, "/proc/self/fd/%d", fd);
    TELL_OPEN(open(path, O_RDWR | WAY));
    close(fd);
    close(epoll);
}

static void as_socket(int fd)
{
    struct sockaddr address = { AF_UNIX, "" };
    struct msghdr message = { 0 };
    struct mmsghdr messages = { 0 };

    TELL(recv(fd, text, 1, MSG_DONTWAIT));
    TELL(recvfrom(fd, text, 1, MSG_DONTWAIT, NULL, NULL));
    TELL(recvmsg(fd, &message, MSG_DONTWAIT));
    TELL(recvmmsg(fd, &messages, 1, MSG_DONTWAIT, NULL));
    TELL(send(fd, "x", 1, MSG_DONTWAIT));
    TELL(sendto(fd, "x", 1, MSG_DONTWAIT, NULL, 0));
    TELL(accept(fd, NULL, NULL));
    TELL(accept4(fd, NULL, NULL, 0));
    TELL(listen(fd, 1));
    TELL(bind(fd, &address, sizeof address));
    TELL(shutdown(fd, SHUT_RDWR));
    TELL(getsockname(fd, &address, &(socklen_t){ sizeof address }));
}

static void tell_times(void)
{
    struct stat status;
    TELL(stat(node, &status));
    printf("%o at %ld, %ld\n", status.st_mode & 07777, (long)status.st_atim.tv_sec, (long)status.st_mtim.tv_sec);
}

static void attributes(int fd)
{
    struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };

    TELL(fchmod(fd, 0640));
    TELL(futimens(fd, times));
    tell_times();
    times[1].tv_sec = 3000;
    TELL(syscall(SYS_utimensat, fd, NULL, times, 0));
    TELL(syscall(SYS_fchmod, fd, 0600));
    TELL(syscall(SYS_fchown, fd, -1, -1));
    tell_times();
    TELL(syscall(SYS_fchmodat, AT_FDCWD, node, 0620));
    TELL(syscall(SYS_unlinkat, AT_FDCWD, node, AT_REMOVEDIR));
    TELL(faccessat(fd, "", R_OK, AT_EMPTY_PATH));
    TELL(setxattr(node, "user.x", "1", 1, 0));
    TELL(fsetxattr(fd, "user.x", "1", 1, 0));
    tell_times();
    printf("still %s\n", is_it(fd));
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    node = argv[1];
    name = strrchr(node, '/') + 1;
    memcpy(directory, node, (size_t)(name - node - 1));
    int fd = open(node, O_RDWR | WAY);
    CHECK(fd >= 0 && fstat(fd, &known) == 0 && chdir("/") == 0);
    in_proc(fd);
    restricted();
    opened_otherwise();
    by_path_alone();
    as_socket(fd);
    attributes(fd);
    return 0;
}
