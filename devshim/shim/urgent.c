/* urgent.c: attributes of /sys that show something else now: POLLERR beside POLLPRI, which no socket can show.
 *
 * kernfs_generic_poll() says both at once. POLLPRI is a byte out of band in the carrier; what is missing is put in after the
 * call. Of an epoll the events alone say nothing of descriptors, so those of attributes are remembered, by number: an entry
 * that is out of date finds no attribute at its descriptor, and does nothing. */
#include "urgent.h"

#include <string.h>
#include <sys/stat.h>

#include "handles.h"
#include "memory.h"

enum { MOST_ATTRIBUTES = 64 };

/* In the process's own memory: a fork copies it. Writers that meet may lose an entry, which costs a POLLERR. */
static struct {
    int epoll, fd; /* 0: the standard input is no epoll, so this is free */
    uint64_t data;
} attributes[MOST_ATTRIBUTES];

static bool is_attribute(int fd)
{
    const struct carrier *carrier = fd >= 0 ? carrier_of(fd) : NULL;

    return carrier && S_ISREG(device_of(carrier)->mode)
           && strncmp(registry_text(device_of(carrier)->path), "/sys/", 5) == 0;
}

struct pollfd *asked_for_urgent(struct pollfd *fds, nfds_t count, struct pollfd copy[MOST_COPIED])
{
    bool needed = false;

    if (count > MOST_COPIED || !copy_from_target(copy, (uintptr_t)fds, count * sizeof *fds))
        return fds;
    for (nfds_t i = 0; i < count; i++)
        if (!(copy[i].events & POLLPRI) && is_attribute(copy[i].fd)) {
            copy[i].events |= POLLPRI;
            needed = true;
        }
    return needed ? copy : fds;
}

void add_errors_polled(struct pollfd *fds, nfds_t count, struct pollfd *polled)
{
    for (nfds_t i = 0; i < count; i++) {
        if (polled[i].revents & POLLPRI && is_attribute(polled[i].fd))
            polled[i].revents |= POLLERR;
        if (polled != fds)
            fds[i].revents = (short)(polled[i].revents & (fds[i].events | POLLERR | POLLHUP | POLLNVAL));
    }
}

void note_attribute(int epoll, int operation, int fd, const struct epoll_event *event)
{
    struct epoll_event copy;
    int place = -1;

    if (operation == EPOLL_CTL_DEL || !is_attribute(fd) || !copy_from_target(&copy, (uintptr_t)event, sizeof copy))
        return;
    for (int i = 0; i < MOST_ATTRIBUTES; i++) {
        bool same = attributes[i].epoll == epoll && attributes[i].fd == fd;
        if (same || (place < 0 && !is_attribute(attributes[i].epoll ? attributes[i].fd : -1)))
            place = i;
        if (same)
            break;
    }
    if (place < 0)
        return;
    attributes[place].epoll = epoll;
    attributes[place].fd = fd;
    attributes[place].data = copy.data.u64;
}

void add_errors_waited(int epoll, struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < MOST_ATTRIBUTES && events[i].events & EPOLLPRI; k++)
            if (attributes[k].epoll == epoll && attributes[k].data == events[i].data.u64 && is_attribute(attributes[k].fd))
                events[i].events |= EPOLLERR;
}
