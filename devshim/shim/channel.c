/* channel.c: one conversation with the host: a slot in shared memory, and the wait for its answer.
 *
 * Rules of the house, for all code of the shim that runs inside a call:
 * 1. Call libc's I/O only as real.x; a bare read() here would come back to us.
 * 2. Leave errno as it was unless the program's call failed.
 * 3. No stdio, no malloc, no locks after start: we may be in a signal handler or a vfork child.
 * 4. A conversation that a siglongjmp left behind is taken over, never waited for.
 * 5. Never end the program. A lost host is an unplugged device: ENODEV, and one line on stderr. */
#include "channel.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

#include "asking.h"
#include "connection.h"
#include "interposed.h"
#include "strays.h"

#define SPINS        1600u        /* looks at the answer before sleeping: some 40 us, what a sleep costs where the host
                                   * runs on another core */
#define OPENING      4800u        /* the same while the host opens a device, which takes it about as long as SPINS do */
#define CLAIMED      (1u << 30)  /* in a slot's owner: is being taken from the one before; no thread id has the bit */
#define PATIENCE_NS  500000000l   /* how often a sleeper makes sure that the host lives */

static __thread struct {
    uint32_t epoch, id, hint;
    uint32_t under_way; /* calls, those included that siglongjmp left */
    uintptr_t taking; /* the frame of the call that is taking a slot; 0: none is */
} thread __attribute__((tls_model("initial-exec")));

/* ---- Slots -------------------------------------------------------------------------------------- */

static uint32_t thread_id(const struct connection *page)
{
    uint32_t epoch = __atomic_load_n(&page->epoch, __ATOMIC_RELAXED);

    if (thread.epoch != epoch) {
        uint32_t rooms = rooms_of(page), id = (uint32_t)real.syscall(SYS_gettid);
        if (in_borrowed_memory()) /* a vfork child's: the thread is its parent's */
            return id;
        thread.id = id;
        thread.hint = thread.id % (rooms ? rooms : SLOTS);
        thread.epoch = epoch;
    }
    return thread.id;
}

static struct slot *slot_at(struct channel *channel, uint32_t index)
{
    return (struct slot *)((char *)channel + CHANNEL_HEAD + (size_t)index * SLOT_SIZE);
}

/* From here on neither another thread nor a handler of this one's takes it. */
static bool claim(struct slot *slot, uint32_t owner, uint32_t id)
{
    return __atomic_compare_exchange_n(&slot->owner, &owner, id | CLAIMED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void give_to(struct slot *slot, uint32_t owner)
{
    __atomic_store_n(&slot->owner, owner, __ATOMIC_RELEASE);
}

/* What nobody waits for any more is the host's no longer, unless it is at it: then it comes back to us later. */
static bool call_off(struct slot *slot)
{
    uint32_t request = SLOT_REQUEST;
    return __atomic_compare_exchange_n(&slot->state, &request, SLOT_IDLE, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
           || request != SLOT_SERVING;
}

static bool take_back(struct slot *slot, uint32_t owner, uint32_t id)
{
    if (!claim(slot, owner, id))
        return false;
    if (call_off(slot))
        return true;
    give_to(slot, owner);
    return false;
}

/* What this thread has claimed is its own where no call of it is at that: a handler jumped out of the one that was. */
static bool take(struct slot *slot, uint32_t id, uintptr_t frame, bool amid_another)
{
    uint32_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);

    if (owner == 0 ? !claim(slot, 0, id)
        : owner == id ? !left_behind(slot->frame, frame) || !take_back(slot, id, id)
        : owner != (id | CLAIMED) || amid_another || !call_off(slot))
        return false;
    slot->state = SLOT_IDLE;
    slot->frame = frame;
    slot->large = 0;
    give_to(slot, id);
    return true;
}

/* Threads die without a word: when all slots are taken, those of dead threads are free. */
static void free_dead_slots(struct channel *channel, uint32_t id)
{
    int before = errno;

    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = slot_at(channel, i);
        uint32_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);
        if (owner && real.syscall(SYS_tkill, owner & ~CLAIMED, 0) < 0 && errno == ESRCH /* a vfork child is of another process */
            && take_back(slot, owner, id))
            give_to(slot, 0);
    }
    errno = before;
}

static uint32_t index_in(const struct channel *channel, const struct slot *slot)
{
    return (uint32_t)(((const char *)slot - (const char *)channel - CHANNEL_HEAD) / SLOT_SIZE);
}

static uint32_t slot_index(const struct slot *slot)
{
    return index_in(connection->channel, slot);
}

/* ---- Being answered ------------------------------------------------------------------------------ */

static void ring(struct channel *channel, struct bell *bell, const struct slot *slot)
{
    uint32_t process = channel->process, index = index_in(channel, slot);

    __atomic_fetch_or(&channel->pending[index / 64], 1ull << (index % 64), __ATOMIC_RELEASE);
    __atomic_fetch_or(&bell->pending[process / 64], 1ull << (process % 64), __ATOMIC_RELEASE);
    __atomic_fetch_or(&bell->summary, 1ull << (process / 64), __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&bell->sleeping, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&bell->rung, 1, __ATOMIC_SEQ_CST);
        real.syscall(SYS_futex, &bell->rung, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool answered(const struct slot *slot)
{
    return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_ANSWER;
}

static bool sleep_until_answered(struct slot *slot, struct bell *bell)
{
    struct timespec patience = { .tv_nsec = PATIENCE_NS };

    __atomic_store_n(&slot->sleeping, 1, __ATOMIC_SEQ_CST);
    uint32_t state;
    while ((state = __atomic_load_n(&slot->state, __ATOMIC_SEQ_CST)) != SLOT_ANSWER) {
        if (__atomic_load_n(&bell->gone, __ATOMIC_ACQUIRE))
            break;
        long result = real.syscall(SYS_futex, &slot->state, FUTEX_WAIT, state, &patience, NULL, 0);
        if (result < 0 && errno == ETIMEDOUT && !host_lives())
            break;
    }
    slot->sleeping = 0;
    return answered(slot);
}

/* ---- A slot of one's own --------------------------------------------------------------------------- */

/* A call of this very thread that it has asked for, and that the host has not begun with: a signal interrupted it, and the
 * handler calls, too, or jumped out of it to a place from where it cannot be seen to be left behind. */
static bool asked_before(const struct slot *slot, uint32_t id)
{
    return __atomic_load_n(&slot->owner, __ATOMIC_RELAXED) == id
           && __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_REQUEST;
}

/* What a thread asks for later must not be answered sooner: a read that it gave up would take what it writes now. */
static void let_it_be_answered(struct connection *page, struct slot *slot)
{
    int before = errno;

    if (!page->bell)
        return;
    ring(page->channel, page->bell, slot); /* the signal may have come before */
    sleep_until_answered(slot, page->bell);
    errno = before;
}

struct slot *take_slot(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    struct connection *page = connected();

    if (!page) {
        if (errno == ENODEV)
            host_is_gone();
        return NULL;
    }
    if (page->direct && stands_aside()) {
        errno = EBUSY;
        return NULL;
    }
    thread.under_way++;
    uint32_t id = thread_id(page);
    bool amid_another = thread.taking && !left_behind(thread.taking, frame);
    if (!amid_another)
        thread.taking = frame;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    for (;;) {
        for (uint32_t i = 0; i < SLOTS; i++) {
            uint32_t index = (thread.hint + i) % SLOTS;
            struct slot *slot = slot_at(page->channel, index);
            if (take(slot, id, frame, amid_another)) {
                thread.hint = index;
                __atomic_signal_fence(__ATOMIC_SEQ_CST);
                if (!amid_another)
                    thread.taking = 0;
                return slot;
            }
            if (asked_before(slot, id))
                let_it_be_answered(page, slot);
        }
        free_dead_slots(page->channel, id);
        sched_yield();
    }
}

void free_slot(struct slot *slot)
{
    slot->state = SLOT_IDLE;
    give_to(slot, 0);
    thread.under_way--;
}

bool is_calling(void)
{
    return thread.under_way != 0;
}

void *slot_room(struct slot *slot)
{
    if (!slot->large)
        return slot->data;
    return (char *)connection->channel + CHANNEL_SMALL + (size_t)slot_index(slot) * LARGE_DATA;
}

size_t slot_limit(const struct slot *slot)
{
    return slot_index(slot) < rooms_of(connection) ? LARGE_DATA : SLOT_DATA;
}

void *slot_data(struct slot *slot, size_t size)
{
    slot->large = size > SLOT_DATA;
    return slot_room(slot);
}

/* ---- One conversation ---------------------------------------------------------------------------- */

static bool opens(const struct slot *slot)
{
    return slot->op == OP_NOTE && slot->request == NOTE_LOOK;
}

bool converse(struct slot *slot)
{
    struct connection *page = connection;
    const struct direct *direct = page->direct;
    struct channel *channel = page->channel;
    struct bell *bell = page->bell;
    int before = errno;

    slot->generation++;
    slot->thread = slot->owner;
    if (direct) {
        serve_directly(direct, slot, slot_room(slot), slot->large ? LARGE_DATA : SLOT_DATA);
        return true;
    }
    if (!bell) { /* it was here, and has gone */
        errno = ENODEV;
        return false;
    }
    slot->cpu = (uint32_t)sched_getcpu();
    __atomic_store_n(&slot->state, SLOT_REQUEST, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&slot->watched, __ATOMIC_SEQ_CST))
        ring(channel, bell, slot);

    if (slot->cpu != bell->cpu) /* on one and the same core, spinning only keeps the host from running */
        for (uint32_t i = 0, spins = opens(slot) ? OPENING : SPINS; i < spins && !answered(slot); i++)
            pause_briefly();
    if (!answered(slot) && !sleep_until_answered(slot, bell)) {
        if (page->channel == channel)
            host_is_gone();
        else
            errno = EINTR; /* a signal's handler has forked, and this is the child: see forked.c */
        return false;
    }
    errno = before;
    return true;
}

void host_is_gone(void)
{
    static bool said;
    static const char text[] = "devshim: the host of this run has ended; its devices are unplugged\n";
    struct connection *page = __atomic_load_n(&connection, __ATOMIC_ACQUIRE);
    bool by_another = page && page->channel && __atomic_exchange_n(&page->bell->gone, BELL_TOLD, __ATOMIC_RELAXED) == BELL_TOLD;

    if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED) && !by_another)
        (void)!real.write(2, text, sizeof text - 1);
    errno = ENODEV;
}
