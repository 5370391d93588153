/* _sockets.c: the socket work of an open, in as few steps as the kernel allows: Python's own socket objects take longer
 * than the system calls beneath them. */
#include "_channel.h"

#include <errno.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS 2

static bool is_ready(int fd, short events)
{
    struct pollfd one = { .fd = fd, .events = events };
    return poll(&one, 1, 0) > 0;
}

enum { REQUEST = 8192 };

struct connection {
    int fd;
    struct ucred peer;
    ssize_t got; /* bytes of its request; -1: it has not come yet */
};

/* The next one that is still there. False where nobody waits, or with errno. */
static bool next_connection(int listener, struct connection *next, char request[REQUEST], size_t size)
{
    socklen_t length = sizeof next->peer;

    errno = 0;
    while (is_ready(listener, POLLIN)) { /* accept4 makes a socket before it looks whether it is needed */
        next->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (next->fd < 0)
            return false;
        if (getsockopt(next->fd, SOL_SOCKET, SO_PEERCRED, &next->peer, &length) < 0)
            next->peer.pid = 0;
        next->got = recv(next->fd, request, size, 0);
        if (next->got < 0 || !is_ready(next->fd, POLLRDHUP))
            return true;
        close(next->fd); /* it was killed, or interrupted: nobody opens anything any more */
    }
    return false;
}

/* accept(listener, size) -> (fd, pid, uid, gid, request), or None where nobody waits. The request is b"" where it has not come yet. */
PyObject *sockets_accept(PyObject *module, PyObject *args)
{
    int listener;
    Py_ssize_t size;
    struct connection next = { 0 };
    char request[REQUEST];
    (void)module;

    if (!PyArg_ParseTuple(args, "in", &listener, &size))
        return NULL;
    if (!next_connection(listener, &next, request, (size_t)size < sizeof request ? (size_t)size : sizeof request)) {
        if (errno == 0 || errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
            Py_RETURN_NONE;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("iiiiN", next.fd, (int)next.peer.pid, (int)next.peer.uid, (int)next.peer.gid,
                         PyBytes_FromStringAndSize(request, next.got < 0 ? 0 : next.got));
}

static ssize_t send_descriptors(int fd, const char *data, Py_ssize_t size, const int *fds, int count)
{
    union {
        char room[CMSG_SPACE(FDS * sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    struct iovec part = { (void *)(uintptr_t)data, (size_t)size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (count) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* answer(fd, bytes, fds): send with descriptors and close nothing. False where the other end has gone. */
PyObject *sockets_answer(PyObject *module, PyObject *args)
{
    int fd, fds[FDS] = { -1, -1 };
    PyObject *bytes;
    char *data;
    Py_ssize_t size;
    (void)module;

    if (!PyArg_ParseTuple(args, "iS|ii", &fd, &bytes, &fds[0], &fds[1]) || PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return NULL;
    if (send_descriptors(fd, data, size, fds, (fds[0] >= 0) + (fds[1] >= 0)) >= 0)
        Py_RETURN_TRUE;
    if (errno == EPIPE || errno == ECONNRESET)
        Py_RETURN_FALSE;
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* carrier(nonblock, type, our buffer, their buffer) -> (ours, theirs, st_dev, st_ino of theirs): a connected pair. A
 * buffer of 0 leaves the system's own. */
static int lowest_own; /* in a program's own process: its small numbers are the program's */

int raised_descriptor(int fd)
{
    int higher = lowest_own && fd >= 0 && fd < lowest_own ? fcntl(fd, F_DUPFD_CLOEXEC, lowest_own) : -1;

    if (higher < 0)
        return fd;
    close(fd);
    return higher;
}

/* The host's descriptors whose end somebody waits for, by inode: a fork child must not keep them open. */
#define MOST_NOTED 8192
static struct {
    uint64_t inode;
    uint32_t major, minor;
} noted[MOST_NOTED];

static bool identity(int fd, struct statx *status)
{
    return statx(fd, "", AT_EMPTY_PATH, STATX_INO, status) == 0;
}

static int note_descriptor(int fd)
{
    struct statx status;

    if (fd >= 0 && fd < MOST_NOTED && identity(fd, &status)) {
        noted[fd].major = status.stx_dev_major;
        noted[fd].minor = status.stx_dev_minor;
        noted[fd].inode = status.stx_ino;
    }
    return fd;
}

int noted_descriptor(int first, int last)
{
    struct statx status;

    for (int fd = first < 0 ? 0 : first; fd <= last && fd < MOST_NOTED; fd++)
        if (noted[fd].inode && identity(fd, &status) && status.stx_ino == noted[fd].inode
            && status.stx_dev_major == noted[fd].major && status.stx_dev_minor == noted[fd].minor)
            return fd;
    return -1;
}

/* Their numbers stay taken, for who gives them back in the child does not know. */
void close_noted_descriptors(void)
{
    int nothing = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC);

    for (int fd = 0; (fd = noted_descriptor(fd, MOST_NOTED)) >= 0; fd++)
        if (nothing < 0 || dup3(nothing, fd, O_CLOEXEC) < 0)
            close(fd);
    if (nothing >= 0)
        close(nothing);
    memset(noted, 0, sizeof noted);
}

/* raise_descriptors(lowest): from now on. */
PyObject *sockets_raise_descriptors(PyObject *module, PyObject *args)
{
    (void)module;
    if (!PyArg_ParseTuple(args, "i", &lowest_own))
        return NULL;
    Py_RETURN_NONE;
}

/* raised(fd) -> fd, or its replacement. */
PyObject *sockets_raised(PyObject *module, PyObject *args)
{
    int fd;
    (void)module;
    if (!PyArg_ParseTuple(args, "i", &fd))
        return NULL;
    return PyLong_FromLong(note_descriptor(raised_descriptor(fd)));
}

/* adopt(fd, buffer) -> fd, or its replacement: a connection of which this end becomes a carrier's. */
PyObject *sockets_adopt(PyObject *module, PyObject *args)
{
    int fd, buffer;
    (void)module;

    if (!PyArg_ParseTuple(args, "ii", &fd, &buffer))
        return NULL;
    fd = note_descriptor(raised_descriptor(fd));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    return PyLong_FromLong(fd);
}

PyObject *sockets_carrier(PyObject *module, PyObject *args)
{
    int nonblock, type, our_buffer, their_buffer, pair[2];
    struct statx status; /* not fstat: its name is newer than the oldest glibc that we support */
    (void)module;

    if (!PyArg_ParseTuple(args, "piii", &nonblock, &type, &our_buffer, &their_buffer))
        return NULL;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    pair[0] = note_descriptor(raised_descriptor(pair[0]));
    fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK);
    if (nonblock)
        fcntl(pair[1], F_SETFL, O_RDWR | O_NONBLOCK);
    if (our_buffer)
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &our_buffer, sizeof our_buffer);
    if (their_buffer)
        setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &their_buffer, sizeof their_buffer);
    if (statx(pair[1], "", AT_EMPTY_PATH, STATX_INO, &status) < 0) {
        close(pair[0]);
        close(pair[1]);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("iiKK", pair[0], pair[1], (unsigned long long)makedev(status.stx_dev_major, status.stx_dev_minor), (unsigned long long)status.stx_ino);
}

/* send(fd, bytes) -> bool: one packet, now or not at all. */
PyObject *sockets_send(PyObject *module, PyObject *args)
{
    int fd;
    PyObject *bytes;
    char *data;
    Py_ssize_t size;
    (void)module;

    if (!PyArg_ParseTuple(args, "iS", &fd, &bytes) || PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return NULL;
    return PyBool_FromLong(send(fd, data, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0);
}

/* send_each(fd, packets) -> int: how many of a list of bytes went out, in their order, until one had no room. */
PyObject *sockets_send_each(PyObject *module, PyObject *args)
{
    enum { AT_ONCE = 64 };
    struct mmsghdr messages[AT_ONCE] = { 0 };
    struct iovec parts[AT_ONCE];
    PyObject *packets;
    Py_ssize_t sent = 0;
    int fd, went, some;
    (void)module;

    if (!PyArg_ParseTuple(args, "iO!", &fd, &PyList_Type, &packets))
        return NULL;
    do {
        for (some = 0; some < AT_ONCE && sent + some < PyList_Size(packets); some++) {
            char *data;
            Py_ssize_t size;
            if (PyBytes_AsStringAndSize(PyList_GetItem(packets, sent + some), &data, &size) < 0)
                return NULL;
            parts[some] = (struct iovec){ data, (size_t)size };
            messages[some].msg_hdr = (struct msghdr){ .msg_iov = &parts[some], .msg_iovlen = 1 };
        }
        went = some ? sendmmsg(fd, messages, (unsigned)some, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
        sent += went > 0 ? went : 0;
    } while (went == AT_ONCE);
    return PyLong_FromSsize_t(sent);
}

/* mark(fd): let poll see POLLPRI at the other end, by a byte out of band (unix(7), since Linux 5.15). */
PyObject *sockets_mark(PyObject *module, PyObject *args)
{
    int fd;
    (void)module;

    if (!PyArg_ParseTuple(args, "i", &fd))
        return NULL;
    return PyBool_FromLong(send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL | MSG_DONTWAIT) == 1);
}

/* empty(fd): take out all that lies there. */
PyObject *sockets_empty(PyObject *module, PyObject *args)
{
    int fd;
    char block[8192];
    (void)module;

    if (!PyArg_ParseTuple(args, "i", &fd))
        return NULL;
    while (recv(fd, block, sizeof block, MSG_DONTWAIT) > 0)
        ;
    Py_RETURN_NONE;
}

/* /proc/net/unix tells everybody by which path a socket was bound, and the run's directory is a secret: so by another one,
 * unless there is no /proc. */
static bool bind_secretly(int fd, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *name = strrchr(path, '/') + 1;
    char directory[sizeof address.sun_path] = "";

    memcpy(directory, path, (size_t)(name - path));
    int way = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", way, name);
    bool bound = way >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (!bound && errno == ENOENT) {
        strcpy(address.sun_path, path);
        bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    }
    int error = errno;
    if (way >= 0)
        close(way);
    errno = error;
    return bound;
}

/* listen(path) -> fd: a socket at an absolute path to which anybody who gets there may connect. */
PyObject *sockets_listen(PyObject *module, PyObject *args)
{
    PyObject *path;
    char *text;
    Py_ssize_t length;
    (void)module;

    if (!PyArg_ParseTuple(args, "S", &path) || PyBytes_AsStringAndSize(path, &text, &length) < 0)
        return NULL;
    errno = ENAMETOOLONG;
    if ((size_t)length >= sizeof ((struct sockaddr_un *)0)->sun_path) /* nobody could connect */
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, text);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind_secretly(fd, text) && chmod(text, 0666) == 0 && listen(fd, 1024) == 0)
        return PyLong_FromLong(fd); /* the directory is what keeps others out */
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, text);
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* hang_up(fd, last words, descriptor): the other end finds the connection ended, at once after these, if any. False where
 * it had gone before. */
PyObject *sockets_hang_up(PyObject *module, PyObject *args)
{
    int fd, descriptor = -1;
    PyObject *bytes = NULL;
    char *words = NULL;
    Py_ssize_t size = 0;
    bool there;
    (void)module;

    if (!PyArg_ParseTuple(args, "i|Si", &fd, &bytes, &descriptor) || (bytes && PyBytes_AsStringAndSize(bytes, &words, &size) < 0))
        return NULL;
    there = words ? send_descriptors(fd, words, size, &descriptor, descriptor >= 0) >= 0 : !is_ready(fd, 0);
    if (shutdown(fd, SHUT_RDWR) < 0 && errno != ENOTCONN)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyBool_FromLong(there);
}
