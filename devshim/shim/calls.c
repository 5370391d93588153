/* calls.c: one call on a device, one answer.
 *
 * The host never blocks a call: it answers, or says that there is nothing yet. Then we return EAGAIN or wait
 * in the kernel, on the carrier or on a socket fetched for that, and ask again. So EINTR, SA_RESTART, time-outs
 * and cancellation are the kernel's, as on a real device. The rules of the house stand in channel.c. */
#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "asking.h"
#include "channel.h"
#include "connection.h"
#include "embed.h"
#include "hooks.h"
#include "leaving.h"
#include "memory.h"
#include "arguments.h"
#include "remote.h"
#include "standing.h"
#include "strays.h"

static struct slot *begin(const struct carrier *carrier, enum op op)
{
    struct slot *slot = take_slot();
    if (!slot)
        return NULL;
    slot->op = (uint16_t)op;
    slot->nonblock = 0;
    slot->file = carrier->file;
    slot->device = carrier->device;
    slot->request = 0;
    slot->argument = 0;
    slot->offset = OWN_POSITION;
    slot->size = 0;
    slot->room = SLOT_DATA;
    return slot;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- Readiness ------------------------------------------------------------------------------------ */

static void ask_for_fresh_token(const struct carrier *carrier)
{
    struct slot *slot = begin(carrier, OP_POLL);
    if (!slot)
        return;
    converse(slot);
    free_slot(slot);
}

/* "Not readable any more": take the tokens that the answer knew of out of the carrier. A newer one that came
 * out with them was meant for whoever polls: let the host send it again. */
static void drain(const struct carrier *carrier, int fd, uint64_t newest)
{
    uint64_t token;
    bool too_many = false;
    int before = errno;

    while (real.recv(fd, &token, sizeof token, MSG_DONTWAIT | MSG_PEEK) == sizeof token && token <= newest) {
        if (real.recv(fd, &token, sizeof token, MSG_DONTWAIT) != sizeof token)
            break;
        if (token > newest) {
            too_many = true;
            break;
        }
    }
    if (too_many)
        ask_for_fresh_token(carrier);
    errno = before;
}

/* Not writable any more: fill the carrier, so that poll sees it. The host empties it to say the contrary, which it
 * may have done while we were at it: so let it look once more. */
static void fill(const struct carrier *carrier, int fd)
{
    static const char block[4096];
    static const int least = 1; /* the kernel makes its own least of it, which one block fills */
    int before = errno;

    real.syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    while (real.syscall(SYS_sendto, fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) > 0)
        ;
    ask_for_fresh_token(carrier);
    errno = before;
}

/* Wait in the kernel until the host sends a token. 0, or -1 with EINTR; EOF counts as a reason to ask again. */
static int wait_on_carrier(int fd)
{
    uint64_t token;
    struct wait wait;
    int error = begin_wait(&wait);

    if (error)
        return fail(error);
    ssize_t got = real.recv(fd, &token, sizeof token, MSG_PEEK);
    end_wait(&wait);
    return got < 0 && errno == EINTR ? -1 : 0;
}

/* The same on a socket made for this one wait, where the carrier cannot tell. */
static int wait_on_ticket(uint64_t ticket)
{
    struct hello_request request = { .what = HELLO_TICKET, .ticket = ticket };
    struct hello_answer answer;
    int fd = ask_for_descriptor(&request, NULL, &answer, NULL);
    char byte;
    struct wait wait;

    if (fd < 0)
        return -1;
    int stray = remember_stray(fd, NULL), error = begin_wait(&wait);
    if (!error) {
        error = real.recv(fd, &byte, 1, 0) < 0 ? errno : 0;
        end_wait(&wait);
    }
    forget_stray(stray);
    real.syscall(SYS_close, fd);
    return error ? fail(error) : 0;
}

struct outcome {
    int64_t result;
    int error;
    uint32_t flags, length, place;
    uint64_t token;
};

static struct outcome outcome_of(const struct slot *slot)
{
    return (struct outcome){ .result = slot->result, .error = slot->error, .flags = slot->flags,
                             .length = slot->length, .place = slot->place, .token = slot->token };
}

/* What every answer may say beside its result. */
static void settle(const struct carrier *carrier, int fd, const struct outcome *outcome)
{
    if (outcome->flags & ANSWER_DRAIN)
        drain(carrier, fd, outcome->token);
    if (outcome->flags & ANSWER_FULL)
        fill(carrier, fd);
    if (outcome->flags & ANSWER_SEEN) {
        char mark;
        int before = errno;
        real.recv(fd, &mark, 1, MSG_OOB | MSG_DONTWAIT);
        errno = before;
    }
}

int tell_waiting(const struct carrier *carrier, enum op op)
{
    int before = errno, error = 0;
    struct slot *slot = begin(carrier, OP_WAITS);

    if (slot) {
        slot->request = op;
        if (converse(slot))
            error = (int)slot->result;
        free_slot(slot);
    }
    errno = before;
    return error;
}

/* What a terminal's ioctls wait for (TCSBRK, TCSETSW, TIOCMIWAIT) they wait for with O_NONBLOCK, too: n_tty and the
 * serial core never look at it there. */
static bool waits_always(const struct carrier *carrier, enum op op)
{
    return op == OP_IOCTL && (device_of(carrier)->flags & DEVICE_TTY);
}

/* "Nothing yet": 0 to ask again, -1 with EAGAIN or EINTR. */
static int wait_for_more(const struct carrier *carrier, int fd, const struct outcome *outcome, bool nonblock, enum op op)
{
    int flags = real.fcntl(fd, F_GETFL);
    if (flags < 0) /* a caught call (engine `seccomp`) that a signal came before */
        return -1;
    if (nonblock || ((flags & O_NONBLOCK) && !waits_always(carrier, op)))
        return fail(EAGAIN);
    if (device_of(carrier)->flags & DEVICE_ASKS)
        tell_waiting(carrier, op);
    others_take_over();
    return outcome->flags & ANSWER_TICKET ? wait_on_ticket(outcome->token) : wait_on_carrier(fd);
}

/* ---- read and write ------------------------------------------------------------------------------- */

/* The bytes of all parts, at most what one call carries; -1 where a length is negative as ssize_t. */
static ssize_t total(const struct iovec *parts, int count)
{
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        if ((ssize_t)parts[i].iov_len < 0 || (ssize_t)(sum + parts[i].iov_len) < 0)
            return fail(EINVAL);
        sum += parts[i].iov_len;
    }
    return sum < LARGE_DATA ? (ssize_t)sum : (ssize_t)LARGE_DATA;
}

/* Lent memory is one part. */
static bool scatter(const struct iovec *parts, int count, const char *from, size_t size, unsigned how)
{
    if (how & LENT_MEMORY) {
        memcpy(parts->iov_base, from, size);
        return true;
    }
    for (int i = 0; i < count && size > 0; i++) {
        size_t piece = parts[i].iov_len < size ? parts[i].iov_len : size;
        if (!copy_to_target((uintptr_t)parts[i].iov_base, from, piece))
            return false;
        from += piece;
        size -= piece;
    }
    return true;
}

static bool gather(char *to, size_t size, const struct iovec *parts, int count, unsigned how)
{
    if (how & LENT_MEMORY) {
        memcpy(to, parts->iov_base, size);
        return true;
    }
    for (int i = 0; i < count && size > 0; i++) {
        size_t piece = parts[i].iov_len < size ? parts[i].iov_len : size;
        if (!copy_from_target(to, (uintptr_t)parts[i].iov_base, piece))
            return false;
        to += piece;
        size -= piece;
    }
    return true;
}

/* Whether a file was opened for reading (O_RDONLY) or writing (O_WRONLY). Mode 3 is for ioctls alone, see open(2). */
static bool may(const struct carrier *carrier, int direction)
{
    int mode = (int)(carrier->access & O_ACCMODE);
    return !(carrier->access & O_PATH) && (mode == direction || mode == O_RDWR);
}

ssize_t device_read(const struct carrier *carrier, int fd, const struct iovec *parts, int count, int64_t offset,
                    unsigned how)
{
    ssize_t size = total(parts, count);

    if (size < 0)
        return -1;
    if (!may(carrier, O_RDONLY))
        return fail(EBADF);
    for (;;) {
        struct slot *slot = begin(carrier, OP_READ);
        if (!slot)
            return -1;
        size_t asked = (size_t)size < slot_limit(slot) ? (size_t)size : slot_limit(slot);
        slot->size = slot->room = (uint32_t)asked;
        slot->offset = offset;
        slot_data(slot, asked);
        if (!converse(slot)) {
            free_slot(slot);
            return -1;
        }
        struct outcome outcome = outcome_of(slot);
        bool copied = outcome.length == 0 || (outcome.length <= asked
                      && scatter(parts, count, slot_room(slot), outcome.length, how));
        free_slot(slot);
        settle(carrier, fd, &outcome);
        if (outcome.flags & ANSWER_REAL)
            return offset == OWN_POSITION ? real.readv(fd, parts, count) : real.preadv(fd, parts, count, offset);
        if (outcome.error)
            return fail(outcome.error);
        if (!(outcome.flags & ANSWER_WAIT))
            return copied ? (ssize_t)outcome.length : fail(EFAULT);
        if (wait_for_more(carrier, fd, &outcome, how & WITHOUT_WAIT, OP_READ) < 0)
            return -1;
    }
}

ssize_t device_write(const struct carrier *carrier, int fd, const struct iovec *parts, int count, int64_t offset,
                     unsigned how)
{
    ssize_t size = total(parts, count);

    if (size < 0)
        return -1;
    if (!may(carrier, O_WRONLY))
        return fail(EBADF);
    for (;;) {
        struct slot *slot = begin(carrier, OP_WRITE);
        if (!slot)
            return -1;
        size_t given = (size_t)size < slot_limit(slot) ? (size_t)size : slot_limit(slot);
        slot->size = (uint32_t)given;
        slot->offset = offset;
        if (!gather(slot_data(slot, given), given, parts, count, how)) {
            free_slot(slot);
            return fail(EFAULT);
        }
        bool answered = converse(slot);
        struct outcome outcome = outcome_of(slot);
        free_slot(slot);
        if (!answered)
            return -1;
        settle(carrier, fd, &outcome);
        if (outcome.flags & ANSWER_REAL)
            return offset == OWN_POSITION ? real.writev(fd, parts, count) : real.pwritev(fd, parts, count, offset);
        if (outcome.error)
            return fail(outcome.error);
        if (!(outcome.flags & ANSWER_WAIT))
            return outcome.result;
        if (wait_for_more(carrier, fd, &outcome, how & WITHOUT_WAIT, OP_WRITE) < 0)
            return -1;
    }
}

/* ---- lseek, flock -------------------------------------------------------------------------------- */

int64_t device_seek(const struct carrier *carrier, int64_t offset, int whence)
{
    if (carrier->access & O_PATH)
        return fail(EBADF);
    struct slot *slot = begin(carrier, OP_SEEK);
    if (!slot)
        return -1;
    slot->offset = offset;
    slot->request = (uint32_t)whence;
    bool answered = converse(slot);
    struct outcome outcome = outcome_of(slot);
    free_slot(slot);
    if (!answered)
        return -1;
    return outcome.error ? fail(outcome.error) : outcome.result;
}

int64_t device_lock(const struct carrier *carrier, int operation)
{
    if (carrier->access & O_PATH)
        return fail(EBADF);
    for (;;) {
        struct slot *slot = begin(carrier, OP_LOCK);
        if (!slot)
            return -1;
        slot->request = (uint32_t)operation;
        slot->argument = (uint64_t)getpid();
        bool answered = converse(slot);
        struct outcome outcome = outcome_of(slot);
        free_slot(slot);
        if (!answered)
            return -1;
        if (outcome.error)
            return fail(outcome.error);
        if (!(outcome.flags & ANSWER_WAIT))
            return outcome.result;
        if (operation & LOCK_NB)
            return fail(EWOULDBLOCK);
        if (wait_on_ticket(outcome.token) < 0)
            return -1;
    }
}

/* ---- ioctl ---------------------------------------------------------------------------------------- */

/* The number of a new file's descriptor goes into the argument, or is the call's result. Where the argument cannot
 * be written, it is fetched all the same, so that closing it tells the host. */
static int receive_file(const struct outcome *outcome, const struct argument *walk, bool copied)
{
    uint32_t size = walk->entry.flags & IOCTL_VALUE ? 0 : walk->entry.size;
    struct hello_request request = { .what = HELLO_TICKET, .ticket = outcome->token };
    struct hello_answer answer;
    int fd = watch(ask_for_descriptor(&request, NULL, &answer, NULL));

    if (fd >= 0 && remote)
        fd = give_to_remote(fd, true);
    if (fd < 0 || (copied && outcome->place == UINT32_MAX))
        return fd;
    bool inside = size >= sizeof fd && outcome->place <= size - sizeof fd;
    if (!copied || !inside || !copy_to_target(walk->address + outcome->place, &fd, sizeof fd)) {
        if (!remote)
            real.syscall(SYS_close, fd);
        return fail(EFAULT);
    }
    return (int)outcome->result;
}

static uint32_t room_of(const struct slot *slot)
{
    return slot->large ? LARGE_DATA : SLOT_DATA;
}

int device_ioctl(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument)
{
    struct argument walk;
    struct standing standing;

    if (carrier->access & O_PATH)
        return fail(EBADF);
    for (;;) {
        if (!describe_argument(&walk, registry_text(device_of(carrier)->ioctls), (uint32_t)request, argument,
                               device_of(carrier)->ioctls != 0))
            return REALLY(real.ioctl(fd, request, argument));
        struct slot *slot = begin(carrier, OP_IOCTL);
        if (!slot)
            return -1;
        slot->request = (uint32_t)request;
        slot->argument = argument;
        int error = collect_argument(&walk, slot);
        if (error) {
            free_slot(slot);
            return fail(error);
        }
        if (find_standing(&standing, slot, slot_room(slot))) {
            free_slot(slot);
            bool returned = !standing.answered || return_argument(&walk, standing.answer, standing.answered);
            return returned ? (int)standing.result : fail(EFAULT);
        }
        bool answered = converse(slot);
        struct outcome outcome = outcome_of(slot);
        if (answered)
            keep_standing(&standing, slot, slot_room(slot));
        bool copied = answered && outcome.length ? return_argument(&walk, slot_room(slot), room_of(slot)) : true;
        free_slot(slot);
        if (!answered)
            return -1;
        settle(carrier, fd, &outcome);
        if (outcome.flags & ANSWER_REAL)
            return REALLY(real.ioctl(fd, request, argument));
        if (outcome.error)
            return fail(outcome.error);
        if (outcome.flags & ANSWER_AGAIN)
            continue;
        if (outcome.flags & ANSWER_FILE)
            return receive_file(&outcome, &walk, copied);
        if (!(outcome.flags & ANSWER_WAIT))
            return copied ? (int)outcome.result : fail(EFAULT);
        if (wait_for_more(carrier, fd, &outcome, false, OP_IOCTL) < 0)
            return -1;
    }
}

/* ---- open ----------------------------------------------------------------------------------------- */

/* Opening a terminal by name makes it the controlling one of a session leader that has none; receiving its
 * descriptor does not, so ask for it (tty_ioctl(4), TIOCSCTTY; refused where it is not due). */
static void take_controlling_terminal(int fd, int flags)
{
    int before = errno;
    if (!(flags & O_NOCTTY) && getsid(0) == getpid())
        real.ioctl(fd, TIOCSCTTY, 0);
    errno = before;
}

int device_open(const struct node *node, const char *placeholder, int flags, mode_t mode)
{
    struct hello_request request = { .what = HELLO_OPEN, .flags = (uint32_t)flags, .mode = mode };
    struct hello_answer answer;
    const char *path = registry_text(node->path);

    if ((flags & O_CREAT) && (flags & O_EXCL))
        return fail(EEXIST);
    if (flags & O_DIRECTORY) /* O_TMPFILE has it too */
        return fail(ENOTDIR);
    if (flags & O_PATH)
        return watch(real.open(placeholder, flags));
    if ((flags & O_DIRECT) && S_ISCHR(registry_device(node->device)->mode))
        return fail(EINVAL); /* no character device of a kernel driver has direct I/O */
    if ((registry_device(node->device)->flags & DEVICE_PLAIN) && (flags & O_ACCMODE) == O_RDONLY)
        return real.open(placeholder, flags & ~(O_CREAT | O_TRUNC));
    if ((registry->flags & REGISTRY_IN_PROCESS) && !direct_host() && !inherited_from_host() && !embed_host())
        return -1;
    hooks_with_first_open();
    int fd = watch(ask_for_descriptor(&request, path, &answer, NULL));
    if (fd < 0) {
        if (errno == ENODEV && answer.magic == 0)
            host_is_gone();
        return -1;
    }
    if (answer.device_flags & DEVICE_TTY) {
        take_controlling_terminal(fd, flags);
    } else if (join_host() == EMFILE) { /* which no read or write may say */
        real.syscall(SYS_close, fd);
        return fail(EMFILE);
    }
    if (!(flags & O_CLOEXEC))
        real.fcntl(fd, F_SETFD, 0);
    if (flags & (O_APPEND | O_NOATIME)) /* the carrier keeps what F_SETFL may change */
        real.fcntl(fd, F_SETFL, flags & (O_APPEND | O_NOATIME | O_NONBLOCK));
    const struct carrier *carrier = answer.flags & ANSWER_FULL ? carrier_of(fd) : NULL;
    if (carrier)
        fill(carrier, fd);
    return fd;
}

/* ---- Notes and reports ---------------------------------------------------------------------------- */

static const struct carrier nobody = { .file = 0 };

/* Tell the host of a path; false where there is none. */
static bool note(const char *path, uint32_t what, struct outcome *outcome)
{
    struct slot *slot = begin(&nobody, OP_NOTE);
    if (!slot)
        return false;
    size_t length = strlen(path);
    memcpy(slot_data(slot, length), path, length);
    slot->size = (uint32_t)length;
    slot->request = what;
    bool answered = converse(slot);
    *outcome = outcome_of(slot);
    free_slot(slot);
    return answered;
}

int note_miss(const char *path, int error)
{
    struct outcome outcome;
    return note(path, (uint32_t)error, &outcome) ? outcome.error : 0;
}

void tell_watch(void)
{
    struct outcome outcome;
    int before = errno;

    note("", NOTE_WATCH, &outcome);
    errno = before;
}

uint32_t ask_to_record(const char *path)
{
    struct outcome outcome;
    return note(path, NOTE_RECORD, &outcome) && outcome.error == 0 ? (uint32_t)outcome.result : 0;
}

void report(const struct carrier *carrier, uint32_t op, int64_t result, const void *data, size_t size)
{
    int before = errno;
    struct slot *slot = begin(carrier, OP_REPORT);

    if (slot) {
        size = size > slot_limit(slot) ? slot_limit(slot) : size;
        slot->size = copy_from_target(slot_data(slot, size), (uintptr_t)data, size) ? (uint32_t)size : 0;
        slot->request = op;
        slot->offset = result < 0 ? -before : result;
        converse(slot);
        free_slot(slot);
    }
    errno = before;
}
