/* waiting.c: long waits for replayed devices, of which their host hears, because it may know that nothing will come.
 *
 * A wait for one device alone can be ended by nothing else: the host may let it go at once. Where other descriptors are
 * waited for too, or a time-out in a long while, it is told of the end as well, so that it knows who still waits. */
#include "waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "calls.h"
#include "memory.h"
#include "strays.h"

/* What is known of a wait while its descriptors are looked at. */
struct wait_set {
    int others;
    int count;
    struct carrier files[MOST_TOLD];
};

static void add(struct wait_set *set, const struct carrier *carrier, bool for_input)
{
    if (!carrier || !(device_of(carrier)->flags & DEVICE_ASKS) || !for_input || set->count == MOST_TOLD)
        set->others++;
    else
        set->files[set->count++] = *carrier;
}

static void tell(struct told *told, const struct wait_set *set, int64_t timeout_ns)
{
    bool alone = set->count == 1 && set->others == 0 && timeout_ns < 0;

    for (int i = 0; i < set->count; i++)
        tell_waiting(&set->files[i], alone ? OP_POLL : OP_POLL | WAITS_BESIDE);
    if (alone)
        return;
    told->count = set->count;
    memcpy(told->files, set->files, (size_t)set->count * sizeof *set->files);
}

void tell_over(const struct told *told)
{
    for (int i = 0; i < told->count; i++)
        tell_waiting(&told->files[i], OP_POLL | WAITS_OVER);
}

/* ---- poll and select ---------------------------------------------------------------------------------- */

void tell_polled(struct told *told, struct pollfd *fds, nfds_t count, int64_t timeout_ns)
{
    struct wait_set set = { .others = 0 };
    struct pollfd copy;
    int before = errno;

    told->count = 0;
    for (nfds_t i = 0; i < count; i++) {
        if (!copy_from_target(&copy, (uintptr_t)&fds[i], sizeof copy))
            return;
        if (copy.fd >= 0)
            add(&set, carrier_of(copy.fd), copy.events & (POLLIN | POLLRDNORM));
    }
    if (set.count > 0 && real.poll(fds, count, 0) == 0)
        tell(told, &set, timeout_ns);
    errno = before;
}

static bool has(const fd_set *set, int fd)
{
    const unsigned char *bytes = (const unsigned char *)set; /* FD_ISSET() may be a checking one */
    return bytes[fd / 8] >> (fd % 8) & 1;
}

static bool copy_set(fd_set *copy, const fd_set *set, int count)
{
    const size_t word = sizeof(long);

    memset(copy, 0, sizeof *copy);
    return !set || copy_from_target(copy, (uintptr_t)set, ((size_t)count + 8 * word - 1) / (8 * word) * word);
}

void tell_selected(struct told *told, int count, const fd_set *in, const fd_set *out, const fd_set *except,
                   int64_t timeout_ns)
{
    struct wait_set set = { .others = 0 };
    struct timeval none = { 0 };
    fd_set copies[3];
    int before = errno;

    told->count = 0;
    if (count < 0 || count > FD_SETSIZE || !copy_set(&copies[0], in, count) || !copy_set(&copies[1], out, count)
        || !copy_set(&copies[2], except, count))
        return;
    for (int fd = 0; fd < count; fd++)
        if (has(&copies[0], fd) || has(&copies[1], fd) || has(&copies[2], fd))
            add(&set, carrier_of(fd), has(&copies[0], fd));
    if (set.count > 0 && real.select(count, &copies[0], &copies[1], &copies[2], &none) == 0)
        tell(told, &set, timeout_ns);
    errno = before;
}

/* ---- epoll -------------------------------------------------------------------------------------------- */

/* The number behind a name in a line of fdinfo. */
static uint64_t member(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    uint64_t value = 0;

    if (!at)
        return 0;
    for (at += strlen(name); *at == ' '; at++)
        ;
    for (;; at++) {
        if (*at >= '0' && *at <= '9')
            value = value << 4 | (uint64_t)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            value = value << 4 | (uint64_t)(*at - 'a' + 10);
        else
            return value;
    }
}

/* "tfd: 5 events: 19 data: 5 pos:0 ino:3ab sdev:8"; sdev is the kernel's own number, with 20 bits for the minor. */
static void add_line(struct wait_set *set, const char *line)
{
    if (strncmp(line, "tfd:", 4) != 0)
        return;
    uint64_t device = member(line, " sdev:"), inode = member(line, " ino:");
    const struct carrier *carrier = find_carrier(makedev(device >> 20, device & 0xfffff), inode);
    if (carrier && device_of(carrier)->flags & DEVICE_HARDWARE)
        carrier = NULL;
    add(set, carrier, member(line, " events:") & (POLLIN | POLLRDNORM));
}

static void add_lines(struct wait_set *set, int fd)
{
    char text[2048];
    size_t held = 0;
    ssize_t got;

    while ((got = real.syscall(SYS_read, fd, text + held, sizeof text - 1 - held)) > 0) {
        char *line = text, *end;
        held += (size_t)got;
        text[held] = '\0';
        for (; (end = memchr(line, '\n', held - (size_t)(line - text))); line = end + 1) {
            *end = '\0';
            add_line(set, line);
        }
        held -= (size_t)(line - text);
        memmove(text, line, held);
        if (held == sizeof text - 1)
            held = 0;
    }
}

/* Asked of the kernel, which knows it better than who watches epoll_ctl(): also through dup, fork and close. */
void tell_epoll(struct told *told, int epoll, int64_t timeout_ns)
{
    struct wait_set set = { .others = 0 };
    char path[40] = "/proc/self/fdinfo/", digits[12];
    int before = errno, length = 0;
    size_t at = strlen(path);

    told->count = 0;
    if (epoll < 0)
        return;
    for (int rest = epoll; rest > 0 || length == 0; rest /= 10)
        digits[length++] = (char)('0' + rest % 10);
    while (length > 0)
        path[at++] = digits[--length];
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        int stray = remember_stray(fd, NULL);
        add_lines(&set, fd);
        forget_stray(stray);
        real.syscall(SYS_close, fd);
        tell(told, &set, timeout_ns);
    }
    errno = before;
}
