/* signals.c: signals around and inside calls. signals HOW NODE; NODE is a Hot, or where calls wait a Mailbox */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "check.h"

#define TAKE _IOR('P', 2, int)
#define TOLD _IO('P', 1)

static const char *node;
static int fd;
static volatile sig_atomic_t handled, wrong;

static void every(long microseconds)
{
    struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void on(int number, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    CHECK(sigaction(number, &action, NULL) == 0);
}

/* ---- Device I/O in a handler, while the same thread is inside a call */

static void use_the_device(int number)
{
    int before = errno;
    struct { int a, b; } state = { 0, 0 };
    (void)number;
    if (!reads(fd) || ioctl(fd, _IOR('M', 1, state), &state) != 0 || state.b != 2 || write(fd, "x", 1) != 1)
        wrong = 1;
    handled++;
    errno = before;
}

static void in_a_handler(int flags)
{
    static char stack[1 << 16];
    stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
    CHECK(!(flags & SA_ONSTACK) || sigaltstack(&other, NULL) == 0);
    on(SIGALRM, use_the_device, flags);
    every(300);
    while (handled < 300)
        CHECK(reads(fd));
    every(0);
    CHECK(!wrong && reads(fd));
}

/* ---- Out of a call by siglongjmp */

static sigjmp_buf out;

static void jump(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

static void out_of_a_call(int flags, int most)
{
    static char stack[1 << 16];
    stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
    volatile int jumps = 0;
    CHECK(!(flags & SA_ONSTACK) || sigaltstack(&other, NULL) == 0);
    on(SIGALRM, jump, flags);
    while (jumps < most) {
        if (sigsetjmp(out, 1)) {
            jumps++;
            continue;
        }
        ualarm(150, 0); /* one at a time: on a busy machine a repeated one would fill the signal stack */
        for (;;) {
            struct { int a, b; } state;
            CHECK(reads(fd));
            CHECK(ioctl(fd, _IOR('M', 1, state), &state) == 0 && state.b == 2);
        }
    }
    signal(SIGALRM, SIG_IGN);
    for (int i = 0; i < 1000; i++)
        CHECK(reads(fd));
}

/* The same where the call waits; NODE is a Mailbox. What is written afterwards is not for the call that was left, from
 * wherever it is written. */
static void __attribute__((noinline)) writes_and_reads(int depth)
{
    volatile char deep[512];
    char c;
    deep[depth] = 0;
    if (depth > 0)
        writes_and_reads(depth - 1);
    else
        CHECK(write(fd, "h", 1) == 1 && read(fd, &c, 1) == 1 && c == 'h');
    deep[0] = 0;
}

static void out_of_a_wait(int most)
{
    volatile int jumps = 0;
    int letter;
    char c;
    on(SIGALRM, jump, 0);
    while (jumps < most) {
        if (sigsetjmp(out, 1)) {
            jumps++;
            writes_and_reads(jumps % 8);
            continue;
        }
        ualarm(20 + 20 * (jumps % 25), 0);
        if (jumps % 2)
            read(fd, &c, 1);
        else
            ioctl(fd, TAKE, &letter);
        CHECK(!"a letter has come");
    }
}

/* ---- A call that waits, ended by a signal */

static void count(int number)
{
    (void)number;
    handled++;
}

static void interrupted(void)
{
    int letter;
    char c;
    on(SIGALRM, count, 0);
    every(2000);
    CHECK(read(fd, &c, 1) == -1 && errno == EINTR);
    CHECK(ioctl(fd, TAKE, &letter) == -1 && errno == EINTR);
    every(0);
    CHECK(handled >= 2);
}

/* Signals that come before a call waits, too. */
static void interrupted_often(void)
{
    char c;
    on(SIGALRM, count, 0);
    every(300);
    for (int i = 0; i < 1500; i++)
        CHECK(read(fd, &c, 1) == -1 && errno == EINTR);
    every(0);
}

static void write_at_the_fifth(int number)
{
    (void)number;
    if (++handled == 5)
        CHECK(write(fd, "h", 1) == 1);
}

static void restarted(void)
{
    int letter;
    char c;
    on(SIGALRM, write_at_the_fifth, SA_RESTART);
    every(2000);
    CHECK(read(fd, &c, 1) == 1 && c == 'h' && handled >= 5);
    handled = 0;
    CHECK(ioctl(fd, TAKE, &letter) == 0 && letter == 'h' && handled >= 5);
    every(0);
}

static void killed(void)
{
    char c;
    signal(SIGALRM, SIG_DFL);
    every(2000);
    read(fd, &c, 1);
    CHECK(!"still alive");
}

/* ---- Threads cancelled while they wait */

static void *wait_in_read(void *unused)
{
    char c;
    (void)unused;
    read(fd, &c, 1);
    return NULL;
}

static void *wait_in_ioctl(void *unused)
{
    int letter;
    (void)unused;
    ioctl(fd, TAKE, &letter);
    return NULL;
}

/* An open closes what cancelled threads left, once the kernel knows them no more, which may be after pthread_join(). */
static int lowest(void)
{
    close(open(node, O_RDWR));
    int free = dup(fd);
    close(free);
    return free;
}

static void cancelled(void)
{
    int first = lowest(), told = 0;
    for (int i = 0; i < 60; i++) {
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, i % 2 ? wait_in_ioctl : wait_in_read, NULL) == 0);
        UNTIL(ioctl(fd, TOLD) > told);
        told = ioctl(fd, TOLD);
        pthread_cancel(thread);
        CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
    UNTIL(lowest() == first); /* nothing of the shim's own was left open */
    CHECK(write(fd, "h", 1) == 1 && read(fd, &first, 1) == 1);
}

static FILE *stream;

static void *wait_in_fread(void *room)
{
    return fread(room, 1, 1 << 16, stream) ? NULL : room;
}

/* Whoever is next finds the stream unlocked. */
static void cancelled_in_a_stream(void)
{
    static char room[1 << 16];
    pthread_t thread;
    void *result;
    stream = fdopen(fd, "r+");
    CHECK(stream && pthread_create(&thread, NULL, wait_in_fread, room) == 0);
    UNTIL(ioctl(fd, TOLD) > 0);
    pthread_cancel(thread);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(ftrylockfile(stream) == 0);
    funlockfile(stream);
    CHECK(fclose(stream) == 0);
}

static volatile int rounds;

static void *read_again_and_again(void *unused)
{
    (void)unused;
    for (;;) {
        CHECK(reads(fd));
        rounds++;
        pthread_testcancel();
    }
    return NULL;
}

/* While they are in calls that are answered; NODE is a Hot */
static void cancelled_at_work(void)
{
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        void *result;
        rounds = 0;
        CHECK(pthread_create(&thread, NULL, read_again_and_again, NULL) == 0);
        UNTIL(rounds > i % 7);
        pthread_cancel(thread);
        CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
    CHECK(reads(fd));
}

/* ---- A fork in the middle of a call: NODE is a Signaller, and waits for a file */

static const char *file;
static volatile pid_t forked = -1;

static void fork_in_handler(int number)
{
    (void)number;
    forked = fork();
    if (forked > 0)
        CHECK(close(open(file, O_WRONLY | O_CREAT, 0666)) == 0);
}

static void forks_in_a_call(void)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "%d %s", (int)getpid(), file), status;
    on(SIGUSR1, fork_in_handler, SA_RESTART);
    ssize_t written = write(fd, text, (size_t)length);
    if (forked == 0) {
        CHECK(written == -1 && errno == EINTR && reads(fd));
        exit(0);
    }
    CHECK(written == length && reads(fd));
    CHECK(waitpid(forked, &status, 0) == forked && status == 0);
}

int main(int argc, char **argv)
{
    const char *how = argv[1];
    int most = argc > 3 ? atoi(argv[3]) : 10000;
    node = argv[2];
    file = argv[3];
    fd = open(node, O_RDWR);
    CHECK(fd >= 0);
    if (strcmp(how, "handler") == 0)
        in_a_handler(SA_RESTART);
    else if (strcmp(how, "handler-altstack") == 0)
        in_a_handler(SA_RESTART | SA_ONSTACK);
    else if (strcmp(how, "jump") == 0)
        out_of_a_call(0, most);
    else if (strcmp(how, "jump-altstack") == 0)
        out_of_a_call(SA_ONSTACK, most);
    else if (strcmp(how, "jump-waiting") == 0)
        out_of_a_wait(most);
    else if (strcmp(how, "cancelled-at-work") == 0)
        cancelled_at_work();
    else if (strcmp(how, "interrupted") == 0)
        interrupted();
    else if (strcmp(how, "interrupted-often") == 0)
        interrupted_often();
    else if (strcmp(how, "restarted") == 0)
        restarted();
    else if (strcmp(how, "killed") == 0)
        killed();
    else if (strcmp(how, "cancelled-in-a-stream") == 0)
        cancelled_in_a_stream();
    else if (strcmp(how, "cancelled") == 0)
        cancelled();
    else if (strcmp(how, "forks") == 0)
        forks_in_a_call();
    else
        CHECK(!"no such way");
    return 0;
}
