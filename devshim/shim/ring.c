/* ring.c: the ring of records, which all processes of a run share.
 *
 * Room is reserved by moving the head on; whoever has some fills it and says so in the record's first word, last of
 * all. A thread that is killed in between leaves a gap: the reader waits a while and goes on with the next record that
 * says at its own position that it is complete. One ring for all, so that its order is the order of events. */
#include "ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "asking.h"
#include "connection.h"
#include "direct.h"
#include "interposed.h"
#include "registry.h"

#define PATIENCE_NS 100000000l /* between two looks whether the recorder still lives */

struct ring *ring;

static uint8_t *records; /* mapped twice, one after the other, so that no record is cut in two */

static struct {
    void *room;
    size_t size;
} left; /* the ring of the run before */

/* The head, and twice the records behind one another. */
static bool map_twice(int fd, uint64_t size)
{
    uint8_t *room = real.mmap(NULL, RING_HEAD + 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int access = PROT_READ | PROT_WRITE, shared = MAP_SHARED | MAP_FIXED;

    if (room == MAP_FAILED)
        return false;
    if (real.mmap(room, RING_HEAD + size, access, shared, fd, 0) == MAP_FAILED
        || real.mmap(room + RING_HEAD + size, size, access, shared, fd, RING_HEAD) == MAP_FAILED) {
        munmap(room, RING_HEAD + 2 * size);
        return false;
    }
    madvise(room, RING_HEAD + 2 * size, MADV_DONTDUMP);
    if (left.room)
        munmap(left.room, left.size);
    left.room = ring;
    left.size = ring ? RING_HEAD + 2 * ring->size : 0;
    records = room + RING_HEAD;
    ring = (struct ring *)room;
    return true;
}

bool map_ring(void)
{
    char path[RUN_DIRECTORY + sizeof "/ring"];
    size_t length = strlen(run_directory);
    struct ring head;

    if (!registry || !(registry->flags & REGISTRY_RECORDS))
        return false;
    memcpy(path, run_directory, length);
    memcpy(path + length, "/ring", sizeof "/ring");
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool fits = real.pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head && head.magic == WIRE_MAGIC
                && head.version == WIRE_VERSION && head.size >= RING_LEAST && head.size <= RING_SIZE
                && (head.size & (head.size - 1)) == 0;
    bool mapped = fits && map_twice(fd, head.size);
    real.syscall(SYS_close, fd);
    return mapped;
}

uint32_t largest_record(void)
{
    return (uint32_t)(ring->size / 4);
}

/* The ring is full. False where waiting would be for ever: nobody reads, or the reader may wait for us. */
static bool wait_for_room(uint64_t needed)
{
    struct timespec patience = { .tv_nsec = PATIENCE_NS };
    struct wait wait;
    int before = errno;
    bool more = true;

    __atomic_fetch_add(&ring->waits, 1, __ATOMIC_RELAXED);
    if (in_borrowed_memory() || begin_wait(&wait) != 0) /* the recorder may need what this thread holds */
        return false;
    while (more) {
        uint32_t freed = __atomic_load_n(&ring->freed, __ATOMIC_SEQ_CST);
        __atomic_store_n(&ring->waiting, 1, __ATOMIC_SEQ_CST);
        if (needed - __atomic_load_n(&ring->tail, __ATOMIC_SEQ_CST) <= ring->size)
            break;
        __atomic_fetch_add(&ring->filled, 1, __ATOMIC_SEQ_CST);
        real.syscall(SYS_futex, &ring->filled, FUTEX_WAKE, 1, NULL, NULL, 0);
        if (real.syscall(SYS_futex, &ring->freed, FUTEX_WAIT, freed, &patience, NULL, 0) < 0 && errno == ETIMEDOUT)
            more = !__atomic_load_n(&ring->closed, __ATOMIC_ACQUIRE) && host_lives();
    }
    if (!more)
        __atomic_store_n(&ring->closed, 1, __ATOMIC_RELEASE);
    end_wait(&wait);
    errno = before;
    return more;
}

struct record *reserve(uint32_t length, uint64_t *position)
{
    uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

    if (length > largest_record())
        return NULL;
    do {
        if (__atomic_load_n(&ring->closed, __ATOMIC_RELAXED)) {
            __atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
            return NULL;
        }
        if (head + length - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) > ring->size) {
            if (!wait_for_room(head + length)) {
                __atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
                return NULL;
            }
            head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);
            continue;
        }
        if (__atomic_compare_exchange_n(&ring->head, &head, head + length, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            break;
    } while (true);
    *position = head;
    return (struct record *)(records + (head & (ring->size - 1)));
}

static void finish(struct record *record, uint64_t position)
{
    __atomic_store_n(&record->state, RECORD_MAGIC ^ position, __ATOMIC_RELEASE);
}

void commit(struct record *record, uint64_t position, uint32_t length, uint32_t used)
{
    uint32_t rest = length - used;

    if (rest && rest < 16) /* too little for a record of its own */
        used = length;
    record->length = used;
    if (used < length) {
        struct record *pad = (struct record *)((uint8_t *)record + used);
        pad->length = rest;
        pad->kind = RECORD_PAD;
        finish(pad, position + used);
    }
    finish(record, position);
    bool much = position + length - __atomic_load_n(&ring->tail, __ATOMIC_RELAXED) > ring->size / 4;
    if (__builtin_expect(much && __atomic_load_n(&ring->sleeping, __ATOMIC_RELAXED), 0)) {
        int before = errno;
        __atomic_fetch_add(&ring->filled, 1, __ATOMIC_SEQ_CST);
        real.syscall(SYS_futex, &ring->filled, FUTEX_WAKE, 1, NULL, NULL, 0);
        errno = before;
    }
}
