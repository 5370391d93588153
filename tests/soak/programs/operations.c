/* operations.c: what an actor can do: calls on descriptors in variables, with good arguments and bad ones.
 *
 * Buffers have a guard behind them, and whatever a call wrote beyond what it said is a wrong answer (extra -99).
 * Addresses are chosen by a word: 0 good, 1 NULL, 2 unmapped, 3 eight bytes before unmapped memory, 4 read-only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "actors.h"

enum { ROOM = 5 << 20, GUARD = 64, GUARDED = 0xA5, PAGE = 4096 };

static const char *const NODES[] = { "/dev/cell0", "/dev/cell1", "/dev/queue0", "/dev/queue1", "/dev/records0",
                                     "/dev/ttyS90", "/dev/zero", "/dev/null", "/dev/not-there" };

/* Each thread has a room of its own: two may be inside calls at once. */
__thread uint8_t *room, *edge;

void prepare_memory(void)
{
    room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED || pages == MAP_FAILED)
        abort();
    mprotect(pages + 2 * PAGE, PAGE, PROT_NONE); /* not unmapped: something else might come to lie there */
    mprotect(pages, PAGE, PROT_READ);
    edge = pages + PAGE;
}

uint32_t crc_of(const uint8_t *data, size_t size)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
            table[i] = value;
        }
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++)
        crc = table[(crc ^ data[i]) & 0xFF] ^ crc >> 8;
    return ~crc;
}

uint8_t *address(long kind)
{
    switch (kind) {
    case 0: return room;
    case 1: return NULL;
    case 2: return edge + PAGE;
    case 3: return edge + PAGE - 8;
    default: return edge - PAGE;
    }
}

void fill(uint8_t *at, size_t size, long seed)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)((unsigned long)(seed + (long)i) % 251);
}

int var(const struct actor *self, long index)
{
    return index < 0 ? -1 : stage->vars[self->process][index];
}

long keep(const struct actor *self, long index, long fd)
{
    if (fd >= 0)
        stage->vars[self->process][index] = (int)fd;
    return fd;
}

/* ---- Data: VAR SIZE ADDRESS PARTS OFFSET; PARTS 0: the plain call; OFFSET -1: the file's own position */

static int cut(struct iovec *parts, uint8_t *at, size_t size, long count)
{
    size_t piece = size / (size_t)count;
    for (long i = 0; i < count; i++) {
        parts[i] = (struct iovec){ at, i == count - 1 ? size : piece };
        at += parts[i].iov_len;
        size -= parts[i].iov_len;
    }
    return (int)count;
}

static long give_or_take(struct actor *self, const struct step *step, int reading)
{
    int fd = var(self, step->words[0]);
    size_t size = (size_t)step->words[1];
    uint8_t *at = address(step->words[2]);
    long count = step->words[3], offset = step->words[4];
    struct iovec parts[8];

    if (!count && reading)
        return offset == -1 ? read(fd, at, size) : pread(fd, at, size, offset);
    if (!count)
        return offset == -1 ? write(fd, at, size) : pwrite(fd, at, size, offset);
    cut(parts, at, size, count);
    if (reading)
        return offset == -1 ? readv(fd, parts, (int)count) : preadv(fd, parts, (int)count, offset);
    return offset == -1 ? writev(fd, parts, (int)count) : pwritev(fd, parts, (int)count, offset);
}

static long do_read(struct actor *self, const struct step *step)
{
    size_t size = (size_t)step->words[1];
    memset(room, GUARDED, size + GUARD);
    long got = give_or_take(self, step, 1);
    int error = errno;
    if (step->words[2] == 0) {
        self->crc = got > 0 ? crc_of(room, (size_t)got) : 0;
        for (size_t i = got > 0 ? (size_t)got : 0; i < size + GUARD; i++)
            if (room[i] != GUARDED)
                self->extra = -99;
    } else if (step->words[2] == 3 && got > 0) {
        self->crc = crc_of(edge + PAGE - 8, (size_t)got);
    }
    errno = error;
    return got;
}

static long do_write(struct actor *self, const struct step *step)
{
    if (step->words[2] == 0)
        fill(room, (size_t)step->words[1], step->words[5]);
    else if (step->words[2] == 3)
        fill(edge + PAGE - 8, 8, step->words[5]);
    return give_or_take(self, step, 0);
}

/* ---- Descriptors */

static long do_open(struct actor *self, const struct step *step)
{
    return keep(self, step->words[0], open(NODES[step->words[1]], (int)step->words[2], 0600));
}

static long do_close(struct actor *self, const struct step *step)
{
    return close(var(self, step->words[0]));
}

static long do_dup(struct actor *self, const struct step *step) /* VAR NEWVAR HOW NUMBER */
{
    int fd = var(self, step->words[0]), number = (int)step->words[3];
    switch (step->words[2]) {
    case 0: return keep(self, step->words[1], dup(fd));
    case 1: return keep(self, step->words[1], dup2(fd, number));
    case 2: return keep(self, step->words[1], dup3(fd, number, O_CLOEXEC));
    case 3: return keep(self, step->words[1], fcntl(fd, F_DUPFD, number));
    default: return keep(self, step->words[1], fcntl(fd, F_DUPFD_CLOEXEC, number));
    }
}

static long do_flags(struct actor *self, const struct step *step) /* VAR HOW VALUE */
{
    int fd = var(self, step->words[0]);
    switch (step->words[1]) {
    case 0: {
        int flags = fcntl(fd, F_GETFL);
        return flags < 0 ? -1 : flags & (O_ACCMODE | O_NONBLOCK);
    }
    case 1: return fcntl(fd, F_SETFL, step->words[2] ? O_NONBLOCK : 0);
    case 2: return fcntl(fd, F_SETFD, step->words[2] ? FD_CLOEXEC : 0);
    case 3: return fcntl(fd, F_GETFD);
    default: {
        int on = step->words[2] != 0;
        return ioctl(fd, FIONBIO, &on);
    }
    }
}

static long do_seek(struct actor *self, const struct step *step)
{
    return lseek(var(self, step->words[0]), step->words[1], (int)step->words[2]);
}

static long do_stat(struct actor *self, const struct step *step) /* VAR NODE */
{
    struct stat here, there;
    if (fstat(var(self, step->words[0]), &here) < 0)
        return -1;
    if (stat(NODES[step->words[1]], &there) < 0)
        return -2;
    return S_ISCHR(here.st_mode) && here.st_rdev == there.st_rdev && here.st_mode == there.st_mode
           && here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static long do_flock(struct actor *self, const struct step *step)
{
    return flock(var(self, step->words[0]), (int)step->words[1]);
}

static long do_send_fd(struct actor *self, const struct step *step)
{
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
    char byte = 'f';
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int fd = var(self, step->words[0]);
    *head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return sendmsg(PASSED, &message, MSG_DONTWAIT);
}

static long do_receive_fd(struct actor *self, const struct step *step)
{
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    char byte;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room };
    int fd;
    if (recvmsg(PASSED + 1, &message, MSG_DONTWAIT | (step->words[1] ? MSG_CMSG_CLOEXEC : 0)) < 0)
        return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (!head)
        return -2;
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return keep(self, step->words[0], fd);
}

/* ---- Readiness: VAR EVENTS HOW WAIT; the ready bits */

static long with_select(int fd, int events, int wait)
{
    fd_set in, out;
    struct timeval none = { 0, 0 };
    if (fd < 0 || fd >= FD_SETSIZE) {
        errno = EBADF;
        return -1;
    }
    FD_ZERO(&in);
    FD_ZERO(&out);
    if (events & POLLIN)
        FD_SET(fd, &in);
    if (events & POLLOUT)
        FD_SET(fd, &out);
    if (select(fd + 1, &in, &out, NULL, wait ? NULL : &none) < 0)
        return -1;
    return (FD_ISSET(fd, &in) ? POLLIN : 0) | (FD_ISSET(fd, &out) ? POLLOUT : 0);
}

static long with_epoll(int fd, int events, int wait)
{
    struct epoll_event event = { .events = (uint32_t)events };
    if (fcntl(fd, F_GETFD) < 0) /* else it could be the number of epoll itself */
        return -1;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    long got = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    if (got == 0) {
        got = epoll_wait(epoll, &event, 1, wait ? -1 : 0);
        got = got > 0 ? (long)event.events : got;
    }
    int error = errno;
    close(epoll);
    errno = error;
    return got;
}

static long do_poll(struct actor *self, const struct step *step)
{
    int fd = var(self, step->words[0]), events = (int)step->words[1], wait = step->words[3] != 0;
    struct pollfd look = { .fd = fd, .events = (short)events };
    switch (step->words[2]) {
    case 0: return poll(&look, 1, wait ? -1 : 0) < 0 ? -1 : look.revents;
    case 1: return ppoll(&look, 1, wait ? NULL : &(struct timespec){ 0, 0 }, NULL) < 0 ? -1 : look.revents;
    case 2: return with_select(fd, events, wait);
    default: return with_epoll(fd, events, wait);
    }
}

static long do_fork(struct actor *self, const struct step *step) /* HOW NEWACTOR */
{
    static const char *const HOW[] = { "fork", "vfork", "spawn", "thread" };
    (void)self;
    return bring_to_life((int)step->words[1], self->process, HOW[step->words[0]]);
}

static long do_exec(struct actor *self, const struct step *step)
{
    char name[16];
    (void)step;
    int index = (int)(self - stage->actors);
    name[0] = (char)('a' + index);
    name[1] = '\0';
    execl(stage->image, "actors", "--actor", stage->path, name, (char *)NULL);
    return -1;
}

static long do_nothing(struct actor *self, const struct step *step)
{
    (void)self, (void)step;
    return 0;
}

static const struct {
    const char *name;
    long (*call)(struct actor *, const struct step *);
} OPERATIONS[] = {
    { "open", do_open }, { "close", do_close }, { "dup", do_dup }, { "flags", do_flags }, { "read", do_read },
    { "write", do_write }, { "seek", do_seek }, { "stat", do_stat }, { "flock", do_flock }, { "send", do_send_fd },
    { "receive", do_receive_fd }, { "poll", do_poll }, { "ioctl", do_ioctl }, { "echo", do_echo }, { "fork", do_fork },
    { "exec", do_exec },
    /* What the director does itself: */
    { "join", do_nothing }, { "signal", do_nothing }, { "kill", do_nothing },
};

enum { OPERATION_COUNT = sizeof OPERATIONS / sizeof *OPERATIONS };

int operation(const char *word)
{
    for (int i = 0; i < OPERATION_COUNT; i++)
        if (strcmp(word, OPERATIONS[i].name) == 0)
            return i;
    return -1;
}

const char *operation_name(int op)
{
    return OPERATIONS[op].name;
}

void perform(struct actor *self, const struct step *step)
{
    if (!room)
        prepare_memory();
    errno = 0;
    self->crc = 0;
    self->extra = 0;
    long result = OPERATIONS[step->op].call(self, step);
    self->error = result == -1 ? errno : 0;
    if (self->error == EBADF)
        self->crc = 0; /* nothing was done to anything */
    self->result = result;
}
