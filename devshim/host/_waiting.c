/* _waiting.c: waits for calls, without the GIL: first looking at the slots that were busy a moment ago, then asleep on the
 * bell. */
#include "_waiting.h"
#include "_lock.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define SPINS   600u   /* looks before sleeping: some 20 us */
#define OPENED  1800u  /* the same after an open, whose caller has a socket to make before it asks again */
#define BETWEEN 64u   /* of these looks, before one for closes */
#define CROWDED 16u    /* calls in a row from our own core, each soon after the last, before we move away */
#define SOON    300000 /* ns: a caller that waits longer between its calls is not a busy one */
#define UNHEARD 64u    /* calls, while which a close need not be heard of */

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* In one order with unwatch(), and with what the shim does the other way round: it asks, and looks whether it is watched. */
static bool asks(const struct slot *slot)
{
    return __atomic_load_n(&slot->state, __ATOMIC_SEQ_CST) == SLOT_REQUEST;
}

static void unwatch(struct watched *watched)
{
    if (watched->slot)
        __atomic_store_n(&watched->slot->watched, 0, __ATOMIC_SEQ_CST);
    watched->slot = NULL;
}

/* Where the caller runs on another core, look at its slot for a while instead of sleeping. */
static void watch(struct waiting *self, uint32_t process, uint32_t index)
{
    struct slot *slot = slot_at(self->processes[process].channel, index);

    for (int i = 0; i < WATCHED; i++)
        if (self->watched[i].slot == slot)
            return;
    struct watched *place = &self->watched[self->next_watched++ % WATCHED];
    struct watched evicted = *place;
    unwatch(place);
    if (evicted.slot && asks(evicted.slot)) /* it asked while it thought itself watched: keep it */
        __atomic_fetch_or(&self->processes[evicted.process].channel->pending[evicted.index / 64],
                          1ull << (evicted.index % 64), __ATOMIC_SEQ_CST),
        __atomic_fetch_or(&self->bell->pending[evicted.process / 64], 1ull << (evicted.process % 64), __ATOMIC_SEQ_CST),
        __atomic_fetch_or(&self->bell->summary, 1ull << (evicted.process / 64), __ATOMIC_SEQ_CST);
    *place = (struct watched){ slot, process, index };
    __atomic_store_n(&slot->watched, 1, __ATOMIC_SEQ_CST);
}

/* In turn, or a few busy ones would keep the others waiting for ever. */
static bool take_watched(struct waiting *self, uint32_t *process, uint32_t *index)
{
    for (uint32_t i = 0; i < WATCHED; i++) {
        struct watched *watched = &self->watched[(self->turn + i) % WATCHED];
        if (watched->slot && asks(watched->slot)) {
            self->turn += i + 1;
            *process = watched->process;
            *index = watched->index;
            return true;
        }
    }
    return false;
}

/* One pending bit at a time; what else was in the word goes back. */
static bool take_bit(uint64_t *word, uint32_t *bit)
{
    uint64_t bits = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (!bits)
        return false;
    *bit = (uint32_t)__builtin_ctzll(bits);
    __atomic_fetch_and(word, ~(1ull << *bit), __ATOMIC_SEQ_CST);
    return true;
}

static bool take_rung(struct waiting *self, uint32_t *process, uint32_t *index)
{
    uint32_t group, member, bit;

    while (take_bit(&self->bell->summary, &group)) {
        while (take_bit(&self->bell->pending[group], &member)) {
            *process = group * 64 + member;
            struct channel *channel = __atomic_load_n(&self->processes[*process].channel, __ATOMIC_ACQUIRE);
            for (uint32_t word = 0; channel && word < SLOTS / 64; word++) {
                while (take_bit(&channel->pending[word], &bit)) {
                    *index = word * 64 + bit;
                    if (!asks(slot_at(channel, *index)))
                        continue;
                    /* More may wait behind this one: come back for it. */
                    __atomic_fetch_or(&self->bell->pending[group], 1ull << member, __ATOMIC_SEQ_CST);
                    __atomic_fetch_or(&self->bell->summary, 1ull << group, __ATOMIC_SEQ_CST);
                    return true;
                }
            }
        }
    }
    return false;
}

static void bury_dead(struct waiting *self)
{
    if (!__atomic_exchange_n(&self->dying, 0, __ATOMIC_ACQUIRE))
        return;
    for (uint32_t i = 0; i < MAX_PROCESSES; i++) {
        struct process *process = &self->processes[i];
        if (!__atomic_load_n(&process->dying, __ATOMIC_ACQUIRE))
            continue;
        for (int w = 0; w < WATCHED; w++)
            if (self->watched[w].slot && self->watched[w].process == i)
                self->watched[w].slot = NULL;
        munmap(process->channel, process->size);
        __atomic_store_n(&process->dying, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&process->channel, NULL, __ATOMIC_RELEASE); /* from here on it may be given to the next */
    }
}

/* A busy caller on our own core costs two context switches a call; from another core it costs none, because both
 * sides look at the slot instead of sleeping. So we go elsewhere while it is busy, and come back when it pauses:
 * then being woken on the caller's core is quicker. Where there is one core only, we do not even count: to sleep with a
 * time limit costs a timer in the hardware, half as much as the call. */
static bool is_crowded(struct waiting *self)
{
    struct timespec time;

    if (CPU_COUNT(&self->allowed) < 2)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t now = time.tv_sec * 1000000000ll + time.tv_nsec;
    self->crowded = now - self->last < SOON ? self->crowded + 1 : 1;
    self->last = now;
    return self->crowded >= CROWDED;
}

static void move_away(struct waiting *self, uint32_t cpu)
{
    cpu_set_t others = self->allowed;

    CPU_CLR(cpu, &others);
    self->crowded = 0;
    self->moved = sched_setaffinity(0, sizeof others, &others) == 0;
}

static void come_back(struct waiting *self)
{
    sched_setaffinity(0, sizeof self->allowed, &self->allowed);
    self->crowded = 0;
    self->moved = false;
}

/* Who opens closes as well, and opens the next: each close would wake the loop, which costs both of us more than an open
 * does. So the loop hears of none until we sleep, or have answered some calls: we take them in ourselves, while the caller
 * makes its next socket, and an open takes in what is left. */
static void let_loop_hear(struct waiting *self, bool of_closes)
{
    struct epoll_event event = { .events = of_closes ? EPOLLIN : 0, .data.fd = self->closes };

    if (self->closes >= 0 && of_closes == (self->unheard != 0))
        epoll_ctl(self->loop, EPOLL_CTL_MOD, self->closes, &event);
    self->unheard = of_closes ? 0 : UNHEARD;
}

static bool are_closed(const struct waiting *self)
{
    struct pollfd ends = { .fd = self->closes, .events = POLLIN };
    return self->closes >= 0 && poll(&ends, 1, 0) > 0;
}

static bool wait_for_call(struct waiting *self, uint32_t *process, uint32_t *index)
{
    struct bell *bell = self->bell;
    bool any_watched = false;

    for (int i = 0; i < WATCHED; i++)
        any_watched |= self->watched[i].slot != NULL;
    for (;;) {
        bury_dead(self);
        if (__atomic_load_n(&self->stopping, __ATOMIC_ACQUIRE))
            return false;
        self->cpu = bell->cpu = (uint32_t)sched_getcpu();
        for (uint32_t i = 0, spins = !any_watched ? 1 : self->unheard ? OPENED : SPINS; i < spins; i++) {
            bool rung_first = self->turn % 2; /* the busiest of all do not shut out those that ring */
            if (rung_first && __atomic_load_n(&bell->summary, __ATOMIC_RELAXED) && take_rung(self, process, index)) {
                self->turn++;
                return true;
            }
            if (take_watched(self, process, index))
                return true;
            if (__atomic_load_n(&bell->summary, __ATOMIC_RELAXED) && take_rung(self, process, index))
                return true;
            if (self->unheard && i % BETWEEN == BETWEEN - 1 && are_closed(self)) {
                *process = CLOSES;
                return true;
            }
            pause_briefly();
        }
        uint32_t rung = __atomic_load_n(&bell->rung, __ATOMIC_SEQ_CST);
        __atomic_store_n(&bell->sleeping, 1, __ATOMIC_SEQ_CST);
        bool found = false;
        for (int i = 0; i < WATCHED && any_watched; i++) {
            struct watched last = self->watched[i];
            unwatch(&self->watched[i]);
            if (!found && last.slot && asks(last.slot)) {
                *process = last.process;
                *index = last.index;
                found = true;
                break; /* the others stay watched */
            }
        }
        if (!found)
            found = take_rung(self, process, index);
        if (!found && !__atomic_load_n(&self->stopping, __ATOMIC_ACQUIRE) && !__atomic_load_n(&self->dying, __ATOMIC_ACQUIRE)) {
            any_watched = false;
            if (self->unheard)
                let_loop_hear(self, true);
            struct timespec a_while = { .tv_nsec = SOON }, *patience = self->moved ? &a_while : NULL;
            if (futex(&bell->rung, FUTEX_WAIT, rung, patience) < 0 && errno == ETIMEDOUT)
                come_back(self);
        }
        __atomic_store_n(&bell->sleeping, 0, __ATOMIC_SEQ_CST);
        if (found)
            return true;
    }
}

bool next_call(struct waiting *self, uint32_t *process, uint32_t *index)
{
    bool found = wait_for_call(self, process, index);

    if (self->unheard && (!found || --self->unheard == 0)) {
        self->unheard = 1;
        let_loop_hear(self, true);
    }
    return found;
}

/* ---- After a call ---- */

void begin_waiting(struct waiting *self)
{
    sched_getaffinity(0, sizeof self->allowed, &self->allowed);
}

void keep_near(struct waiting *self, uint32_t process, uint32_t index, uint32_t cpu)
{
    if (cpu != self->cpu) {
        watch(self, process, index);
        if (self->opened)
            let_loop_hear(self, false);
    } else if (is_crowded(self))
        move_away(self, cpu);
}
