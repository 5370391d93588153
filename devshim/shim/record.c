/* record.c: writes into the ring what the wrappers say of calls on recorded devices.
 *
 * Two records a call, so that one that never returns is known too, and the ring's order tells what overlapped. Numbers
 * of processes, threads and open files are given here, by first appearance, so that whoever reads needs no memory. */
#include "record.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "arguments.h"
#include "calls.h"
#include "connection.h"
#include "memory.h"
#include "openfiles.h"
#include "paths.h"
#include "record_parts.h"

/* ---- Who -------------------------------------------------------------------------------------------- */

/* Wiped in a fork child (MADV_WIPEONFORK), which is another process then. */
static AT_START struct identity {
    uint32_t process; /* number; 0: none yet */
    uint32_t threads; /* numbers given to its threads */
    uint32_t told;    /* the ring knows of it */
} *identity;

static uint32_t origin; /* the process that this one was forked from, or this one: its children's origin */

static uint32_t run; /* how many this process has been recorded in */

static __thread struct {
    uint32_t run, process, number;
} thread __attribute__((tls_model("initial-exec")));

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The first records of a process are preceded by one about itself. */
static void tell_process(uint32_t process)
{
    const char *name = program_invocation_short_name;
    size_t size = name ? strnlen(name, 255) : 0;
    uint32_t length = up_to_eight(sizeof(struct record) + size);
    uint64_t position;
    struct record *record = reserve(length, &position);

    if (!record)
        return;
    *record = (struct record){ .kind = RECORD_PROCESS, .process = process, .time = now(), .data = (uint32_t)size,
                               .first = origin == process ? 0 : origin, .second = (int64_t)real.syscall(SYS_getpid) };
    memcpy(record + 1, name, size);
    commit(record, position, length, length);
    origin = process;
}

static uint32_t own_process(void)
{
    uint32_t own = __atomic_load_n(&identity->process, __ATOMIC_ACQUIRE);

    if (__builtin_expect(own != 0 && identity->told, 1))
        return own;
    if (!own) {
        uint32_t fresh = __atomic_add_fetch(&ring->processes, 1, __ATOMIC_RELAXED);
        if (__atomic_compare_exchange_n(&identity->process, &own, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            own = fresh;
    }
    if (!__atomic_exchange_n(&identity->told, 1, __ATOMIC_RELAXED)) {
        tell_process(own);
        join_host(); /* so that it knows how long there is somebody to be recorded */
    }
    return own;
}

static uint32_t own_thread(uint32_t process)
{
    if (__builtin_expect(thread.process != process || thread.run != run, 0)) {
        thread.number = __atomic_add_fetch(&identity->threads, 1, __ATOMIC_RELAXED);
        thread.process = process;
        thread.run = run;
    }
    return thread.number;
}

/* Room for it, which is zero in a fork child. */
static bool has_identity(void)
{
    if (identity || !(registry->flags & REGISTRY_RECORDS))
        return identity != NULL;
    void *page = real.mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    madvise(page, 4096, MADV_WIPEONFORK);
    identity = page;
    return true;
}

void start_recording_again(void)
{
    if (!has_identity() || !map_ring())
        return;
    forget_files();
    *identity = (struct identity){ 0 };
    origin = 0;
    run++;
}

void start_recording(void)
{
    const char *text = getenv(HANDED_ON);
    uint32_t process = 0;
    long pid = 0;

    if (!has_identity() || !map_ring())
        return;
    if (text)
        read_files(text, &process, &pid);
    origin = process;
    if (process && pid == (long)real.syscall(SYS_getpid))
        identity->process = process; /* it has executed another program, and is the same */
}

char *hand_on_files(char *room)
{
    _Static_assert(LONGEST_HANDED_ON >= LONGEST_FILES_TEXT, "the text has to fit");
    if (!recording())
        return NULL;
    uint32_t own = in_borrowed_memory() ? 0 : __atomic_load_n(&identity->process, __ATOMIC_ACQUIRE);

    memcpy(room, HANDED_ON "=", sizeof HANDED_ON "=");
    return write_files(room, own ? own : origin, own ? (long)real.syscall(SYS_getpid) : 0) ? room : NULL;
}

/* ---- Records ------------------------------------------------------------------------------------------ */

struct data {
    const struct iovec *parts;
    int count;
    size_t size; /* bytes of them that are meant */
};

static const struct data nothing;

/* Copy bytes [skip, skip + size) of data; false where the program's memory cannot be read. */
static bool copy_data(uint8_t *to, const struct data *data, size_t skip, size_t size)
{
    for (int i = 0; i < data->count && size > 0; i++) {
        size_t length = data->parts[i].iov_len;
        if (skip >= length) {
            skip -= length;
            continue;
        }
        size_t piece = length - skip < size ? length - skip : size;
        if (!copy_in_use(to, (uintptr_t)data->parts[i].iov_base + skip, piece))
            return false;
        to += piece;
        size -= piece;
        skip = 0;
    }
    return size == 0;
}

struct record *begin_record(const struct recording *call, const struct record *model, uint32_t length, uint64_t *position)
{
    uint32_t process = own_process(); /* which may append a record of its own first */
    struct record *record = reserve(length, position);

    if (!record)
        return NULL;
    *record = *model;
    record->state = 0;
    record->call = call->call;
    record->number = call->number;
    record->time = now();
    record->process = process;
    record->thread = own_thread(process);
    record->file = call->file;
    record->device = call->device;
    return record;
}

/* Append one record with a piece of data. False where there is no room; number_it: its position becomes the call's number. */
static bool append(struct recording *call, const struct record *model, const struct data *data, size_t skip, size_t size,
                   bool number_it)
{
    uint32_t length = up_to_eight(sizeof(struct record) + size);
    uint64_t position;
    struct record *record = begin_record(call, model, length, &position);

    if (!record)
        return false;
    if (number_it)
        record->number = call->number = position;
    if (model->kind == RECORD_MORE)
        record->call = model->call;
    record->data = (uint32_t)size;
    if (size && !copy_data((uint8_t *)(record + 1), data, skip, size)) {
        record->data = 0;
        record->flags |= RECORD_INCOMPLETE;
    }
    commit(record, position, length, length);
    return true;
}

/* The first record of a call. */
static bool append_begin(struct recording *call, const struct record *model, const struct data *data)
{
    return append(call, model, data, 0, data->size, true);
}

/* The last one; what does not fit into it goes before. */
static void append_end(const struct recording *call, const struct record *model, const struct data *data)
{
    struct recording same = *call;
    const struct record more = { .kind = RECORD_MORE, .call = 1 };
    size_t done = 0;

    while (data->size - done > RECORD_DATA) {
        if (!append(&same, &more, data, done, RECORD_DATA, false))
            return;
        done += RECORD_DATA;
    }
    append(&same, model, data, done, data->size - done, false);
}

/* ---- Which file --------------------------------------------------------------------------------------- */

/* A descriptor whose open was not seen: inherited, or received. */
static uint32_t meet_file(uint32_t device, int fd)
{
    int before = errno, flags = real.fcntl(fd, F_GETFL);
    struct recording call = { .file = new_file_number(), .device = device, .call = CALL_INHERIT };
    struct record model = { .kind = RECORD_BEGIN, .first = flags < 0 ? 0 : flags };

    errno = before;
    if (append_begin(&call, &model, &nothing)) {
        model = (struct record){ .kind = RECORD_END };
        append_end(&call, &model, &nothing);
    }
    enter_file(fd, call.file, device, 0);
    return call.file;
}

struct recording start_call(const struct carrier *carrier, int fd, enum record_call what)
{
    uint32_t number = file_number(fd, carrier->device);

    return (struct recording){ .file = number ? number : meet_file(carrier->device, fd), .device = carrier->device,
                               .call = (uint16_t)what };
}

/* ---- Calls ---------------------------------------------------------------------------------------------- */

bool begin_recording(struct recording *call, const struct carrier *carrier, int fd, enum record_call what, int64_t first,
                     int64_t second, int64_t third)
{
    struct record model = { .kind = RECORD_BEGIN, .first = first, .second = second, .third = third };

    if (!is_recorded(carrier) || !ring)
        return false;
    *call = start_call(carrier, fd, what);
    return append_begin(call, &model, &nothing);
}

int64_t end_recording(const struct recording *call, int64_t result)
{
    struct record model = { .kind = RECORD_END, .first = result, .error = result < 0 ? errno : 0 };

    append_end(call, &model, &nothing);
    return result;
}

int64_t end_read(const struct recording *call, const struct iovec *parts, int count, int64_t result)
{
    struct record model = { .kind = RECORD_END, .first = result, .error = result < 0 ? errno : 0 };
    struct data data = { .parts = parts, .count = count, .size = result > 0 ? (size_t)result : 0 };

    append_end(call, &model, &data);
    return result;
}

/* After the call, so that one which waits is not held up by it before. */
int64_t end_write(const struct recording *call, const struct iovec *parts, int count, int64_t result)
{
    struct record model = { .kind = RECORD_END, .first = result, .error = result < 0 ? errno : 0 };
    struct data data = { .parts = parts, .count = count };

    for (int i = 0; i < count && model.error != EFAULT && model.error != EINVAL; i++)
        data.size += (ssize_t)parts[i].iov_len > 0 ? parts[i].iov_len : 0;
    append_end(call, &model, &data);
    return result;
}

void lose_recording(const struct carrier *carrier, const char *name)
{
    struct recording call = { .device = carrier->device };
    struct iovec part = { (void *)(uintptr_t)name, strlen(name) };
    struct data data = { .parts = &part, .count = 1, .size = part.iov_len };
    struct record model = { .kind = RECORD_LOST };

    append(&call, &model, &data, 0, data.size, true);
}

void record_copy(int to, int from)
{
    if (recording() && to >= 0)
        copy_file(to, from);
}

/* ---- open --------------------------------------------------------------------------------------------- */

/* What every program uses, and terminals and pseudo-terminals: recorded only where the user names them (devices.txt of
 * the kernel: 1 memory devices, 5 terminals, 136 to 143 pseudo-terminals). */
static bool is_everyday(mode_t mode, dev_t number)
{
    unsigned kind = major(number), which = minor(number);

    if (S_ISBLK(mode))
        return false;
    return (kind == 1 && (which == 3 || which == 5 || (which >= 7 && which <= 9))) || (kind == 5 && which != 1)
           || (kind >= 136 && kind <= 143);
}

/* A path as the host can follow it: absolute. */
static const char *absolute(int dirfd, const char *path, char room[ROUTE_PATH])
{
    if (path[0] == '/')
        return path;
    if (!path_of(dirfd, room, ROUTE_PATH) || strlen(room) + strlen(path) + 2 > ROUTE_PATH)
        return NULL;
    return strcat(strcat(room, "/"), path);
}

uint32_t device_to_record(int dirfd, const char *path, int flags)
{
    int before = errno, follow = flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
    struct stat status;
    uint32_t device = 0;

    if (!recording() || (flags & O_PATH) || is_no_address(path))
        return 0;
    if (libc_fstatat(dirfd, path, &status, follow) == 0 && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))) {
        const struct carrier *carrier = find_carrier(status.st_dev, status.st_ino);
        if (carrier)
            device = device_of(carrier)->flags & DEVICE_HARDWARE ? carrier->device : 0;
        else if ((registry->flags & REGISTRY_RECORDS_ALL) && !is_everyday(status.st_mode, status.st_rdev)) {
            char room[ROUTE_PATH];
            const char *name = absolute(dirfd, path, room);
            device = name ? ask_to_record(name) : 0;
        }
    }
    errno = before;
    return device;
}

bool begin_open(struct recording *call, uint32_t device, const char *path, int flags, mode_t mode)
{
    struct iovec part = { (void *)(uintptr_t)path, path[0] == '/' ? strnlen(path, ROUTE_PATH) : 0 };
    struct data data = { .parts = &part, .count = 1, .size = part.iov_len };
    struct record model = { .kind = RECORD_BEGIN, .first = flags, .second = mode };

    *call = (struct recording){ .device = device, .call = CALL_OPEN };
    return append_begin(call, &model, &data);
}

int end_open(const struct recording *call, int result)
{
    struct record model = { .kind = RECORD_END, .first = result < 0 ? -1 : 0, .error = result < 0 ? errno : 0 };
    struct recording same = *call;

    if (result >= 0) {
        const struct carrier *carrier = identify(watch(result));
        same.device = carrier ? carrier->device : call->device; /* a model's file has its class's own */
        same.file = new_file_number();
        enter_file(result, same.file, same.device, 0);
    }
    append_end(&same, &model, &nothing);
    return result;
}
