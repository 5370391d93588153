/* What a program without a shim does with devices that wait: to be linked with -static.
 * Usage: supervised WHAT NODE; says what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int device;
static volatile int handled;

static void say(const char *what, long result)
{
    printf("%s %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
    fflush(stdout);
}

static int open_node(const char *node)
{
    int fd = open(node, O_RDWR);
    if (fd < 0)
        say("open", fd);
    return fd;
}

static void every(long microseconds, int flags, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void note(int number)
{
    handled += number == SIGALRM;
}

static void order(int number)
{
    handled += number == SIGALRM;
    if (handled == 1 && write(device, "\n", 1) != 1)
        _exit(1);
}

/* A read that nothing but a signal ends; then one that a signal's handler lets succeed, without its noticing. */
static void interrupted(void)
{
    char room[100];

    every(50000, 0, note);
    say("interrupted", read(device, room, sizeof room));
    handled = 0;
    every(50000, SA_RESTART, order);
    say("restarted", read(device, room, sizeof room));
}

/* Calls that are done once each, though signals come all the time. */
static void counted(void)
{
    int wrong = 0;

    every(200, SA_RESTART, note);
    for (int i = 1; i <= 2000; i++)
        wrong += ioctl(device, _IO('t', 1)) != i;
    every(0, SA_RESTART, note);
    say("wrong", wrong);
    say("asked", ioctl(device, _IO('t', 2)));
    say("signalled", handled > 0);
}

static void blocked(void)
{
    char room[100];

    say("waiting", 0);
    say("read", read(device, room, sizeof room));
}

static void handling(void)
{
    struct sigaction action = { .sa_handler = note };
    sigaction(SIGINT, &action, NULL);
    blocked();
}

static void *wait_for_one(void *node)
{
    char room[100];
    (void)node;
    return (void *)(long)(read(device, room, sizeof room) > 0);
}

/* As many threads wait as there are strikes to come. */
static void crowd(void)
{
    enum { MANY = 24 };
    pthread_t threads[MANY];
    long heard = 0;

    for (int i = 0; i < MANY; i++)
        pthread_create(&threads[i], NULL, wait_for_one, NULL);
    for (int i = 0; i < MANY; i++)
        if (write(device, "\n", 1) != 1)
            say("write", -1);
    for (int i = 0; i < MANY; i++) {
        void *one;
        pthread_join(threads[i], &one);
        heard += (long)one;
    }
    say("heard", heard);
}

static int send_away(int fd)
{
    int sockets[2], received = -1;
    char byte = 0;
    union {
        char room[CMSG_SPACE(sizeof fd)];
        struct cmsghdr align;
    } control = { .room = { 0 } };
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    sendmsg(sockets[0], &message, 0);
    if (recvmsg(sockets[1], &message, 0) == 1)
        memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof received);
    return received;
}

static void ask(const char *what, int fd)
{
    say(what, ioctl(fd, _IO('t', 1)));
}

/* A descriptor stays the device however it came. */
static void descriptors(void)
{
    ask("dup", dup(device));
    ask("dup2", dup2(device, 0));
    ask("fcntl", fcntl(device, F_DUPFD_CLOEXEC, 500));
    ask("passed", send_away(device));
    pid_t child = fork();
    if (child == 0) {
        ask("forked", device);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    child = vfork();
    if (child == 0) {
        execl("/proc/self/exe", "supervised", "standard", "", NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    ask("after all", device);
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        void (*body)(void);
    } bodies[] = { { "interrupted", interrupted }, { "counted", counted }, { "blocked", blocked },
                   { "handling", handling }, { "crowd", crowd }, { "descriptors", descriptors } };

    if (count >= 3 && strcmp(words[1], "bare") == 0) { /* what is executed has no variables: no shim either */
        execve(words[2], words + 2, (char *[]){ NULL });
        return 1;
    }
    if (count == 3 && strcmp(words[1], "standard") == 0)
        return ask("executed", 0), 0;
    if (count < 3 || (device = open_node(words[2])) < 0)
        return 1;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (strcmp(words[1], bodies[i].name) == 0)
            return bodies[i].body(), 0;
    return 2;
}
