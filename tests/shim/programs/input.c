/* input NODE SCENE: one scene of what a program may do with an input device; prints what it got, a line each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *node;
static struct input_event events[1024];

static void show(const char *what, long result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, result);
}

static int opened(int flags)
{
    int fd = open(node, flags);
    if (fd < 0) {
        perror(node);
        exit(1);
    }
    return fd;
}

static void put(int fd, int type, int code, int value)
{
    struct input_event event = { .type = type, .code = code, .value = value };
    show("write", write(fd, &event, sizeof event));
}

/* Lights an LED, which comes back as two events: whoever wants events to read needs no other hand. */
static void echo(int fd, int value)
{
    put(fd, EV_LED, LED_CAPSL, value);
    put(fd, EV_SYN, SYN_REPORT, 0);
}

static int ready(int fd, int timeout)
{
    struct pollfd one = { fd, POLLIN | POLLOUT, 0 };
    poll(&one, 1, timeout);
    return one.revents;
}

static void reading(void)
{
    int fd = opened(O_RDWR | O_NONBLOCK);
    show("empty", read(fd, events, sizeof events));
    show("poll", ready(fd, 0));
    echo(fd, 1);
    echo(fd, 0);
    show("poll", ready(fd, -1));
    show("too short", read(fd, events, sizeof *events - 1));
    show("nothing", read(fd, events, 0));
    show("two and a bit", read(fd, events, 2 * sizeof *events + 10));
    char half[10], rest[200];
    struct iovec parts[] = { { half, sizeof half }, { rest, sizeof rest } };
    show("in parts", readv(fd, parts, 2));
    show("empty", read(fd, events, sizeof events));
    show("seek", lseek(fd, 0, SEEK_SET));
}

static void wrong(void)
{
    int fd = opened(O_RDWR);
    char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + 4096, 4096);
    struct input_mask mask = { EV_KEY, 96, (unsigned long)edge + 4096 - 8 };
    show("name into nowhere", ioctl(fd, EVIOCGNAME(64), (char *)8));
    show("name over the edge", ioctl(fd, EVIOCGNAME(64), edge + 4096 - 64));
    show("no id", ioctl(fd, EVIOCGID, NULL));
    show("mask from beyond the edge", ioctl(fd, EVIOCSMASK, &mask));
    show("mask to beyond the edge", ioctl(fd, EVIOCGMASK, &mask));
    show("mask of nowhere", ioctl(fd, EVIOCSMASK, (void *)16));
    show("effect of nowhere", ioctl(fd, EVIOCSFF, (void *)16));
    show("unknown", ioctl(fd, _IO('E', 0x99), 0));
    show("terminal", isatty(fd));
    show("write of a bit", write(fd, events, 10));
    show("write from nowhere", write(fd, (void *)8, 24));
    show("alive", ioctl(fd, EVIOCGVERSION, edge));
}

static void revoked(void)
{
    int fd = opened(O_RDWR), other = opened(O_RDWR);
    show("grab", ioctl(fd, EVIOCGRAB, 1));
    show("grab by another", ioctl(other, EVIOCGRAB, 1));
    show("revoke", ioctl(fd, EVIOCREVOKE, 0));
    show("read", read(fd, events, sizeof events));
    show("write", write(fd, events, sizeof *events));
    show("ioctl", ioctl(fd, EVIOCGVERSION, events));
    show("hang-up", ready(fd, -1) & POLLHUP);
    show("grab by another", ioctl(other, EVIOCGRAB, 1));
    echo(other, 1);
    show("read of the other", read(other, events, sizeof events));
}

/* Counts what comes until the device has gone, after a first read of everything that came while nobody read. */
static void slow(void)
{
    int fd = opened(O_RDWR), seen = 0, dropped = 0, last = 0;
    echo(fd, 1); /* the model begins now */
    for (ssize_t size; (size = read(fd, events, sizeof events)) > 0;)
        for (int i = 0; i < size / (ssize_t)sizeof *events; i++) {
            seen++;
            dropped += events[i].type == EV_SYN && events[i].code == SYN_DROPPED;
            last = events[i].type == EV_REL ? events[i].value : last;
            if (events[i].type == EV_REL && events[i].value == 1000)
                goto out;
        }
out:
    printf("fewer than 200: %d, dropped: %d, last: %d\n", seen < 200, dropped, last);
}

static void unplugged(void)
{
    int fd = opened(O_RDWR);
    echo(fd, 1);
    for (ssize_t size = 1; size > 0;)
        show("read", size = read(fd, events, sizeof events));
    show("hang-up", ready(fd, -1) & POLLHUP);
    show("ioctl", ioctl(fd, EVIOCGVERSION, events));
}

static int signals;

static void count(int number)
{
    (void)number;
    signals++;
}

static void asynchronous(void)
{
    int fd = opened(O_RDWR);
    signal(SIGIO, count);
    fcntl(fd, F_SETOWN, getpid());
    fcntl(fd, F_SETFL, O_ASYNC);
    echo(fd, 1);
    while (!signals)
        pause();
    show("read", read(fd, events, sizeof events));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*play)(void);
    } scenes[] = { { "reading", reading }, { "wrong", wrong },         { "revoked", revoked },
                   { "slow", slow },       { "unplugged", unplugged }, { "asynchronous", asynchronous } };
    setbuf(stdout, NULL);
    if (argc == 3)
        for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
            if (!strcmp(scenes[i].name, argv[2]))
                return node = argv[1], scenes[i].play(), 0;
    return 2;
}
