/* registry.c: what is plugged in this run. Read-only here, and read without locks: the host writes an entry's
 * key last and takes it away first. */
#include "registry.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "interposed.h"

AT_START const struct registry *registry;
AT_START char run_directory[RUN_DIRECTORY];

static const struct registry *map_file(const char *path)
{
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    bool whole = real.lseek(fd, 0, SEEK_END) >= (off_t)REGISTRY_SIZE;
    struct registry *map = !whole ? MAP_FAILED : real.mmap(NULL, REGISTRY_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    real.syscall(SYS_close, fd);
    if (map == MAP_FAILED)
        return NULL;
    if (map->magic != WIRE_MAGIC || map->version != WIRE_VERSION) {
        munmap(map, REGISTRY_SIZE);
        return NULL;
    }
    return map;
}

void map_registry(void)
{
    const char *directory = getenv("DEVSHIM_RUN");
    size_t length = directory ? strlen(directory) : 0;
    char path[sizeof run_directory + sizeof "/registry"];

    if (length == 0 || length >= sizeof run_directory)
        return;
    memcpy(run_directory, directory, length + 1);
    memcpy(path, directory, length);
    memcpy(path + length, "/registry", sizeof "/registry");
    registry = map_file(path);
    if (!registry)
        run_directory[0] = '\0';
}

/* One place for all runs that this process is ever lent: no thread that is still at it loses the ground. */
static void *lent;

/* The run that this process was started in, to which it goes back. */
static const struct registry *outer;
static char outer_directory[RUN_DIRECTORY];

struct run this_run(void)
{
    return (struct run){ run_directory, registry };
}

struct run outer_run(void)
{
    return (struct run){ outer_directory, outer };
}

bool lend_registry(const char *directory)
{
    size_t length = strlen(directory);
    char path[sizeof run_directory + sizeof "/registry"];

    errno = ENAMETOOLONG;
    if (length >= sizeof run_directory)
        return false;
    memcpy(path, directory, length);
    memcpy(path + length, "/registry", sizeof "/registry");
    int fd = (int)real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct registry *map = real.mmap(lent, REGISTRY_SIZE, PROT_READ, MAP_SHARED | (lent ? MAP_FIXED : 0), fd, 0);
    real.syscall(SYS_close, fd);
    if (map == MAP_FAILED)
        return false;
    if (registry && registry != lent) {
        outer = registry;
        memcpy(outer_directory, run_directory, sizeof outer_directory);
    }
    lent = map;
    memcpy(run_directory, directory, length + 1);
    __atomic_store_n(&registry, map, __ATOMIC_RELEASE);
    if (map->magic == WIRE_MAGIC && map->version == WIRE_VERSION)
        return true;
    give_back_registry();
    errno = EPROTO;
    return false;
}

void give_back_registry(void)
{
    if (!lent)
        return;
    real.mmap(lent, REGISTRY_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    memcpy(run_directory, outer_directory, sizeof run_directory);
    if (outer)
        __atomic_store_n(&registry, outer, __ATOMIC_RELEASE);
}

/* Whether there is anything at an entry; it lies in one page, or what comes first does. */
static bool present(const void *entry)
{
    size_t page = (size_t)((const char *)entry - (const char *)registry) / 4096;
    return __atomic_load_n(&registry->present[page / 64], __ATOMIC_ACQUIRE) >> (page % 64) & 1;
}

#define NO_TEXT 2166136261u

static uint32_t fnv1a(uint32_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash;
}

static const struct node *find_hashed(const char *path, size_t length, uint32_t hash)
{
    const struct node *nodes = (const struct node *)((const char *)registry + registry->nodes_at);

    for (uint32_t i = hash, tried = 0; tried < MAX_NODES; i++, tried++) {
        const struct node *node = &nodes[i & (MAX_NODES - 1)];
        uint32_t kind = present(node) ? __atomic_load_n(&node->kind, __ATOMIC_ACQUIRE) : NODE_FREE;
        if (kind == NODE_FREE)
            return NULL;
        if (kind != NODE_GONE && node->hash == hash && node->length == length
            && memcmp(registry_text(node->path), path, length) == 0)
            return node;
    }
    return NULL;
}

const struct node *find_node(const char *path, size_t length)
{
    return registry ? find_hashed(path, length, fnv1a(NO_TEXT, path, length)) : NULL;
}

/* Each directory's hash is that of its name's beginning: the text is gone through once, however deep it leads. */
const struct node *nearest_node(const char *path, size_t length)
{
    enum { DEEPEST = 64 };
    struct {
        size_t length;
        uint32_t hash;
    } above[DEEPEST];
    unsigned count = 0;
    uint32_t hash = NO_TEXT;
    size_t done = 0;

    for (size_t at = 1; registry && at <= length && count < DEEPEST; at++) {
        if (at < length && path[at] != '/')
            continue;
        hash = fnv1a(hash, path + done, at - done);
        done = above[count].length = at;
        above[count++].hash = hash;
    }
    if (count && above[count - 1].length < length) { /* deeper than that, or at a name of which more follows */
        const struct node *node = find_node(path, length);
        if (node)
            return node;
    }
    while (count--) {
        const struct node *node = find_hashed(path, above[count].length, above[count].hash);
        if (node)
            return node;
    }
    return NULL;
}

static const struct carrier *all_carriers(void)
{
    return (const struct carrier *)((const char *)registry + registry->carriers_at);
}

const struct carrier *find_carrier(uint64_t dev, uint64_t inode)
{
    const struct carrier *carriers = all_carriers();

    for (uint64_t i = inode, tried = 0; tried < MAX_CARRIERS; i++, tried++) {
        const struct carrier *carrier = &carriers[i & (MAX_CARRIERS - 1)];
        uint64_t key = present(carrier) ? __atomic_load_n(&carrier->inode, __ATOMIC_ACQUIRE) : CARRIER_FREE;
        if (key == inode && carrier->dev == dev)
            return carrier;
        if (key == CARRIER_FREE)
            return NULL;
    }
    return NULL;
}

uint32_t carrier_place(const struct carrier *carrier)
{
    return (uint32_t)(carrier - all_carriers());
}

const struct carrier *carrier_in(uint32_t place)
{
    const struct carrier *carrier = all_carriers() + (place & (MAX_CARRIERS - 1));
    return present(carrier) && __atomic_load_n(&carrier->inode, __ATOMIC_ACQUIRE) > CARRIER_GONE ? carrier : NULL;
}

const struct device *registry_device(uint32_t index)
{
    const struct device *devices = (const struct device *)((const char *)registry + registry->devices_at);
    return &devices[index < MAX_DEVICES ? index : 0];
}

const void *registry_text(uint32_t offset)
{
    return offset < REGISTRY_SIZE - registry->text_at ? (const char *)registry + registry->text_at + offset : "";
}
