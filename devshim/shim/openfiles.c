/* openfiles.c: while a run is recorded: which open file a descriptor stands for.
 *
 * A descriptor's device is told by its inode, whatever happened to it; this only tells several opens of one device
 * apart. So it may be a plain table in the process's own memory, which a fork copies, and which an exec hands on as text:
 * a descriptor that it does not know, or knows as another device's, is one whose open nobody saw. Descriptors beyond
 * it share what they are counted as. */
#include "openfiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "connection.h"
#include "handles.h"
#include "ring.h"

static struct open_file {
    uint32_t number; /* in the trace; 0: none */
    uint32_t device;
    uint64_t inode;  /* of an anonymous one, else 0 */
} files[WATCHED_FDS];

enum { CHANGES = 16 };

static int most; /* the greatest descriptor in it */

/* What a vfork child has done to its own descriptors: the table that it sees is its parent's. It matters for the program
 * that it executes; should two children be at it at once, that one meets the files anew. */
static struct {
    long owner; /* process id */
    int count;
    struct {
        int fd;
        struct open_file file;
    } changes[CHANGES];
} borrowed;

static struct open_file *entry_of(int fd)
{
    return fd >= 0 && fd < WATCHED_FDS ? &files[fd] : NULL;
}

uint32_t file_number(int fd, uint32_t device)
{
    const struct open_file *file = entry_of(fd);
    return file && file->device == device ? file->number : 0;
}

uint32_t new_file_number(void)
{
    return __atomic_add_fetch(&ring->files, 1, __ATOMIC_RELAXED);
}

static void change_borrowed(int fd, struct open_file file)
{
    long own = (long)real.syscall(SYS_getpid);

    if (borrowed.owner != own)
        borrowed.count = 0;
    borrowed.owner = own;
    if (borrowed.count < CHANGES) {
        borrowed.changes[borrowed.count].fd = fd;
        borrowed.changes[borrowed.count++].file = file;
    }
}

static void set_file(int fd, struct open_file file)
{
    struct open_file *entry = entry_of(fd);

    if (!entry)
        return;
    if (in_borrowed_memory()) {
        change_borrowed(fd, file);
        return;
    }
    *entry = file;
    if (fd > most)
        most = fd;
}

void enter_file(int fd, uint32_t number, uint32_t device, uint64_t inode)
{
    set_file(fd, (struct open_file){ number, device, inode });
}

void forget_files(void)
{
    memset(files, 0, sizeof files);
    most = 0;
}

void copy_file(int to, int from)
{
    const struct open_file *file = entry_of(from);
    struct open_file *copy = entry_of(to);

    if (file && copy && to != from && (file->number || copy->number))
        set_file(to, *file);
}

void forget_file(int fd)
{
    const struct open_file *file = entry_of(fd);
    if (file && file->number)
        set_file(fd, (struct open_file){ 0 });
}

const struct carrier *anonymous_carrier(int fd, uint64_t inode)
{
    const struct open_file *file = entry_of(fd);

    if (!file || !file->number || !file->inode || file->inode != inode)
        return NULL;
    return find_carrier(CARRIER_ANONYMOUS, file->device + FIRST_ANONYMOUS);
}

/* ---- Over an exec -------------------------------------------------------------------------------- */

/* Numbers with a sign behind each: "pid.process." and for each file "fd:number:device:inode." */
static bool append(char text[LONGEST_FILES_TEXT], size_t *length, uint64_t number, char sign)
{
    char digits[20];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    if (*length + count + 2 > LONGEST_FILES_TEXT)
        return false;
    while (count)
        text[(*length)++] = digits[--count];
    text[(*length)++] = sign;
    text[*length] = '\0';
    return true;
}

/* A file as the program sees it that is about to be executed here. */
static struct open_file handed_on(int fd, bool in_borrowed)
{
    for (int i = in_borrowed ? borrowed.count - 1 : -1; i >= 0; i--)
        if (borrowed.changes[i].fd == fd)
            return borrowed.changes[i].file;
    return files[fd];
}

bool write_files(char text[LONGEST_FILES_TEXT], uint32_t process, long pid)
{
    bool in_borrowed = in_borrowed_memory() && borrowed.owner == (long)real.syscall(SYS_getpid);
    size_t length = strlen(text);
    int last = most;

    if (!process || !append(text, &length, (uint64_t)pid, '.') || !append(text, &length, process, '.'))
        return false;
    for (int i = 0; in_borrowed && i < borrowed.count; i++)
        last = borrowed.changes[i].fd > last ? borrowed.changes[i].fd : last;
    for (int fd = 0; fd <= last; fd++) {
        struct open_file file = handed_on(fd, in_borrowed);
        size_t before = length;
        if (file.number && !(append(text, &length, (uint64_t)fd, ':') && append(text, &length, file.number, ':')
                             && append(text, &length, file.device, ':') && append(text, &length, file.inode, '.'))) {
            text[before] = '\0'; /* these are met as inherited ones */
            break;
        }
    }
    return true;
}

static bool take(const char **text, char sign, uint64_t *number)
{
    const char *at = *text;

    for (*number = 0; *at >= '0' && *at <= '9'; at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    if (at == *text || *at != sign)
        return false;
    *text = at + 1;
    return true;
}

void read_files(const char *text, uint32_t *process, long *pid)
{
    uint64_t values[4];

    if (!take(&text, '.', &values[0]) || !take(&text, '.', &values[1]))
        return;
    *pid = (long)values[0];
    *process = (uint32_t)values[1];
    while (take(&text, ':', &values[0]) && take(&text, ':', &values[1]) && take(&text, ':', &values[2])
           && take(&text, '.', &values[3])) {
        if (values[0] >= WATCHED_FDS)
            continue;
        files[values[0]] = (struct open_file){ (uint32_t)values[1], (uint32_t)values[2], values[3] };
        if ((int)values[0] > most)
            most = (int)values[0];
    }
}
