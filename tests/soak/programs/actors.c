/* actors.c: performs scripts of steps by several processes and threads, and prints what each step answered.
 *
 *     actors STAGE SCRIPT...      STAGE: a file for what is shared
 *
 * One step is ordered at a time, so that what each must answer can be told beforehand. A step that waits in the kernel
 * answers "waits", and its actor is joined later. Lines: "= SCRIPT", "STEP RESULT ERRNO CRC EXTRA" or "STEP waits",
 * "H" with what /dev/health0 says once all actors are dead, and "hang STEP" where a step neither ends nor waits. */
#define _GNU_SOURCE
#include "actors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 20 /* seconds for a step to end, or to wait */ };

struct stage *stage;
static __thread struct actor *myself;
extern char **environ;

static void futex_wait(uint32_t *word, uint32_t value, long nanoseconds)
{
    struct timespec patience = { .tv_nsec = nanoseconds };
    syscall(SYS_futex, word, FUTEX_WAIT, value, nanoseconds ? &patience : NULL, NULL, 0);
}

static void set_state(struct actor *actor, enum state state)
{
    __atomic_store_n(&actor->state, state, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &actor->state, FUTEX_WAKE, 64, NULL, NULL, 0);
}

static enum state state_of(const struct actor *actor)
{
    return __atomic_load_n(&actor->state, __ATOMIC_SEQ_CST);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- Actors */

static void on_signal(int number)
{
    if (myself)
        myself->handled[number == SIGUSR2]++;
}

static void take_signals(void)
{
    struct sigaction ends = { .sa_handler = on_signal }, restarts = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigaction(SIGUSR1, &ends, NULL);
    sigaction(SIGUSR2, &restarts, NULL);
    signal(SIGCHLD, SIG_IGN); /* the dead are reaped at once */
}

void act(int index)
{
    struct actor *self = myself = &stage->actors[index];

    prepare_memory();
    self->pid = getpid();
    self->tid = (pid_t)syscall(SYS_gettid);
    set_state(self, IDLE);
    for (;;) {
        enum state state;
        while ((state = state_of(self)) != ORDERED)
            futex_wait(&self->state, state, 0);
        perform(self, &stage->script[self->step]);
        set_state(self, DONE);
    }
}

static void *act_in_thread(void *index)
{
    act((int)(intptr_t)index);
}

static int start_thread(int index)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    return pthread_create(&thread, &attributes, act_in_thread, (void *)(intptr_t)index) == 0 ? 0 : -1;
}

static pid_t start_process(int index, const char *how)
{
    char name[2] = { (char)('a' + index), '\0' };
    char *words[] = { "actors", "--actor", stage->path, name, NULL };
    pid_t child = -1;

    if (strcmp(how, "spawn") == 0)
        return posix_spawn(&child, stage->image, NULL, NULL, words, environ) == 0 ? child : -1;
    child = strcmp(how, "fork") == 0 ? fork() : vfork();
    if (child == 0 && strcmp(how, "fork") == 0)
        act(index);
    if (child == 0) {
        execv(stage->image, words);
        _exit(127);
    }
    return child;
}

long bring_to_life(int index, int process, const char *how)
{
    struct actor *actor = &stage->actors[index];
    int in_thread = strcmp(how, "thread") == 0;
    double deadline = now() + PATIENCE;

    memset(actor, 0, sizeof *actor);
    actor->process = in_thread ? process : index;
    if (!in_thread)
        memcpy(stage->vars[index], stage->vars[process], sizeof stage->vars[index]);
    if ((in_thread ? start_thread(index) : start_process(index, how)) < 0)
        return -1;
    while (state_of(actor) != IDLE && now() < deadline)
        futex_wait(&actor->state, ABSENT, 2000000);
    return state_of(actor) == IDLE ? 0 : -7;
}

/* ---- The director */

/* Whether a thread sleeps in a system call in which devices' calls wait (proc(5), /proc/pid/task/tid/syscall). */
static int waits_in_kernel(const struct actor *actor)
{
    static const long WAITS[] = { SYS_recvfrom, SYS_ppoll, SYS_pselect6, SYS_epoll_pwait, SYS_read, SYS_readv,
#ifdef SYS_poll
                                  SYS_poll, SYS_select, SYS_epoll_wait,
#endif
    };
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", actor->pid, actor->tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0 || text[0] < '0' || text[0] > '9')
        return 0;
    text[got] = '\0';
    long number = strtol(text, NULL, 10);
    for (size_t i = 0; i < sizeof WAITS / sizeof *WAITS; i++)
        if (number == WAITS[i])
            return 1;
    return 0;
}

static void hang(int step, const char *why)
{
    printf("hang %d %s\n", step, why);
    fflush(stdout);
    for (int i = 0; i < MOST_ACTORS; i++)
        if (state_of(&stage->actors[i]) != ABSENT && stage->actors[i].pid > 0)
            kill(stage->actors[i].pid, SIGKILL);
    exit(3);
}

static void print_answer(int step, struct actor *actor)
{
    printf("%d %ld %d %u %ld\n", step, actor->result, actor->error, actor->crc, actor->extra);
    set_state(actor, IDLE);
}

/* Seen asleep once it may have been on its way: for a page, or for a supervisor to let the call through. */
static void await(int step, struct actor *actor)
{
    enum { ASLEEP = 8 };
    double deadline = now() + PATIENCE;
    int may_wait = strcmp(operation_name(stage->script[actor->step].op), "echo") != 0; /* which waits for its answer */
    int asleep = 0;
    while (state_of(actor) != DONE) {
        asleep = may_wait && waits_in_kernel(actor) ? asleep + 1 : 0;
        if (asleep > ASLEEP && state_of(actor) != DONE) {
            printf("%d waits\n", step);
            return;
        }
        if (now() > deadline)
            hang(step, "neither ends nor waits");
        futex_wait(&actor->state, ORDERED, 200000);
    }
    print_answer(step, actor);
}

static void join(int step, struct actor *actor)
{
    double deadline = now() + PATIENCE;
    while (state_of(actor) != DONE) {
        if (now() > deadline)
            hang(step, "still waits");
        futex_wait(&actor->state, ORDERED, 2000000);
    }
    print_answer(step, actor);
}

/* An actor that executes itself comes back as IDLE under its old number. */
static void execute(int step, struct actor *actor)
{
    double deadline = now() + PATIENCE;
    while (state_of(actor) != IDLE && state_of(actor) != DONE) {
        if (now() > deadline)
            hang(step, "did not come back from exec");
        futex_wait(&actor->state, state_of(actor), 2000000);
    }
    if (state_of(actor) == DONE)
        print_answer(step, actor);
    else
        printf("%d 0 0 0 0\n", step);
}

/* HOW 0: it must end with EINTR; again and again, for a signal between its question and its wait is a lost one.
 * HOW 1: its handler restarts what it interrupts, so it still waits afterwards. */
static void signal_actor(int step, struct actor *actor, long how)
{
    double deadline = now() + PATIENCE;
    int before = actor->handled[how];
    do {
        syscall(SYS_tgkill, actor->pid, actor->tid, how ? SIGUSR2 : SIGUSR1);
        for (int looks = 0; looks < 20 && state_of(actor) != DONE && actor->handled[how] == before; looks++)
            futex_wait(&actor->state, ORDERED, 1000000);
        if (how == 0)
            futex_wait(&actor->state, ORDERED, 2000000);
        if (now() > deadline)
            hang(step, "was not interrupted");
    } while (how == 0 ? state_of(actor) != DONE : actor->handled[how] == before);
    if (how)
        await(step, actor);
    else
        print_answer(step, actor);
}

static int exists(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

static void kill_process(int step, struct actor *actor)
{
    int process = actor->process;
    pid_t pid = actor->pid;
    double deadline = now() + PATIENCE;

    kill(pid, SIGKILL);
    while (exists(pid)) {
        waitpid(pid, NULL, WNOHANG);
        if (now() > deadline)
            hang(step, "was not killed");
        nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
    for (int i = 0; i < MOST_ACTORS; i++)
        if (stage->actors[i].process == process)
            stage->actors[i].state = ABSENT;
    if (step < 0)
        return;
    int health = open("/dev/health0", O_WRONLY | O_CLOEXEC); /* the host has to hear of it before the next step */
    if (health < 0 || write(health, "", 1) != 1)
        perror("/dev/health0");
    close(health);
    printf("%d 0 0 0 0\n", step);
}

static void direct(int number)
{
    const struct step *step = &stage->script[number];
    struct actor *actor = &stage->actors[step->actor];
    const char *name = operation_name(step->op);

    if (strcmp(name, "join") == 0) {
        join(number, actor);
    } else if (strcmp(name, "signal") == 0) {
        signal_actor(number, actor, step->words[0]);
    } else if (strcmp(name, "kill") == 0) {
        kill_process(number, actor);
    } else {
        actor->step = number;
        set_state(actor, ORDERED);
        if (strcmp(name, "exec") == 0)
            execute(number, actor);
        else
            await(number, actor);
    }
}

static void load(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "re");
    if (!file) {
        perror(path);
        exit(1);
    }
    stage->steps = 0;
    while (stage->steps < MOST_STEPS && fgets(line, sizeof line, file)) {
        struct step *step = &stage->script[stage->steps++];
        char word[16];
        memset(step, 0, sizeof *step);
        if (sscanf(line, "%d %15s %ld %ld %ld %ld %ld %ld", &step->actor, word, &step->words[0], &step->words[1],
                   &step->words[2], &step->words[3], &step->words[4], &step->words[5]) < 2
            || (step->op = operation(word)) < 0 || step->actor < 0 || step->actor >= MOST_ACTORS) {
            fprintf(stderr, "%s: %s", path, line);
            exit(1);
        }
    }
    fclose(file);
}

/* What the host holds must become what it was; it may hear of the last deaths a moment later. */
static void tell_health(int after)
{
    static char before[512];
    char text[sizeof before];

    for (int looks = 0;; looks++) {
        memset(text, 0, sizeof text);
        int fd = open("/dev/health0", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
            perror("/dev/health0");
        close(fd);
        const char *varying = strstr(text, "\"rss\"");
        if (!after || looks == 500 || (varying && strncmp(text, before, (size_t)(varying - text)) == 0))
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
    printf("H %s", text);
    memcpy(before, text, sizeof before);
}

static void play(const char *path)
{
    int ends[2];

    load(path);
    printf("= %s\n", path);
    memset(stage->actors, 0, sizeof stage->actors);
    memset(stage->vars, 0xFF, sizeof stage->vars);
    tell_health(0);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0)
        exit(1);
    dup2(ends[0], PASSED);
    dup2(ends[1], PASSED + 1);
    close(ends[0]);
    close(ends[1]);
    fflush(stdout);
    if (bring_to_life(0, 0, "fork") != 0)
        hang(0, "the first actor did not start");
    for (int step = 0; step < stage->steps; step++)
        direct(step);
    for (int i = 0; i < MOST_ACTORS; i++)
        if (state_of(&stage->actors[i]) != ABSENT)
            kill_process(-1, &stage->actors[i]);
    close(PASSED);
    close(PASSED + 1);
    tell_health(1);
    fflush(stdout);
}

static void map_stage(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *stage) < 0) {
        perror(path);
        exit(1);
    }
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
}

int main(int count, char **words)
{
    take_signals();
    if (count == 4 && strcmp(words[1], "--actor") == 0) {
        map_stage(words[2]);
        act(words[3][0] - 'a');
    }
    map_stage(words[1]);
    snprintf(stage->path, sizeof stage->path, "%s", words[1]);
    if (readlink("/proc/self/exe", stage->image, sizeof stage->image - 1) < 0)
        return 1;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (int i = 2; i < count; i++)
        play(words[i]);
    return 0;
}
