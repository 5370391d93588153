/* launch.c: starts a program with the engine `seccomp`: in a process that is about to become that program, before main().
 *
 * engine.py says so by DEVSHIM_LAUNCH. The process that it starts is any program with the shim in it; that one forks the
 * supervisor, puts itself under the filter, hands the listener over, and executes what was asked for. So the program is the
 * child of whoever waits for it, with the process id that he knows. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "filter.h"
#include "interposed.h"
#include "registry.h"
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
static void make_sockets(int sockets[2])
{
    if (real.syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        refuse("cannot start the supervisor: ", strerror(errno), FAILED);
    for (int i = 0; i < 2; i++) {
        int moved = real.fcntl(sockets[i], F_DUPFD_CLOEXEC, 3);
        if (moved < 0)
            refuse("cannot start the supervisor: ", strerror(errno), FAILED);
        real.syscall(SYS_close, sockets[i]);
        sockets[i] = moved;
    }
}

/* Not our child, for which the program might wait. */
static pid_t fork_supervisor(int socket)
{
    pid_t child = fork();

    if (child < 0)
        refuse("cannot start the supervisor: ", strerror(errno), FAILED);
    if (child == 0) {
        pid_t second = fork();
        if (second == 0)
            supervise(socket);
        _exit(second < 0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0 ? child : -1;
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

/* asked: "d" where data matters in any case, else "-"; "p" where LD_PRELOAD must go, else "-"; ":" and the path. */
static void __attribute__((noreturn)) launch(const char *asked, char **words)
{
    char path[PATH_MAX];
    int sockets[2];
    bool data = asked[0] == 'd', bare = asked[1] == 'p';

    if (strlen(asked + 3) >= sizeof path)
        refuse("the program's path is too long", "", FAILED);
    strcpy(path, asked + 3);
    unsetenv("DEVSHIM_LAUNCH");
    if (bare)
        unsetenv("LD_PRELOAD");
    if (!registry)
        refuse("the run's registry cannot be read", "", FAILED);
    make_sockets(sockets);
    pid_t supervisor = fork_supervisor(sockets[1]);
    real.syscall(SYS_close, sockets[1]);
    if (supervisor < 0)
        refuse("cannot start the supervisor", "", FAILED);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* where Yama lets only ancestors look in; else it is no request */
    int listener = install_filter(data || data_matters());
    if (listener < 0)
        refuse("the engine seccomp does not work here (--engine preload starts the program without devices): ",
               why_no_filter(errno), FAILED);
    if (!hand_over(sockets[0], listener))
        refuse("the supervisor could not begin", "", FAILED);
    real.syscall(SYS_close, listener);
    real.syscall(SYS_close, sockets[0]);
    execute(path, words);
}

__attribute__((constructor)) static void launch_if_asked(int count, char **words)
{
    const char *asked = getenv("DEVSHIM_LAUNCH");

    if (!asked || count <= OWN_WORDS || strlen(asked) < 4)
        return;
    START_ONCE();
    launch(asked, words + OWN_WORDS);
}
