/* misses.c: nodes that the program asks for and nobody plugged. Told at the end of a run, or refused. */
#include "misses.h"

#include <errno.h>
#include <string.h>

#include "calls.h"
#include "direct.h"
#include "paths.h"

enum { REMEMBERED = 64 };

/* Only paths below /dev, and never what every program uses. */
static bool is_node(const char *path)
{
    static const char *const ordinary[] = { "null", "zero", "full", "random", "urandom", "tty", "ptmx", "stdin",
                                            "stdout", "stderr", "log" };
    static const char *const below[] = { "pts/", "fd/", "shm/", "mqueue/" };

    if (!registry || path[0] != '/' || path[1] != 'd' || strncmp(path, "/dev/", 5) != 0 || path[5] == '\0' || stands_aside())
        return false;
    for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++)
        if (strcmp(path + 5, ordinary[i]) == 0)
            return false;
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        if (strncmp(path + 5, below[i], strlen(below[i])) == 0)
            return false;
    return true;
}

/* A few hashes of what was told: saying it twice is harmless, asking 10,000 times is not. */
static bool told_before(const char *path)
{
    static uint32_t told[REMEMBERED];
    uint32_t hash = 5381;

    for (const char *c = path; *c; c++)
        hash = hash * 33 + (uint8_t)*c;
    hash += !hash; /* 0: nothing told yet */
    uint32_t *place = &told[hash % REMEMBERED];
    return __atomic_exchange_n(place, hash, __ATOMIC_RELAXED) == hash;
}

int refuse_unplugged(int dirfd, const char *path)
{
    char absolute[ROUTE_PATH];

    if (!registry || !(registry->flags & REGISTRY_GUARD) || is_no_address(path))
        return 0;
    if (path[0] != '/') {
        if (!may_be_routed(dirfd, path) || !path_of(dirfd, absolute, sizeof absolute)
            || strlen(absolute) + strlen(path) + 2 > sizeof absolute)
            return 0;
        path = strcat(strcat(absolute, "/"), path);
    }
    return is_node(path) ? note_miss(path, -1) : 0;
}

void note_unplugged(const char *path, int error)
{
    int before = errno;
    if (error != EFAULT && is_node(path) && !told_before(path))
        note_miss(path, error);
    errno = before;
}
