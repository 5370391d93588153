/* opens.c: opens, many at once, with hardly a descriptor left, and of what is not ready. opens HOW NODE [OTHER [THIRD]]
 *
 * NODE is a Counted: what is read of an open file is a number that no other one has had. HOW forked: a Gate. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "check.h"

enum { PROCESSES = 4, THREADS = 4, TIMES = 25, OPENS = PROCESSES * THREADS * TIMES, KILLED = 20 };

static const char *node, *other, *third;
static unsigned char *seen; /* by number, in all processes */

static int number_of(int fd)
{
    char text[16] = "";
    CHECK(read(fd, text, sizeof text - 1) > 0);
    return atoi(text);
}

static void *open_again_and_again(void *nothing)
{
    int before = -1;
    for (int i = 0; i < TIMES; i++) {
        int fd = open(node, O_RDWR | O_CLOEXEC), number = number_of(fd);
        CHECK(number > before && number <= OPENS && __atomic_add_fetch(&seen[number], 1, __ATOMIC_SEQ_CST) == 1);
        CHECK(number_of(fd) == number && close(fd) == 0);
        before = number;
    }
    return nothing;
}

static int in_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, open_again_and_again, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}

static void crowd(void)
{
    seen = mmap(NULL, OPENS + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(seen != MAP_FAILED);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            _exit(in_threads());
    }
    for (int i = 0, status; i < PROCESSES; i++)
        CHECK(wait(&status) > 0 && status == 0);
    for (int i = 1; i <= OPENS; i++)
        CHECK(seen[i] == 1);
}

static void one_descriptor_left(void)
{
    int first = open(node, O_RDWR);
    struct rlimit limit = { first + 2, first + 2 };
    CHECK(first >= 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int second = open(node, O_RDWR);
    CHECK(second == first + 1 && number_of(second) == number_of(first) + 1);
    CHECK(open(node, O_RDWR) < 0 && errno == EMFILE);
}

static short ready(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT };
    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

/* OTHER is a Shut: what is not writable from the start becomes so, however it was opened. */
static void shut(void)
{
    int key = open(node, O_RDWR), fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = open(other, O_RDWR);
        CHECK(fds[i] >= 0 && ready(fds[i]) == POLLIN);
    }
    CHECK(write(key, "open", 4) == 4);
    for (int i = 0; i < 3; i++)
        UNTIL(ready(fds[i]) == (POLLIN | POLLOUT));
}

static void statuses(void)
{
    for (int i = 0; i < 2; i++) {
        int fd = open(node, O_RDWR | O_NONBLOCK | O_APPEND);
        CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND)) == (O_RDWR | O_NONBLOCK | O_APPEND));
        CHECK(fcntl(fd, F_GETFD) == 0);
        fd = open(node, O_RDONLY | O_CLOEXEC);
        CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND)) == O_RDONLY);
        CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    }
}

static void die_somewhere_in_open(int told)
{
    CHECK(open(node, O_RDWR) >= 0 && write(told, "!", 1) == 1);
    for (;;)
        close(open(node, O_RDWR));
}

/* OTHER is an Opens: whatever moment they died at, no file of theirs stays open. */
static void killed(void)
{
    int pipes[2], fd, now = 0;
    pid_t children[KILLED];
    char c, text[16] = "";

    CHECK(pipe(pipes) == 0);
    for (int i = 0; i < KILLED; i++) {
        CHECK((children[i] = fork()) >= 0);
        if (children[i] == 0)
            die_somewhere_in_open(pipes[1]);
        CHECK(read(pipes[0], &c, 1) == 1);
        CHECK(kill(children[i], SIGKILL) == 0 && waitpid(children[i], NULL, 0) == children[i]);
    }
    for (int looks = 0; looks < 10000 && now != 1; looks++) {
        CHECK((fd = open(node, O_RDWR)) >= 0 && read(fd, text, sizeof text - 1) > 0);
        now = atoi(text);
        close(fd);
    }
    CHECK(now == 1);
}

/* OTHER is a Listener: a close is noticed though nobody makes a call behind it. */
static void heard(void)
{
    char text[16] = "";
    int go[2], status;

    CHECK(pipe(go) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int fd = open(other, O_RDWR);
        CHECK(write(go[1], "!", 1) == 1 && read(fd, text, sizeof text - 1) > 0 && atoi(text) == TIMES);
        _exit(0);
    }
    CHECK(read(go[0], text, 1) == 1);
    for (int i = 0; i < TIMES; i++)
        CHECK(close(open(node, O_RDWR)) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void *open_and_close(void *nothing)
{
    CHECK(close(open(node, O_RDWR)) == 0);
    return nothing;
}

/* OTHER is a Keeper, THIRD a Listener: a child of meanwhile keeps nothing of what another thread is about to open. */
static void forked(void)
{
    int keeper = open(other, O_RDWR), listener = open(third, O_RDWR), until[2], status;
    char text[16] = "";
    pthread_t thread;

    CHECK(pipe(until) == 0 && pthread_create(&thread, NULL, open_and_close, NULL) == 0);
    UNTIL(number_of(keeper) == 1);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(until[1]);
        _exit(read(until[0], text, 1) != 0);
    }
    CHECK(write(keeper, "open", 4) == 4 && pthread_join(thread, NULL) == 0);
    CHECK(read(listener, text, sizeof text - 1) == 2 && atoi(text) == 1);
    close(until[1]);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *how;
        void (*what)(void);
    } all[] = { { "crowd", crowd }, { "one-left", one_descriptor_left }, { "shut", shut },
                { "statuses", statuses }, { "killed", killed },
                { "heard", heard },       { "forked", forked } };

    node = argv[2];
    other = argc > 3 ? argv[3] : NULL;
    third = argc > 4 ? argv[4] : NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(argv[1], all[i].how) == 0) {
            all[i].what();
            return 0;
        }
    return 2;
}
