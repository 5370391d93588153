/* hooked_jumps.c: leaves hooked functions by longjmp: cos() from a signal's handler, qsort() from its own comparison. */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t in_call, jumps, signals;
static volatile double one = 1;

static void jump(int number)
{
    (void)number;
    if (!in_call)
        return;
    in_call = 0;
    jumps++;
    siglongjmp(back, 1);
}

static void count(int number)
{
    (void)number;
    signals++;
}

static int compare(const void *a, const void *b)
{
    (void)a;
    (void)b;
    raise(SIGUSR1);
    _longjmp(back, 1); /* which leaves the signal mask alone */
}

static void from_handlers(void)
{
    struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };

    signal(SIGALRM, jump);
    sigsetjmp(back, 1);
    if (jumps == 0)
        setitimer(ITIMER_REAL, &often, NULL);
    while (jumps < 50) {
        in_call = 1;
        (void)!cos(one);
        in_call = 0;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%d jumps, %.1f\n", (int)jumps, cos(one));
}

static void from_original(void)
{
    int numbers[] = { 2, 1 };
    sigset_t blocked;

    signal(SIGUSR1, count);
    if (sigsetjmp(back, 0))
        jumps++;
    if (jumps < 3)
        qsort(numbers, 2, sizeof *numbers, compare);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(cos(one) < 1 ? 0 : 1);
    waitpid(child, &status, 0);
    printf("%d jumps, %d signals, blocked: %d, %d, %.1f\n", (int)jumps, (int)signals, sigismember(&blocked, SIGINT), status,
           cos(one));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "handler") == 0)
        from_handlers();
    else
        from_original();
    return 0;
}
