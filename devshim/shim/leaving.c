/* leaving.c: what becomes of open devices when a program with a host inside of it executes another.
 *
 * The interpreter and its models end with the program. A shell does that for each `program < /dev/node`: its child opens
 * the node and executes the program. So what the next program inherits is opened once more, from the host that the run
 * has outside; what had been read and written so far that one does not know. */
#include "leaving.h"

#include <errno.h>
#include <sys/syscall.h>

#include "asking.h"
#include "connection.h"
#include "direct.h"
#include "handles.h"
#include "opening.h"

enum { MOST_FDS = 1024, MOST_FILES = 16 };

bool leaves_host(void)
{
    return direct_host() && outer_run().registry && (outer_run().registry->flags & REGISTRY_IN_PROCESS)
           && !in_borrowed_memory();
}

static int open_outside(const struct carrier *carrier, int fd)
{
    struct hello_request request = { .what = HELLO_OPEN, .flags = (uint32_t)real.fcntl(fd, F_GETFL) };
    const char *path = registry_text(device_of(carrier)->path), *opened = opened_path(carrier);

    if (opened)
        request.what = HELLO_OPENING;
    return ask_outer_host(&request, opened ? opened : path);
}

/* Descriptors of one open file stay those of one. */
static void leave(int fd, const struct carrier *carrier, struct carrier seen[], int by[], int *count)
{
    for (int i = 0; i < *count; i++)
        if (seen[i].inode == carrier->inode && seen[i].dev == carrier->dev) {
            real.dup3(by[i], fd, 0);
            return;
        }
    int outside = open_outside(carrier, fd);
    if (outside < 0) { /* nobody will answer there, and what lies in the carrier is none of the program's */
        real.syscall(SYS_close, fd);
        return;
    }
    seen[*count] = *carrier;
    by[(*count)++] = fd;
    if (outside != fd) {
        real.dup3(outside, fd, 0);
        real.syscall(SYS_close, outside);
    }
}

void leave_host(void)
{
    int before = errno, count = 0;
    struct carrier seen[MOST_FILES];
    int by[MOST_FILES];

    for (int fd = 0; fd < MOST_FDS && count < MOST_FILES; fd++) {
        const struct carrier *carrier = may_be_carrier(fd) ? carrier_of(fd) : NULL;
        int flags = carrier ? real.fcntl(fd, F_GETFD) : -1;
        if (flags >= 0 && !(flags & FD_CLOEXEC))
            leave(fd, carrier, seen, by, &count);
    }
    errno = before;
}

enum { UNKNOWN, NO, YES };

static int known;

void stay_with_outer_host(void)
{
    known = YES;
}

/* Threads that open at once look each for itself, and the first to have looked says it for all: a look that is under way is
 * no answer yet, and one that comes late may see what has been opened since. */
bool inherited_from_host(void)
{
    int first = __atomic_load_n(&known, __ATOMIC_RELAXED), found = NO;

    if (first == UNKNOWN) {
        for (int fd = 0; fd < PROBED_FDS; fd++)
            if (is_set(may_be_device, fd) && identify(fd))
                found = YES;
        if (__atomic_compare_exchange_n(&known, &first, found, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            first = found;
    }
    return first == YES;
}
