/* supervise_start.c: the supervisor's own process: what it lets go of, and its end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "leaving.h"
#include "supervise.h"

/* Keys reach the whole process group, which is the program's: they are not for us. */
static void set_signals_up(void)
{
    sigset_t all;

    signal(INTERRUPT, SIG_IGN); /* until there is somebody to interrupt */
    sigfillset(&all);
    sigdelset(&all, INTERRUPT);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

/* The program's streams must end for their readers when it closes them; stderr is for what we have to say. */
static void let_go_of_files(int kept)
{
    int null = (int)real.syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        real.dup2(null, 0);
        real.dup2(null, 1);
    }
    if (kept != 3)
        real.dup3(kept, 3, O_CLOEXEC);
    if (real.syscall(SYS_close_range, 4u, ~0u, 0) < 0)
        for (int fd = 4; fd < 1024; fd++)
            real.syscall(SYS_close, fd);
    (void)!real.chdir("/");
}

static int receive_listener(int socket)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    char byte;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    int fd = -1;

    if (real.recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
        return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* So that whoever waits for the run's processes knows whose death to speak of. */
static char sign[RUN_DIRECTORY + 32];

static void leave_sign(void)
{
    snprintf(sign, sizeof sign, "%s/supervisor-%d", run_directory, (int)real.syscall(SYS_getpid));
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, sign, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        real.syscall(SYS_close, fd);
}

/* Its number may soon be another process's. */
void end_supervisor(void)
{
    real.syscall(SYS_unlinkat, AT_FDCWD, sign, 0);
    _exit(0);
}

void supervise(int socket)
{
    prctl(PR_SET_NAME, "devshim-calls");
    setpgid(0, 0); /* what is killed is the program, and who answers its last calls ends after it */
    set_signals_up();
    let_go_of_files(socket);
    raise_limit();
    leave_sign();
    stay_with_outer_host();
    int listener = receive_listener(3);
    if (listener < 0)
        end_supervisor(); /* the program could not be started, and its starter has said why */
    if (!answer_calls_of(listener))
        _exit(1);
    real.syscall(SYS_sendto, 3, "", 1, MSG_NOSIGNAL, NULL, 0);
    real.syscall(SYS_close, 3);

    struct pollfd one = { .fd = listener };
    while (real.poll(&one, 1, -1) <= 0 || !(one.revents & POLLHUP))
        ;
    end_supervisor();
}
