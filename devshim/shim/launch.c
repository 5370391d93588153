/* launch.c: starts a program with the engine `seccomp`: in a process that is about to become that program, before main().
 *
 * engine.py says so by DEVSHIM_LAUNCH, or a wrapper that executes a program (supervisable.h). The process that is started is
 * any program with the shim in it; that one forks the supervisor, puts itself under the filter, hands the listener over, and
 * executes what was asked for. So the program is the child of whoever waits for it, with the process id that he knows. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "filter.h"
#include "interposed.h"
#include "registry.h"
#include "supervisable.h"
#include "supervise.h"

enum { OWN_WORDS = 5, FAILED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

extern char **environ;

static void __attribute__((noreturn)) refuse(const char *text, const char *more, int code)
{
    struct iovec parts[] = { { "devshim: ", 9 }, { (void *)(uintptr_t)text, strlen(text) },
                             { (void *)(uintptr_t)more, strlen(more) }, { "\n", 1 } };
    real.writev(2, parts, 4);
    _exit(code);
}

/* Whether anything is plugged whose data is not the kernel's alone. */
static bool data_matters(void)
{
    const struct node *nodes = (const struct node *)((const char *)registry + registry->nodes_at);
    const uint32_t ours = DEVICE_READ | DEVICE_WRITE | DEVICE_SEEK | DEVICE_STREAM | DEVICE_REPORT | DEVICE_ASKS;

    if (registry->flags & REGISTRY_OPENINGS)
        return true;
    for (uint32_t i = 0; i < MAX_NODES; i++) {
        size_t page = (size_t)((const char *)&nodes[i] - (const char *)registry) / 4096;
        bool there = registry->present[page / 64] >> (page % 64) & 1;
        if (there && nodes[i].kind == NODE_DEVICE && registry_device(nodes[i].device)->flags & ours)
            return true;
    }
    return false;
}

/* Beyond the standard streams, which the program may have closed. */
static bool make_sockets(int sockets[2])
{
    if (real.syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        int moved = real.fcntl(sockets[i], F_DUPFD_CLOEXEC, 3);
        if (moved < 0)
            return false;
        real.syscall(SYS_close, sockets[i]);
        sockets[i] = moved;
    }
    return true;
}

/* The end of a child of ours is nothing that the program should hear of, where it holds such signals back. */
static bool child_signal_waits(void)
{
    sigset_t waiting;
    return sigpending(&waiting) == 0 && sigismember(&waiting, SIGCHLD);
}

static void take_child_signal(void)
{
    const struct timespec at_once = { 0 };
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (child_signal_waits())
        sigtimedwait(&child, NULL, &at_once);
}

/* Not our child, for which the program might wait. */
static bool fork_supervisor(int socket)
{
    bool had_signal = child_signal_waits();
    pid_t child = fork();

    if (child < 0)
        return false;
    if (child == 0) {
        pid_t second = fork();
        if (second == 0)
            supervise(socket);
        _exit(second < 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!had_signal)
        take_child_signal();
    return status == 0;
}

static bool hand_over(int socket, int listener)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { .room = { 0 } };
    struct iovec part = { "", 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    char byte;

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof listener);
    memcpy(CMSG_DATA(head), &listener, sizeof listener);
    return real.sendmsg(socket, &message, MSG_NOSIGNAL) == 1 && real.recv(socket, &byte, 1, 0) == 1;
}

static const char *why_no_filter(int error)
{
    switch (error) {
    case EBUSY:
        return "its calls are supervised already, by a container's runtime or another devshim";
    case EINVAL:
        return "it needs Linux 5.19 or later";
    case ENOTSUP:
        return "it is made for x86-64 and AArch64";
    case EMFILE:
    case EAGAIN:
        return "there is no room for another file or process";
    case EPERM:
    case EACCES:
    case ENOSYS:
        return "seccomp(2) is forbidden here, as some containers do (--security-opt seccomp=unconfined)";
    }
    return strerror(error);
}

static void __attribute__((noreturn)) execute(const char *path, char **words)
{
    real.syscall(SYS_execve, path, words, environ);
    if (errno == ENOEXEC) { /* a script without a first line, as in execvp(3) */
        int count = 0;
        while (words[count])
            count++;
        char *shell[count + 2];
        shell[0] = "sh";
        shell[1] = (char *)(uintptr_t)path;
        for (int i = 1; i <= count; i++)
            shell[i + 1] = words[i];
        real.syscall(SYS_execve, "/bin/sh", shell, environ);
    }
    int error = errno;
    refuse(path, error == ENOENT ? ": its interpreter, named in its first line or in its ELF header, is missing" : ": cannot be executed",
           error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/* What was asked for, by LAUNCH_NAME. */
struct asked {
    bool data, bare, words, child;
    char path[PATH_MAX];
};

static bool read_asked(const char *text, struct asked *asked)
{
    const char *path = strchr(text, ':');

    if (!path || strlen(path + 1) >= sizeof asked->path)
        return false;
    for (; *text != ':'; text++) {
        asked->data |= *text == 'd';
        asked->bare |= *text == 'p';
        asked->words |= *text == 'w';
        asked->child |= *text == 'c';
    }
    strcpy(asked->path, path + 1);
    return true;
}

/* The program that the user started has to be supervised; one that another program executes has to be executed. */
static void __attribute__((noreturn)) give_up(const struct asked *asked, char **words, const char *why)
{
    if (!asked->child)
        refuse("the engine seccomp does not work here (--engine preload starts the program without devices): ", why, FAILED);
    say_unsupervised(asked->path, why);
    execute(asked->path, words);
}

/* By hand, because some programs, such as bash, have an unsetenv() of their own. */
static void take_away(const char *name)
{
    size_t length = strlen(name);
    char **to = environ;

    for (char **from = environ; *from; from++)
        if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
            *to++ = *from;
    *to = NULL;
}

static void __attribute__((noreturn)) launch(const struct asked *asked, char **words)
{
    int sockets[2];

    take_away(LAUNCH_NAME);
    if (asked->bare)
        take_away("LD_PRELOAD");
    if (!registry)
        refuse("the run's registry cannot be read", "", FAILED);
    if (registry->flags & REGISTRY_RECORDS)
        give_up(asked, words, "what it does cannot be recorded");
    if (!make_sockets(sockets) || !fork_supervisor(sockets[1]))
        give_up(asked, words, why_no_filter(errno));
    real.syscall(SYS_close, sockets[1]);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* where Yama lets only ancestors look in; else it is no request */
    int listener = install_filter(asked->data || data_matters());
    if (listener < 0)
        give_up(asked, words, why_no_filter(errno));
    if (!hand_over(sockets[0], listener))
        refuse("the supervisor could not begin", "", FAILED);
    real.syscall(SYS_close, listener);
    real.syscall(SYS_close, sockets[0]);
    execute(asked->path, words);
}

__attribute__((constructor)) static void launch_if_asked(int count, char **words)
{
    struct asked asked = { .data = false };
    const char *text = getenv(LAUNCH_NAME);

    if (!text || !read_asked(text, &asked) || (asked.words && count <= OWN_WORDS))
        return;
    START_ONCE();
    launch(&asked, asked.words ? words + OWN_WORDS : words);
}
