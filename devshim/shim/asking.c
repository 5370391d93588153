/* asking.c: asks the host for a descriptor, over a socket that is opened and closed for it, or becomes what was asked for.
 * None stays open in the program: its closefrom() breaks nothing. */
#include "asking.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "channel.h"
#include "connection.h"
#include "interposed.h"
#include "jumps.h"
#include "registry.h"
#include "strays.h"

static void close_fd(int fd)
{
    real.syscall(SYS_close, fd);
}

/* The host's socket refuses where the host has gone. After a chroot it is out of sight: then its process tells. */
bool host_lives(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = (int)real.syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0) {
        size_t length = strlen(run_directory);
        memcpy(address.sun_path, run_directory, length);
        memcpy(address.sun_path + length, "/socket", sizeof "/socket");
        int error = real.connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
        close_fd(fd);
        if (error == 0 || error == EAGAIN || error == ECONNREFUSED)
            return error != ECONNREFUSED;
    }
    return kill((pid_t)registry->host_pid, 0) == 0 || errno == EPERM;
}

/* A program may start before its host is ready. 0, or -1 where the run ended before it was. */
static int await_host(const struct run *run)
{
    const struct timespec moment = { .tv_nsec = 1000000 };
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

    memcpy(path, run->directory, strlen(run->directory));
    memcpy(path + strlen(run->directory), "/registry", sizeof "/registry");
    for (unsigned moments = 1; !__atomic_load_n(&run->registry->ready, __ATOMIC_ACQUIRE); moments++) {
        if (moments % 64 == 0 && real.syscall(SYS_faccessat, AT_FDCWD, path, F_OK) < 0)
            return -1;
        real.syscall(SYS_nanosleep, &moment, NULL);
    }
    return 0;
}

/* Whether there is a channel over which the host can be told that somebody asks: a look there is sooner noticed than a
 * connection, for which a thread of its own has to be woken. */
static bool may_ask_quietly(void)
{
    const struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);
    return page && __atomic_load_n(&page->channel, __ATOMIC_ACQUIRE) && page->bell && !page->direct;
}

static bool let_host_look(void)
{
    struct slot *slot = take_slot();

    if (!slot)
        return false;
    slot->op = OP_NOTE;
    slot->nonblock = 0;
    slot->file = slot->device = 0;
    slot->request = NOTE_LOOK;
    slot->argument = 0;
    slot->offset = -1;
    slot->size = slot->room = 0;
    bool looked = converse(slot);
    free_slot(slot);
    return looked;
}

/* Those that nobody has told the host to look at may have taken all the room there is, and would keep us waiting: it looks
 * then. False where it cannot be reached. */
static bool connect_in_turn(int fd, const struct sockaddr_un *address, bool quietly)
{
    while (real.connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        if (errno != EINTR && errno != EAGAIN)
            return false;
        if (quietly && errno == EAGAIN && !let_host_look())
            return false;
    }
    return !quietly || real.fcntl(fd, F_SETFL, 0) == 0;
}

static int connect_to_host(const struct run *run, bool quietly, int *stray, uint64_t *inode)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(run->directory);
    int fd = (int)real.syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (quietly ? SOCK_NONBLOCK : 0), 0);

    if (fd < 0)
        return -1; /* EMFILE: as the open would have answered */
    *stray = remember_stray(fd, inode); /* from here on there are cancellation points */
    if (!run->registry->ready && await_host(run) < 0) {
        forget_stray(*stray);
        close_fd(fd);
        errno = ENODEV;
        return -1;
    }
    memcpy(address.sun_path, run->directory, length);
    strcpy(address.sun_path + length, quietly ? "/quiet" : "/socket");
    if (connect_in_turn(fd, &address, quietly))
        return fd;
    forget_stray(*stray);
    close_fd(fd);
    errno = ENODEV;
    return -1;
}

static bool send_request(int fd, struct hello_request *request, const char *path)
{
    struct iovec parts[2] = { { request, sizeof *request }, { (void *)(uintptr_t)path, request->length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t all = (ssize_t)(sizeof *request + request->length);

    return real.sendmsg(fd, &message, MSG_NOSIGNAL) == all;
}

/* Returns the bytes received: 0 when the host went away, -1 with errno. */
static ssize_t receive_answer(int fd, struct hello_answer *answer, int fds[2])
{
    union {
        char room[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = { answer, sizeof *answer };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control.room };
    ssize_t got;
    bool waiting = false; /* the host lets this open wait: then, and only then, a signal may end it */

    do {
        message.msg_controllen = sizeof control.room;
        got = real.recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (got == sizeof *answer && (answer->flags & ANSWER_WAIT))
            waiting = true;
    } while ((got < 0 && errno == EINTR && !waiting) || (got > 0 && (answer->flags & ANSWER_WAIT)));
    if (got < 0)
        return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    if (got == sizeof *answer && answer->error == 0 && fds[0] < 0 && !(answer->flags & ANSWER_CARRIER))
        answer->error = EMFILE; /* the kernel had no number left to give */
    return got;
}

/* POSIX wants the lowest free number for what open() returns, and the socket has it: give it over. */
static int move_down(int fd, int socket_fd)
{
    if (fd < 0 || fd < socket_fd) {
        close_fd(socket_fd);
        return fd;
    }
    real.dup3(fd, socket_fd, O_CLOEXEC);
    close_fd(fd);
    return socket_fd;
}

/* What the host does to a carrier that it makes itself. */
static int as_carrier(int socket_fd, uint32_t flags, uint32_t tag)
{
    int status = (int)flags & (O_NONBLOCK | O_APPEND | O_NOATIME);

    if (status)
        real.fcntl(socket_fd, F_SETFL, status);
    if (tag)
        real.fcntl(socket_fd, F_SETSIG, (int)tag); /* where the kernel keeps none its inode is looked at */
    return socket_fd;
}

static int ask_host_of(struct run run, bool quietly, const struct hello_request *request, const char *path,
                       struct hello_answer *answer, int *second)
{
    struct hello_request filled = *request;
    int fds[2] = { -1, -1 }, before = errno;
    int stray = -1;
    close_strays();
    int socket_fd = connect_to_host(&run, quietly, &stray, &filled.inode);

    memset(answer, 0, sizeof *answer);
    if (socket_fd < 0)
        return -1;
    filled.magic = WIRE_MAGIC;
    filled.version = WIRE_VERSION;
    filled.abi = sizeof(void *);
    filled.length = path ? (uint32_t)strlen(path) : 0;
    filled.thread = (uint32_t)real.syscall(SYS_gettid);

    bool asked = send_request(socket_fd, &filled, path) && (!quietly || let_host_look());
    ssize_t got = asked ? receive_answer(socket_fd, answer, fds) : 0;
    int why = got < 0 && errno != ECONNRESET ? errno : ENODEV; /* reset: it was killed before it had read all */
    forget_stray(stray);
    if (got != sizeof *answer) {
        close_fd(socket_fd);
        errno = why;
        return -1;
    }
    if (second)
        *second = fds[1];
    if (filled.channel && (answer->flags & ANSWER_CHANNEL))
        take_channel(fds[0], fds[1]);
    bool carries = filled.what == HELLO_OPEN && (answer->flags & ANSWER_CARRIER);
    int fd = carries ? as_carrier(socket_fd, filled.flags, answer->tag) : move_down(fds[0], socket_fd);
    errno = answer->error ? answer->error : before;
    return answer->error ? -1 : fd;
}

static int ask_over_socket(const struct hello_request *request, const char *path, struct hello_answer *answer,
                           int *second)
{
    struct hello_request filled = *request;
    bool quietly = may_ask_quietly();

    filled.channel = request->what == HELLO_OPEN && !quietly && !direct_host() && !in_borrowed_memory();
    return ask_host_of(this_run(), quietly, &filled, path, answer, second);
}

int ask_outer_host(const struct hello_request *request, const char *path)
{
    struct hello_answer answer;
    return ask_host_of(outer_run(), false, request, path, &answer, NULL);
}

int ask_for_descriptor(const struct hello_request *request, const char *path, struct hello_answer *answer,
                       int *second)
{
    const struct direct *direct = direct_host();

    if (!direct)
        return ask_over_socket(request, path, answer, second);
    memset(answer, 0, sizeof *answer);
    answer->magic = WIRE_MAGIC;
    if (stands_aside() || in_borrowed_memory()) { /* a vfork child would wait for a parent that waits for it */
        errno = stands_aside() ? EBUSY : EDEADLK;
        return -1;
    }
    struct staying staying = stay();
    int fd = direct->descriptor(direct->host, request, path, answer);
    may_leave(&staying);
    if (fd == -1)
        errno = answer->error;
    if (fd != ASK_OVER_SOCKET)
        return fd;
    struct wait wait;
    int error = begin_wait(&wait);
    if (error) {
        errno = error;
        return -1;
    }
    fd = ask_over_socket(request, path, answer, second);
    end_wait(&wait);
    return fd;
}
