/* wrap_netlink.c: sockets of uevents. Nobody but root may send on the kernel's, so a program that asks for one gets a
 * datagram socket from the host instead, which looks like it wherever a program looks: names, senders, credentials.
 * Filters, time-outs, poll and all else are the kernel's. */
#include "wrap_netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/syscall.h>

#include "asking.h"
#include "direct.h"
#include "memory.h"
#include "wrap_socket.h"

enum { KERNEL_GROUP = 1, UDEV_GROUP = 2, REMEMBERED = 16 };

/* The groups of the sockets that this process has bound, by inode: only for getsockname. */
static struct {
    uint64_t inode;
    uint32_t groups;
} bound[REMEMBERED];

static uint64_t inode_of(int fd)
{
    struct stat status;
    return status_of_carrier(fd, &status) == 0 ? status.st_ino : 0;
}

static uint32_t *groups_of(int fd, bool make)
{
    static uint32_t none;
    uint64_t inode = inode_of(fd);

    for (int i = 0; i < REMEMBERED; i++) {
        uint64_t whose = __atomic_load_n(&bound[i].inode, __ATOMIC_RELAXED);
        if (!whose && make)
            __atomic_compare_exchange_n(&bound[i].inode, &whose, inode, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        if (__atomic_load_n(&bound[i].inode, __ATOMIC_RELAXED) == inode)
            return &bound[i].groups;
    }
    none = 0;
    return &none;
}

static int refuse(int error)
{
    errno = error;
    return -1;
}

INTERPOSE int socket(int domain, int type, int protocol)
{
    struct hello_request request = { .what = HELLO_MONITOR };
    struct hello_answer answer;

    START_ONCE();
    if (domain != AF_NETLINK || protocol != NETLINK_KOBJECT_UEVENT || !registry || stands_aside())
        return LATE(socket)(domain, type, protocol);
    int fd = watch(ask_for_descriptor(&request, NULL, &answer, NULL));
    if (fd < 0)
        return LATE(socket)(domain, type, protocol); /* the host has gone: only the real devices are left */
    if (!(type & SOCK_CLOEXEC))
        real.fcntl(fd, F_SETFD, 0);
    if (type & SOCK_NONBLOCK)
        real.fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Tell the host; it looks before it sends the next message, so that nothing that happens from now on is missed. */
static int join_groups(int fd, uint32_t groups)
{
    struct monitor_groups joined = { .groups = groups };
    memcpy(joined.mark, MONITOR_MARK, sizeof joined.mark);

    *groups_of(fd, true) = groups;
    return LATE(send)(fd, &joined, sizeof joined, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

INTERPOSE int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_nl wanted;

    if (!monitor_of(fd) && names_device(address, size))
        return no_socket(fd) ? -1 : refuse(EADDRINUSE);
    if (!monitor_of(fd))
        return no_socket(fd) ? -1 : LATE(bind)(fd, address, size);
    if (size < sizeof wanted)
        return refuse(EINVAL);
    if (!copy_from_target(&wanted, (uintptr_t)address, sizeof wanted))
        return refuse(EFAULT);
    return wanted.nl_family == AF_NETLINK ? join_groups(fd, wanted.nl_groups) : refuse(EINVAL);
}

int monitor_name(int fd, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_pid = (uint32_t)getpid(), .nl_groups = *groups_of(fd, false) };
    socklen_t room, whole = sizeof name;

    if (!copy_from_target(&room, (uintptr_t)size, sizeof room)
        || !copy_to_target((uintptr_t)address, &name, room < whole ? room : whole)
        || !copy_to_target((uintptr_t)size, &whole, sizeof whole))
        return refuse(EFAULT);
    return 0;
}

int monitor_option(int fd, int level, int option, void *value, socklen_t *size)
{
    bool known = level == SOL_SOCKET && (option == SO_DOMAIN || option == SO_PROTOCOL || option == SO_TYPE);
    int answer = option == SO_DOMAIN ? AF_NETLINK : option == SO_PROTOCOL ? NETLINK_KOBJECT_UEVENT : SOCK_RAW;
    socklen_t room, whole = sizeof answer;

    if (!known)
        return LATE(getsockopt)(fd, level, option, value, size);
    if (!copy_from_target(&room, (uintptr_t)size, sizeof room))
        return refuse(EFAULT);
    whole = room < whole ? room : whole;
    if (!copy_to_target((uintptr_t)value, &answer, whole) || !copy_to_target((uintptr_t)size, &whole, sizeof whole))
        return refuse(EFAULT);
    return 0;
}

int set_monitor_option(int fd, int level, int option, const void *value, socklen_t size)
{
    uint32_t group;

    if (level != SOL_NETLINK)
        return LATE(setsockopt)(fd, level, option, value, size);
    if (option != NETLINK_ADD_MEMBERSHIP && option != NETLINK_DROP_MEMBERSHIP)
        return 0;
    if (size < sizeof group || !copy_from_target(&group, (uintptr_t)value, sizeof group))
        return refuse(size < sizeof group ? EINVAL : EFAULT);
    if (group < 1 || group > 32)
        return refuse(EINVAL);
    uint32_t bit = 1u << (group - 1), groups = *groups_of(fd, true);
    return join_groups(fd, option == NETLINK_ADD_MEMBERSHIP ? groups | bit : groups & ~bit);
}

/* ---- Receiving ------------------------------------------------------------------------------------ */

/* udev's messages begin with a word of theirs, the kernel's with their action. */
static struct sockaddr_nl sender_of(const char *text, size_t size)
{
    bool udev = size >= 8 && memcmp(text, "libudev", 8) == 0;
    return (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = udev ? registry->host_pid : 0,
                                 .nl_groups = udev ? UDEV_GROUP : KERNEL_GROUP };
}

static socklen_t show_sender(void *address, socklen_t room, const char *text, size_t size)
{
    struct sockaddr_nl sender = sender_of(text, size);
    memcpy(address, &sender, room < sizeof sender ? room : sizeof sender);
    return sizeof sender;
}

void receive_uevent(struct msghdr *message, socklen_t room, ssize_t got)
{
    size_t size = message->msg_iovlen && got > 0 ? message->msg_iov[0].iov_len : 0;
    const char *text = size ? message->msg_iov[0].iov_base : "";

    size = size < (size_t)got ? size : (size_t)got;
    if (message->msg_name)
        message->msg_namelen = show_sender(message->msg_name, room, text, size);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_CREDENTIALS)
            memset(CMSG_DATA(head), 0, sizeof(struct ucred)); /* from the kernel, or from a udev that is root's */
}

INTERPOSE ssize_t recvfrom(int fd, void *restrict buf, size_t size, int flags, struct sockaddr *restrict address,
                           socklen_t *restrict length)
{
    const struct carrier *monitor = monitor_of(fd);
    socklen_t room = monitor && address && length ? *length : 0;

    if (!monitor && no_socket(fd))
        return -1;
    ssize_t got = LATE(recvfrom)(fd, buf, size, flags, address, length);

    if (got >= 0 && monitor && address && length)
        *length = show_sender(address, room, buf, (size_t)got < size ? (size_t)got : size);
    return got;
}
