/* opening.c: paths whose opening a model file answers itself, wherever they lie (@opening).
 *
 * The registry holds the patterns, so that only what matches one costs a question. Names are compared by their text,
 * absolute and without "//", "." and ".."; symbolic links are not followed. What the host and its models open
 * themselves is real. */
#include "opening.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "asking.h"
#include "channel.h"
#include "connection.h"
#include "embed.h"
#include "hooks.h"
#include "leaving.h"
#include "paths.h"

enum { NAME_ROOM = HELLO_PATH - sizeof(struct opening_note) };

/* ---- Patterns: fnmatch(3)'s without flags, byte by byte, as Python's fnmatch does it on bytes ------------------- */

/* A "[...]" at pattern, behind its bracket: where it ends, or NULL where it is none; *matched: whether it has c. */
static const char *in_brackets(const char *pattern, unsigned char c, bool *matched)
{
    bool not = *pattern == '!', found = false;
    const char *at = pattern + not, *first = at;

    for (; *at && (*at != ']' || at == first); at++) {
        unsigned char low = (unsigned char)*at, high = low;
        if (at[1] == '-' && at[2] && at[2] != ']') {
            high = (unsigned char)at[2];
            at += 2;
        }
        found |= low <= c && c <= high;
    }
    *matched = found != not;
    return *at ? at + 1 : NULL;
}

static bool matches(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;

    while (*name) {
        const char *next = pattern + 1, *end;
        bool matched = *pattern == *name || *pattern == '?', in;
        if (*pattern == '*') {
            star = pattern++;
            resume = name;
            continue;
        }
        if (*pattern == '[' && (end = in_brackets(pattern + 1, (unsigned char)*name, &in))) {
            matched = in;
            next = end;
        }
        if (*pattern && matched) {
            pattern = next;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* Which patterns a path matches, as a number that other sets of patterns hardly have; 0: none. */
static uint64_t declared_as(const char *name)
{
    const char *pattern = registry_text(registry->declared);
    uint64_t set = 0;

    for (uint64_t bit = 1; *pattern; pattern += strlen(pattern) + 1, bit = bit << 1 | bit >> 63)
        if (matches(pattern, name))
            set |= bit;
    return set;
}

/* ---- Names ------------------------------------------------------------------------------------------ */

/* Append the names of a path, ".." taking one back. False where there is no room. */
static bool append(char *name, size_t *length, const char *path)
{
    while (*path) {
        size_t size = strcspn(path, "/");
        if (size == 2 && path[0] == '.' && path[1] == '.') {
            while (*length > 0 && name[--*length] != '/')
                ;
        } else if (size > 0 && (size != 1 || path[0] != '.')) {
            if (*length + 1 + size >= NAME_ROOM)
                return false;
            name[(*length)++] = '/';
            memcpy(name + *length, path, size);
            *length += size;
        }
        path += size;
        path += *path == '/';
    }
    name[*length] = '\0';
    return true;
}

static bool absolute(int dirfd, const char *path, char *name)
{
    char base[ROUTE_PATH];
    size_t length = 0;

    if (path[0] != '/' && (!path_of(dirfd, base, sizeof base) || !append(name, &length, base)))
        return false;
    if (!append(name, &length, path))
        return false;
    if (length == 0)
        memcpy(name, "/", 2);
    return true;
}

/* ---- The question ----------------------------------------------------------------------------------- */

/* A host in this process is brought in for the first question, but not into a Python that is still starting. */
static bool host_is_near(void)
{
    if (!(registry->flags & REGISTRY_IN_PROCESS) || direct_host() || inherited_from_host()) {
        hooks_with_first_open();
        return !direct_host() || !in_borrowed_memory();
    }
    return !in_borrowed_memory() && may_embed() && embed_host();
}

/* A carrier or real descriptor that was promised. A host in this process had others open when it made it: POSIX wants the
 * lowest number. */
static int fetch(uint64_t ticket, int flags)
{
    struct hello_request request = { .what = HELLO_TICKET, .ticket = ticket };
    struct hello_answer answer;
    int fd = ask_for_descriptor(&request, NULL, &answer, NULL);

    if (fd >= 0 && direct_host()) {
        int lower = real.fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (lower >= 0)
            real.syscall(SYS_close, fd);
        fd = lower >= 0 ? lower : fd;
    }
    if (fd >= 0 && !(flags & O_CLOEXEC))
        real.fcntl(fd, F_SETFD, 0);
    return watch(fd);
}

/* Over the channel: quick, but a descriptor must be fetched afterwards. */
static bool ask_by_note(const char *name, int flags, mode_t mode, int *fd)
{
    struct opening_note note = { .flags = (uint32_t)flags, .mode = mode };
    size_t length = strlen(name);
    struct slot *slot = take_slot();

    if (!slot)
        return false;
    slot->op = OP_NOTE;
    slot->nonblock = 0;
    slot->file = slot->device = 0;
    slot->request = NOTE_OPENING;
    slot->argument = 0;
    slot->offset = -1;
    slot->room = 0;
    slot->size = (uint32_t)(sizeof note + length);
    char *data = slot_data(slot, slot->size);
    memcpy(data, &note, sizeof note);
    memcpy(data + sizeof note, name, length);
    bool answered = converse(slot);
    uint32_t answer = slot->flags;
    int error = slot->error;
    uint64_t ticket = slot->token;
    free_slot(slot);
    if (!answered || (answer & ANSWER_REAL)) /* with a lost host, files are files again */
        return false;
    if (!error && (answer & ANSWER_FILE)) {
        *fd = fetch(ticket, flags);
        return true;
    }
    errno = error ? error : EIO;
    *fd = -1;
    return true;
}

/* Over the socket, as a device's open: the descriptor comes with the answer. */
static bool ask_by_hello(const char *name, int flags, mode_t mode, int *fd)
{
    struct hello_request request = { .what = HELLO_OPENING, .flags = (uint32_t)flags, .mode = mode };
    struct hello_answer answer;

    *fd = ask_for_descriptor(&request, name, &answer, NULL);
    if (*fd < 0)
        return answer.magic != 0 && !(answer.flags & ANSWER_REAL);
    join_host();
    if (!(flags & O_CLOEXEC))
        real.fcntl(*fd, F_SETFD, 0);
    watch(*fd);
    return true;
}

/* The latest paths that a host in this process has answered: for leaving.c, because a carrier does not know its own. */
enum { REMEMBERED = 4 };
static struct {
    uint64_t inode, dev;
    char path[NAME_ROOM];
} remembered[REMEMBERED];

static void remember(int fd, const char *name)
{
    static unsigned latest;
    const struct carrier *carrier = carrier_of(fd);
    unsigned place = __atomic_fetch_add(&latest, 1, __ATOMIC_RELAXED) % REMEMBERED;

    if (!carrier)
        return;
    remembered[place].inode = 0;
    strcpy(remembered[place].path, name);
    remembered[place].dev = carrier->dev;
    remembered[place].inode = carrier->inode;
}

const char *opened_path(const struct carrier *carrier)
{
    for (int i = 0; i < REMEMBERED; i++)
        if (remembered[i].inode == carrier->inode && remembered[i].dev == carrier->dev)
            return remembered[i].path;
    return NULL;
}

/* What was opened last by these patterns tells what will be now. */
static bool ask(uint64_t patterns, const char *name, int flags, mode_t mode, int *fd)
{
    enum { BITS = 6 };
    static uint8_t by_hello[1 << BITS];
    uint8_t *hello = &by_hello[patterns * 0x9e3779b97f4a7c15u >> (64 - BITS)];
    bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;

    mode = creates ? mode : 0;
    bool taken = *hello && !direct_host() ? ask_by_hello(name, flags, mode, fd) : ask_by_note(name, flags, mode, fd);
    *hello = taken && *fd >= 0;
    if (*hello && leaves_host())
        remember(*fd, name);
    return taken;
}

__attribute__((noinline)) bool take_opening(int dirfd, const char *path, int flags, mode_t mode, int *fd)
{
    char name[NAME_ROOM];
    int before = errno;

    if (is_no_address(path) || !path[0] || (flags & O_PATH) || stands_aside())
        return false;
    uint64_t patterns = absolute(dirfd, path, name) ? declared_as(name) : 0;
    bool taken = patterns && host_is_near() && ask(patterns, name, flags, mode, fd);
    if (!taken || *fd >= 0)
        errno = before;
    return taken;
}
