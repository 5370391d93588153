/* supervise_who.c: who makes a caught call: the process of a thread, whether the shim is in it, and whether a signal waits
 * for it. proc(5) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"
#include "supervise.h"
#include "supervised.h"

#ifdef SUPERVISES

ssize_t read_text(const char *path, char *text, size_t size)
{
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = real.syscall(SYS_read, fd, text, size - 1);
    real.syscall(SYS_close, fd);
    if (length >= 0)
        text[length] = '\0';
    return length;
}

/* ---- Processes ------------------------------------------------------------------------------------- */

static pid_t look_up_process(pid_t thread)
{
    char path[64], text[1024];

    snprintf(path, sizeof path, "/proc/%d/status", thread);
    const char *line = read_text(path, text, sizeof text) > 0 ? strstr(text, "\nTgid:") : NULL;
    return line ? atoi(line + strlen("\nTgid:")) : 0;
}

static bool belongs(pid_t process, pid_t thread)
{
    return real.syscall(SYS_tgkill, process, thread, 0) == 0 || errno == EPERM;
}

pid_t process_of(pid_t thread)
{
    enum { KNOWN = 1024 };
    static uint64_t known[KNOWN]; /* thread << 32 | process */
    uint64_t *place = &known[(unsigned)thread % KNOWN], found = __atomic_load_n(place, __ATOMIC_RELAXED);

    if ((pid_t)(found >> 32) == thread && belongs((pid_t)(uint32_t)found, thread))
        return (pid_t)(uint32_t)found;
    pid_t process = look_up_process(thread);
    __atomic_store_n(place, (uint64_t)(uint32_t)thread << 32 | (uint32_t)process, __ATOMIC_RELAXED);
    return process;
}

/* ---- Shims ----------------------------------------------------------------------------------------- */

/* Where shims have told that they are, and whose libc lies where. Many processes come and go: the oldest are forgotten. */
enum { MOST_PRESENCES = 1024 };

static struct place {
    uint64_t at, low, high; /* at: written last; 0: none */
} places[MOST_PRESENCES];
static unsigned presences;

void note_presence(const struct caught *call)
{
    uintptr_t address = (uintptr_t)call->arguments[1];
    struct presence there;

    if (!copy_from_remote(&there, address, sizeof there) || !there.high)
        return;
    bool direct = there.low <= call->from && call->from < there.high;
    struct place *place = &places[__atomic_fetch_add(&presences, 1, __ATOMIC_RELAXED) % MOST_PRESENCES];
    __atomic_store_n(&place->at, 0, __ATOMIC_RELEASE);
    place->low = direct ? there.low : call->from; /* an emulator makes all calls of its program, libc's too, at one place */
    place->high = direct ? there.high : call->from + 1;
    __atomic_store_n(&place->at, address, __ATOMIC_RELEASE);
}

/* That the call came from where some libc lies is looked at first, because it costs nothing. */
bool came_through_shim(const struct caught *call)
{
    static const uint64_t mark[2] = PRESENCE_MARK;
    unsigned count = __atomic_load_n(&presences, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count && i < MOST_PRESENCES; i++) {
        struct presence there;
        uint64_t at = __atomic_load_n(&places[i].at, __ATOMIC_ACQUIRE);
        if (at && places[i].low <= call->from && call->from < places[i].high && copy_from_remote(&there, at, sizeof there)
            && memcmp(there.mark, mark, sizeof mark) == 0
            && ((there.low <= call->from && call->from < there.high) || places[i].high == places[i].low + 1))
            return true;
    }
    return false;
}

/* ---- Signals --------------------------------------------------------------------------------------- */

static uint64_t signals(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

static bool is_stopped(const char *text)
{
    const char *line = strstr(text, "\nState:");
    return line && strchr("Tt", line[strlen("\nState:\t")]);
}

static bool read_status(pid_t process, pid_t thread, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", process, thread);
    return read_text(path, text, size) > 0;
}

/* A thread that waits in a caught call takes part in no stop, and the others wait for it. */
static bool others_have_stopped(pid_t process, pid_t thread)
{
    char path[64], text[4096], list[4096];
    ssize_t length;
    bool stopped = false;

    snprintf(path, sizeof path, "/proc/%d/task", process);
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && !stopped && (length = real.syscall(SYS_getdents64, fd, list, sizeof list)) > 0)
        for (ssize_t at = 0; at < length && !stopped; at += ((struct dirent *)(list + at))->d_reclen) {
            pid_t other = atoi(((struct dirent *)(list + at))->d_name);
            stopped = other && other != thread && read_status(process, other, text, sizeof text) && is_stopped(text);
        }
    if (fd >= 0)
        real.syscall(SYS_close, fd);
    return stopped;
}

/* The kernel's own code for "begin again, or EINTR, as the signal's handler was set up" means something only to a thread
 * that is about to take a signal. One for the whole process may still go to another thread. */
enum ending ending_of(pid_t process, pid_t thread)
{
    char text[4096];

    if (!read_status(process, thread, text, sizeof text))
        return GOES_ON;
    uint64_t open = ~signals(text, "\nSigBlk:\t");
    bool alone = strstr(text, "\nThreads:\t1\n") != NULL;
    if (signals(text, "\nSigPnd:\t") & open)
        return RESTARTS;
    if (signals(text, "\nShdPnd:\t") & open)
        return alone ? RESTARTS : INTERRUPTED;
    return !alone && others_have_stopped(process, thread) ? RESTARTS : GOES_ON;
}
#endif
