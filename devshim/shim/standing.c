/* standing.c: answers that stand: who asks the same again gets the same, without the host.
 *
 * The host says which do, and for how long: until the registry's moves change, which count whatever may change an
 * answer. Questions are equal where their bytes are; nothing is known here of what they mean.
 *
 * Entries are read and written without locks: an odd sequence says that somebody writes, who may be a thread that a signal
 * handler interrupted, or that siglongjmp() took away. Then the entry is left alone. */
#include "standing.h"

#include <errno.h>
#include <string.h>

#include "interposed.h"
#include "registry.h"

enum { ENTRIES = 64, WAYS = 2 };

/* So often in a row a thread does without the host. A killed one cannot say that its answers stand no longer. */
enum { MOST_UNSEEN = 4096 };

struct entry {
    uint32_t sequence;
    uint32_t file, device, request, asked, answered;
    uint64_t argument, moves;
    int64_t result;
    uint64_t question[STANDING_ROOM / 8], answer[STANDING_ROOM / 8];
};

/* A fork child's is empty (MADV_WIPEONFORK): entries may be half written where the fork found them. */
static struct entry *entries;

static __thread uint32_t unseen __attribute__((tls_model("initial-exec")));

static struct entry *table(void)
{
    size_t size = ENTRIES * sizeof(struct entry);
    struct entry *map = __atomic_load_n(&entries, __ATOMIC_ACQUIRE), *none = NULL;

    if (map)
        return map;
    int before = errno;
    map = real.mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map != MAP_FAILED && madvise(map, size, MADV_WIPEONFORK) < 0) {
        munmap(map, size);
        map = MAP_FAILED;
    }
    errno = before;
    if (map == MAP_FAILED)
        return NULL;
    if (__atomic_compare_exchange_n(&entries, &none, map, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return map;
    munmap(map, size);
    return none;
}

static uint32_t words(uint32_t bytes)
{
    return (bytes + 7) / 8;
}

static uint32_t place_of(const struct standing *standing)
{
    uint64_t hash = standing->argument ^ ((uint64_t)standing->file << 32 | standing->request);

    for (uint32_t i = 0; i < words(standing->asked); i++)
        hash = (hash ^ standing->question[i]) * 0x9e3779b97f4a7c15u;
    hash *= 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 40) % ENTRIES;
}

#define HELD(member) __atomic_load_n(&(member), __ATOMIC_RELAXED)
#define HOLD(member, value) __atomic_store_n(&(member), value, __ATOMIC_RELAXED)

static bool is_about(const struct entry *entry, const struct standing *standing)
{
    bool same = HELD(entry->moves) && HELD(entry->request) == standing->request && HELD(entry->file) == standing->file
                && HELD(entry->device) == standing->device && HELD(entry->argument) == standing->argument
                && HELD(entry->asked) == standing->asked;

    for (uint32_t i = 0; same && i < words(standing->asked); i++)
        same = HELD(entry->question[i]) == standing->question[i];
    return same;
}

/* The registry's moves come last: the host changes them with most calls, so that looking at them takes as long as all
 * else here, and is not for calls whose answers never stand. */
static bool take_from(const struct entry *entry, struct standing *standing)
{
    uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_ACQUIRE);

    if (sequence % 2 || !is_about(entry, standing))
        return false;
    if (HELD(entry->moves) != __atomic_load_n(&registry->moves, __ATOMIC_ACQUIRE))
        return false;
    standing->result = HELD(entry->result);
    standing->answered = HELD(entry->answered);
    if (standing->answered > STANDING_ROOM)
        return false;
    for (uint32_t i = 0; i < words(standing->answered); i++)
        standing->answer[i] = HELD(entry->answer[i]);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return HELD(entry->sequence) == sequence;
}

bool find_standing(struct standing *standing, const struct slot *slot, const void *room)
{
    standing->fits = slot->size <= STANDING_ROOM;
    if (!standing->fits)
        return false;
    standing->file = slot->file;
    standing->device = slot->device;
    standing->request = slot->request;
    standing->asked = slot->size;
    standing->argument = slot->size ? 0 : slot->argument;
    if (slot->size) {
        standing->question[words(slot->size) - 1] = 0;
        memcpy(standing->question, room, slot->size);
    }
    const struct entry *map = __atomic_load_n(&entries, __ATOMIC_ACQUIRE);
    if (!map || ++unseen % MOST_UNSEEN == 0)
        return false;
    uint32_t place = place_of(standing);
    for (uint32_t way = 0; way < WAYS; way++)
        if (take_from(&map[place ^ way], standing))
            return true;
    return false;
}

static void put_into(struct entry *entry, const struct standing *standing, const void *room)
{
    uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED);
    uint64_t answer[STANDING_ROOM / 8] = { 0 };

    if (sequence % 2
        || !__atomic_compare_exchange_n(&entry->sequence, &sequence, sequence + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    HOLD(entry->file, standing->file);
    HOLD(entry->device, standing->device);
    HOLD(entry->request, standing->request);
    HOLD(entry->asked, standing->asked);
    HOLD(entry->argument, standing->argument);
    HOLD(entry->moves, standing->moves);
    HOLD(entry->result, standing->result);
    HOLD(entry->answered, standing->answered);
    for (uint32_t i = 0; i < words(standing->asked); i++)
        HOLD(entry->question[i], standing->question[i]);
    memcpy(answer, room, standing->answered);
    for (uint32_t i = 0; i < words(standing->answered); i++)
        HOLD(entry->answer[i], answer[i]);
    __atomic_store_n(&entry->sequence, sequence + 2, __ATOMIC_RELEASE);
}

void keep_standing(struct standing *standing, const struct slot *slot, const void *room)
{
    if (slot->flags != ANSWER_STANDS || slot->error || !standing->fits)
        return;
    standing->moves = slot->token;
    standing->result = slot->result;
    standing->answered = slot->length;
    struct entry *map = standing->answered <= STANDING_ROOM ? table() : NULL;
    if (!map)
        return;
    uint32_t place = place_of(standing), way = 0;
    while (way < WAYS - 1 && HELD(map[place ^ way].moves) == standing->moves && !is_about(&map[place ^ way], standing))
        way++; /* one that stands gives way where both do */
    put_into(&map[place ^ way], standing, room);
}
