/* What a program does with a host inside of it. The first argument says what, the second is the node. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *node;

static int opened(void)
{
    int fd = open(node, O_RDWR);
    if (fd < 0) {
        perror(node);
        exit(3);
    }
    return fd;
}

static long number(int fd)
{
    char text[32];
    ssize_t got = read(fd, text, sizeof text - 1);
    if (got < 0)
        return -errno;
    text[got] = '\0';
    return atol(text);
}

static void *reads(void *unused)
{
    int fd = opened();
    (void)unused;
    for (int i = 0; i < 200; i++)
        if (number(fd) <= 0)
            exit(4);
    close(fd);
    return NULL;
}

static void threads(void)
{
    pthread_t all[8];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++)
            pthread_create(&all[i], NULL, reads, NULL);
        for (int i = 0; i < 8; i++)
            pthread_join(all[i], NULL);
    }
    printf("%ld\n", number(opened()));
}

static int result_of(pid_t child)
{
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Each process counts for itself: no device was open yet. */
static void fork_first(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit((int)number(opened()));
    int theirs = result_of(child);
    printf("%d %ld\n", theirs, number(opened()));
}

/* The child is a target of its parent. */
static void fork_later(void)
{
    int fd = opened();
    long first = number(fd);
    pid_t child = fork();
    if (child == 0)
        _exit((int)number(fd) + 10 * (int)number(opened()));
    int theirs = result_of(child);
    printf("%ld %d %ld\n", first, theirs, number(fd));
}

static void exec_later(void)
{
    int fd = opened();
    printf("%ld\n", number(fd));
    fflush(stdout);
    char command[256];
    snprintf(command, sizeof command, "head -c 1 %s; env -u LD_PRELOAD head -c 1 %s", node, node);
    if (system(command))
        exit(5);
    printf("%ld\n", number(fd));
}

/* As daemons do it. What the host inside has open is none of the program's. */
static void closes(void)
{
    printf("%ld", number(opened()));
    for (int way = 0; way < 4; way++) {
        if (way == 0)
            for (int fd = 3; fd < 4096; fd++)
                close(fd);
        else if (way == 1)
            syscall(SYS_close_range, 3, ~0u, 0);
#if __GLIBC_PREREQ(2, 34)
        else if (way == 2)
            close_range(3, ~0u, 0);
        else
            closefrom(3);
#else
        else
            syscall(SYS_close_range, 3, 2000, 0);
#endif
        int fd = opened();
        printf(" %d %ld", fd, number(fd));
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit((int)number(opened()));
    printf(" %d\n", result_of(child));
}

/* The host goes with its process: its devices are unplugged for a child that lives on. */
static void orphan(void)
{
    int fd = opened(), gone[2];
    char byte;

    number(fd);
    if (pipe(gone) < 0)
        exit(8);
    if (fork() == 0) {
        close(gone[1]);
        if (read(gone[0], &byte, 1) < 0)
            _exit(1);
        printf("%ld %d\n", number(fd), open(node, O_RDWR));
        exit(0);
    }
}

static volatile sig_atomic_t in_handler, busy, handled;
static int handler_fd;

static void handle(int signal)
{
    (void)signal;
    in_handler = 1;
    long got = number(handler_fd);
    if (got == -EBUSY)
        busy++;
    else if (got > 0)
        handled++;
    else
        _exit(6);
    in_handler = 0;
}

/* A handler that reads the device interrupts calls on it: it gets an answer or EBUSY, and nothing hangs. */
static void signals(void)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };
    timer_t timer;
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };

    handler_fd = opened();
    number(handler_fd);
    sigaction(SIGALRM, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    for (int i = 0; i < 20000 || busy + handled < 20; i++)
        if (number(handler_fd) <= 0)
            exit(7);
    timer_delete(timer);
    puts(busy + handled > 0 ? "handled" : "nothing came");
}

/* What must be as it was after the interpreter has come. */
static void surroundings(void)
{
    extern char **environ;
    struct sigaction before[32], after[32];
    sigset_t mask, mask_after;
    int variables = 0;

    for (int i = 1; i < 32; i++)
        sigaction(i, NULL, &before[i]);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    while (environ[variables])
        variables++;
    opened();
    for (int i = 1; i < 32; i++) {
        sigaction(i, NULL, &after[i]);
        if (before[i].sa_handler != after[i].sa_handler)
            printf("signal %d\n", i);
    }
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    int now = 0;
    while (environ[now])
        now++;
    printf("%s %d %d\n", setlocale(LC_ALL, NULL), now - variables, memcmp(&mask, &mask_after, sizeof mask));
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";
    node = count > 2 ? words[2] : "/dev/counter0";

    if (!strcmp(what, "threads")) threads();
    if (!strcmp(what, "fork-first")) fork_first();
    if (!strcmp(what, "fork-later")) fork_later();
    if (!strcmp(what, "exec-later")) exec_later();
    if (!strcmp(what, "signals")) signals();
    if (!strcmp(what, "closes")) closes();
    if (!strcmp(what, "orphan")) orphan();
    if (!strcmp(what, "surroundings")) surroundings();
    if (!strcmp(what, "read")) printf("%ld\n", number(opened()));
    if (!strcmp(what, "abort")) number(opened()), abort();
    if (!strcmp(what, "exit")) _exit(number(opened()) == 1 ? 9 : 1);
    return 0;
}
