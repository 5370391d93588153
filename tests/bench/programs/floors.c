/* floors.c: what answers from another process cannot do without: floors BATCHES
 *
 * Two processes of C that do nothing but hand over and back. "one", "two": by futex, on one processor and on two.
 * "one-paused", "any-paused": the same, each after a pause as device.c makes it; "any" is where the scheduler puts them.
 * "awake": both look at the word all the time, on two processors. "open": a descriptor is asked for on a socket, and
 * sent over it; the other end of what was sent then sees it closed, as a host must. "line-any", "line-one": a line is
 * written to a pseudo-terminal and answered at its other end by who looks again and again, and yields, before it sleeps.
 * "given": what a byte takes where a megabyte goes through a pseudo-terminal to who looks likewise and does nothing
 * but read; "taken": where one comes from who yields likewise and does nothing but write. */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "timing.h"

enum { HANDOVERS = 50, PAUSE_NS = 300000, ANYWHERE = -1, LOOKS = 64, BULK = 1 << 20 };

static void wait_for(uint32_t *word, uint32_t mine)
{
    uint32_t now;
    while ((now = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != mine)
        syscall(SYS_futex, word, FUTEX_WAIT, now, NULL, NULL, 0);
}

/* Waits until *word is ours to change, then passes it on. */
static void pass_on(uint32_t *word, uint32_t mine)
{
    wait_for(word, mine);
    __atomic_store_n(word, !mine, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void pass_on_awake(uint32_t *word, uint32_t mine)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != mine)
        ;
    __atomic_store_n(word, !mine, __ATOMIC_RELEASE);
}

static void stay_on(int cpu)
{
    cpu_set_t set;
    if (cpu == ANYWHERE)
        return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    require(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

/* In the child returns 0, in a child that ends with its parent. */
static pid_t other(void)
{
    pid_t parent = getpid(), child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
    }
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static uint32_t *shared_word(void)
{
    uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(word != MAP_FAILED, "mmap");
    return word;
}

static void hand_over(const char *label, int batches, int ours, int theirs, void (*pass)(uint32_t *, uint32_t))
{
    uint32_t *word = shared_word();
    double *values = series(batches);
    pid_t child = other();

    if (child == 0) {
        stay_on(theirs);
        for (;;)
            pass(word, 1);
    }
    stay_on(ours);
    for (int i = 0; i < batches; i++) {
        double begin = now_ns();
        for (int j = 0; j < HANDOVERS; j++)
            pass(word, 0);
        values[i] = (now_ns() - begin) / HANDOVERS;
    }
    end(child);
    print_series(label, values, batches);
}

/* Each time there and back, after a pause. */
static void hand_over_paused(const char *label, int batches, int cpu)
{
    struct timespec pause = { .tv_nsec = PAUSE_NS };
    uint32_t *word = shared_word();
    double *values = series(batches), cost = clock_cost();
    pid_t child = other();

    stay_on(cpu);
    if (child == 0)
        for (;;)
            pass_on(word, 1);
    for (int i = 0; i < batches; i++) {
        nanosleep(&pause, NULL);
        double begin = now_ns();
        pass_on(word, 0);
        wait_for(word, 0);
        values[i] = now_ns() - begin - cost;
    }
    end(child);
    print_series(label, values, batches);
}

union room {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Gives an end of a new socket pair for each byte that comes, and looks at when that is closed. */
static void give_descriptors(int channel)
{
    char byte;
    while (read(channel, &byte, 1) == 1) {
        int pair[2];
        union room room = { .bytes = { 0 } };
        struct iovec part = { &byte, 1 };
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room
        };
        require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
        room.head = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(&room.head), &pair[1], sizeof(int));
        require(sendmsg(channel, &message, 0) == 1, "sendmsg");
        close(pair[1]);
        struct pollfd closed = { .fd = pair[0] };
        poll(&closed, 1, -1);
        close(pair[0]);
    }
}

static int take_descriptor(int channel)
{
    int fd;
    char byte = 0;
    union room room;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room };
    require(write(channel, &byte, 1) == 1, "write");
    require(recvmsg(channel, &message, MSG_CMSG_CLOEXEC) == 1 && message.msg_controllen > 0, "recvmsg");
    memcpy(&fd, CMSG_DATA(&room.head), sizeof fd);
    return fd;
}

static void open_descriptors(int batches)
{
    int channel[2];
    double *values = series(batches), cost = clock_cost();
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0, "socketpair");
    pid_t child = other();

    if (child == 0) {
        close(channel[0]);
        give_descriptors(channel[1]);
        _exit(0);
    }
    for (int i = 0; i < batches; i++) {
        double begin = now_ns();
        int fd = take_descriptor(channel[0]);
        values[i] = now_ns() - begin - cost;
        close(fd);
    }
    end(child);
    print_series("open", values, batches);
}

/* The ends of a pseudo-terminal that changes nothing: master first. */
static void open_terminal(int *ends)
{
    struct termios raw;

    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    require(ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0, "posix_openpt");
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    require(ends[1] >= 0 && tcgetattr(ends[1], &raw) == 0, "ptsname");
    cfmakeraw(&raw);
    require(tcsetattr(ends[1], TCSANOW, &raw) == 0, "tcsetattr");
}

static void look_for_input(int fd)
{
    int held = 0;
    for (int i = 0; i < LOOKS && ioctl(fd, FIONREAD, &held) == 0 && held == 0; i++)
        sched_yield();
}

static void answer_lines(int master)
{
    char line[64];
    for (;;) {
        look_for_input(master);
        require(read(master, line, sizeof line) > 0 && write(master, "12.3456\n", 8) == 8, "answer");
    }
}

static void ask_lines(const char *label, int batches, int cpu)
{
    double *values = series(batches);
    char answer[64];
    int ends[2];

    open_terminal(ends);
    stay_on(cpu);
    pid_t child = other();
    if (child == 0)
        answer_lines(ends[0]);
    for (int i = 0; i < batches; i++) {
        double begin = now_ns();
        for (int j = 0; j < HANDOVERS; j++)
            require(write(ends[1], "MEAS?\n", 6) == 6 && read(ends[1], answer, sizeof answer) == 8, "ask");
        values[i] = (now_ns() - begin) / HANDOVERS;
    }
    end(child);
    close(ends[0]);
    close(ends[1]);
    print_series(label, values, batches);
}

static void take_bytes(int master)
{
    static char room[65536];
    for (;;) {
        for (size_t taken = 0; taken < BULK;) {
            look_for_input(master);
            ssize_t got = read(master, room, sizeof room);
            require(got > 0, "read");
            taken += (size_t)got;
        }
        require(write(master, "A", 1) == 1, "acknowledge");
    }
}

static void send_bytes(int master)
{
    static char room[65536];
    char asked;
    for (;;) {
        look_for_input(master);
        require(fcntl(master, F_SETFL, 0) == 0 && read(master, &asked, 1) == 1, "asked");
        require(fcntl(master, F_SETFL, O_NONBLOCK) == 0, "fcntl");
        for (size_t sent = 0; sent < BULK; sched_yield()) {
            size_t left = BULK - sent;
            ssize_t put = write(master, room, left < sizeof room ? left : sizeof room);
            sent += put > 0 ? (size_t)put : 0;
        }
    }
}

static void give(int slave)
{
    static char room[65536];
    char acknowledgement;

    for (size_t given = 0; given < BULK;) {
        size_t left = BULK - given;
        ssize_t put = write(slave, room, left < sizeof room ? left : sizeof room);
        require(put > 0, "write");
        given += (size_t)put;
    }
    require(read(slave, &acknowledgement, 1) == 1, "acknowledged");
}

static void take(int slave)
{
    static char room[65536];

    require(write(slave, "S", 1) == 1, "ask");
    for (size_t taken = 0; taken < BULK;) {
        ssize_t got = read(slave, room, sizeof room);
        require(got > 0, "read");
        taken += (size_t)got;
    }
}

static void move_bytes(const char *label, int batches, void (*ours)(int), void (*theirs)(int))
{
    double *values = series(batches);
    int ends[2];

    open_terminal(ends);
    pid_t child = other();
    if (child == 0)
        theirs(ends[0]);
    for (int i = 0; i < batches; i++) {
        double begin = now_ns();
        ours(ends[1]);
        values[i] = (now_ns() - begin) / BULK;
    }
    end(child);
    close(ends[0]);
    close(ends[1]);
    print_series(label, values, batches);
}

static int next_cpu(const cpu_set_t *set, int cpu)
{
    do
        cpu++;
    while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, set));
    return cpu;
}

int main(int count, char **words)
{
    int batches = atoi(words[count - 1]);
    cpu_set_t allowed;

    require(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    int first = next_cpu(&allowed, -1), second = next_cpu(&allowed, first);
    hand_over_paused("any-paused", batches, ANYWHERE);
    open_descriptors(batches);
    ask_lines("line-any", batches, ANYWHERE);
    move_bytes("given", batches, give, take_bytes);
    move_bytes("taken", batches, take, send_bytes);
    hand_over_paused("one-paused", batches, first);
    ask_lines("line-one", batches, first);
    hand_over("one", batches, first, first, pass_on);
    if (second < CPU_SETSIZE) {
        hand_over("two", batches, first, second, pass_on);
        hand_over("awake", batches, first, second, pass_on_awake);
    }
}
