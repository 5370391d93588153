/* standing.c: asks the device Gauge (standing_models.py), whose answers stand. standing WHAT NODE [...] */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../../../devshim/shim/wire.h"
#include "check.h"

struct state { uint32_t value, asked; };
struct table { uint32_t length; uint8_t *data; };

#define GET     _IOR('G', 1, struct state)
#define PUT     _IOW('G', 2, uint32_t)
#define SUM     _IOWR('G', 3, struct state)
#define PRODUCT _IO('G', 4)
#define REVERSE _IOWR('G', 5, struct table)
#define GO      _IO('G', 6)
#define DIE     _IO('G', 7)
#define TICK    _IO('G', 8)
#define LOOK    _IOR('G', 9, struct state)
#define REFUSED _IOR('G', 10, struct state)

static const char *node;
static int fd;

static struct state get(int from)
{
    struct state state = { 0, 0 };
    CHECK(ioctl(from, GET, &state) == 0);
    return state;
}

static void put(uint32_t value)
{
    CHECK(ioctl(fd, PUT, &value) == 0);
}

/* What the host lets its programs know. */
static const volatile struct registry *registry(void)
{
    static const volatile struct registry *map;
    char path[256];
    if (map)
        return map;
    snprintf(path, sizeof path, "%s/registry", getenv("DEVSHIM_RUN"));
    int file = open(path, O_RDONLY);
    map = mmap(NULL, sizeof *map, PROT_READ, MAP_SHARED, file, 0);
    CHECK(file >= 0 && map != MAP_FAILED && map->magic == WIRE_MAGIC && map->moves);
    close(file);
    return map;
}

/* Whether two answers that say how often the model was asked are one; moves: of before the first one. A host does this and
 * that of its own accord, such as hearing that a program has started: then it was asked anew. */
static int is_one(uint32_t one, uint32_t other, uint64_t moves)
{
    return one == other || registry()->moves != moves;
}

/* ---- Each of these is one test -------------------------------------------------------------------- */

/* The model is not asked again, whatever the kind of argument, until something else was asked of it. */
static void again(void)
{
    uint8_t forth[5] = "abcde", back[5] = "edcba", data[5];

    for (int round = 0; round < 3; round++) {
        put((uint32_t)round);
        for (int i = 0; i < 100; i++) {
            uint64_t moves = registry()->moves;
            struct state one = get(fd), other = get(fd);
            CHECK(one.value == (uint32_t)round && other.value == one.value && is_one(one.asked, other.asked, moves));
        }
        for (int i = 0; i < 100; i++) {
            uint64_t moves = registry()->moves;
            struct state one = { 4, 0 }, other = { 4, 0 };
            int times = ioctl(fd, SUM, &one);
            CHECK(times > 0 && is_one((uint32_t)times, (uint32_t)ioctl(fd, SUM, &other), moves));
            CHECK(one.value == 4 + (uint32_t)round && other.value == one.value);
        }
        for (int i = 0; i < 100; i++) {
            uint64_t moves = registry()->moves;
            struct table table = { 5, memcpy(data, forth, 5) };
            int times = ioctl(fd, REVERSE, &table);
            CHECK(times > 0 && memcmp(data, back, 5) == 0);
            memcpy(data, forth, 5);
            CHECK(is_one((uint32_t)times, (uint32_t)ioctl(fd, REVERSE, &table), moves) && memcmp(data, back, 5) == 0);
        }
        for (uint32_t i = 0; i < 300; i++) { /* what stood in for what is chance */
            struct state state = { .value = i % 3 };
            CHECK(ioctl(fd, SUM, &state) > 0 && state.value == i % 3 + (uint32_t)round);
            CHECK(ioctl(fd, PRODUCT, (int)(i % 5)) == (int)(i % 5) * round);
            struct table table = { 5, memcpy(data, i % 2 ? forth : back, 5) };
            CHECK(ioctl(fd, REVERSE, &table) > 0 && memcmp(data, i % 2 ? back : forth, 5) == 0);
        }
    }
}

/* Prints how often the model was asked. */
static void count(int calls)
{
    struct state state = { 0, 0 };
    for (int i = 0; i < calls; i++)
        state = get(fd);
    printf("%u\n", state.asked);
}

/* What refuses does so anew each time, and what is no query is asked each time. */
static void unlike(void)
{
    struct state state, last = get(fd);
    for (int i = 0; i < 5; i++) {
        CHECK(ioctl(fd, LOOK, &state) == 0 && state.asked > last.asked);
        last = state;
    }
    for (int i = 0; i < 5; i++)
        CHECK(ioctl(fd, REFUSED, &state) < 0 && errno == (int)last.asked + 1 + i);
}

/* Whether no thread of a process runs any more. */
static int is_stopped(pid_t process)
{
    char path[300], text[512] = "", *end;
    struct dirent *thread;
    int stopped = 1;

    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    CHECK(threads);
    while ((thread = readdir(threads))) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", process, thread->d_name);
        int file = thread->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
        if (file < 0)
            continue;
        stopped &= read(file, text, sizeof text - 1) > 0 && (end = strrchr(text, ')')) && end[2] == 'T';
        close(file);
    }
    closedir(threads);
    return stopped;
}

/* While the host cannot answer anybody. */
static void stopped(unsigned long request)
{
    uint64_t asked[8] = { 0 }, first[8] = { 0 }, moves;
    pid_t host = (pid_t)registry()->host_pid;
    alarm(50);
    do {
        kill(host, SIGCONT);
        for (int i = 0; i < 6; i++) {
            moves = registry()->moves;
            CHECK(ioctl(fd, request, memset(first, 0, sizeof first)) >= 0);
        }
        CHECK(kill(host, SIGSTOP) == 0);
        UNTIL(is_stopped(host));
    } while (registry()->moves != moves); /* it was at something else */
    for (int i = 0; i < 1000; i++)
        CHECK(ioctl(fd, request, memset(asked, 0, sizeof asked)) >= 0 && memcmp(asked, first, sizeof asked) == 0);
    kill(host, SIGCONT);
}

/* ---- Nobody sees what was before ------------------------------------------------------------------ */

/* What has been put for certain, in memory that all share. */
static volatile uint32_t *least;
static uint32_t turns;

static void *ask(void *unused)
{
    uint32_t seen = 0;
    while (seen < turns) {
        uint32_t before = __atomic_load_n(least, __ATOMIC_SEQ_CST);
        seen = get(fd).value;
        CHECK(seen >= before);
        struct state state = { .value = 1 };
        before = __atomic_load_n(least, __ATOMIC_SEQ_CST);
        CHECK(ioctl(fd, SUM, &state) > 0 && state.value >= before + 1);
    }
    return unused;
}

static void change(int threads, int processes)
{
    pthread_t asking[64];
    least = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    turns = 2000;
    for (int i = 0; i < processes; i++)
        if (fork() == 0) {
            ask(NULL);
            _exit(0);
        }
    for (int i = 0; i < threads; i++)
        CHECK(pthread_create(&asking[i], NULL, ask, NULL) == 0);
    for (uint32_t value = 1; value <= turns; value++) {
        put(value);
        __atomic_store_n(least, value, __ATOMIC_SEQ_CST);
        CHECK(get(fd).value == value);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(asking[i], NULL);
    for (int i = 0, status; i < processes; i++)
        CHECK(wait(&status) > 0 && status == 0);
}

/* A timer of the model's changes it: whoever has read so sees it. */
static void timer(void)
{
    enum { TIMES = 100 };
    CHECK(ioctl(fd, TICK, TIMES) == 0);
    for (uint32_t i = 1, told; i <= TIMES; i++) {
        for (int j = 0; j < 20; j++)
            get(fd);
        CHECK(read(fd, &told, sizeof told) == sizeof told && told == i && get(fd).value >= i);
    }
}

/* ---- Files, processes ------------------------------------------------------------------------------- */

static void files(void)
{
    for (uint32_t opens = 2; opens < 20; opens++) { /* numbers of files are used again */
        int other = open(node, O_RDWR), copy = dup(other);
        for (int i = 0; i < 4; i++)
            CHECK(get(other).value == opens && get(copy).value == opens && get(fd).value == 1);
        close(other);
        CHECK(get(copy).value == opens);
        CHECK(dup2(fd, copy) == copy && get(copy).value == 1);
        close(copy);
    }
    struct state state;
    CHECK(ioctl(123, GET, &state) < 0 && errno == EBADF);
}

static void family(void)
{
    put(7);
    get(fd);
    uint32_t asked = get(fd).asked;
    for (int i = 0, status; i < 3; i++) {
        if (fork() == 0) {
            for (int j = 0; j < 5; j++)
                CHECK(get(fd).value == 7 + (uint32_t)i);
            uint32_t next = 8 + (uint32_t)i;
            put(next);
            CHECK(get(fd).value == next);
            _exit(0);
        }
        CHECK(wait(&status) > 0 && status == 0);
        CHECK(get(fd).value == 8 + (uint32_t)i && get(fd).asked > asked);
    }
}

static void executed(const char *self)
{
    char number[16];
    put(9);
    get(fd);
    get(fd);
    snprintf(number, sizeof number, "%d", fd);
    execl(self, self, "inherited", node, number, (char *)NULL);
    CHECK(!"exec");
}

static void unplugged(void)
{
    struct state state;
    get(fd);
    get(fd);
    CHECK(ioctl(fd, GO) == 0);
    CHECK(ioctl(fd, GET, &state) < 0 && errno == ENODEV);
}

static void lost(void)
{
    struct state state;
    get(fd);
    get(fd);
    CHECK(ioctl(fd, DIE, 100) == 0);
    alarm(30);
    while (ioctl(fd, GET, &state) == 0)
        ;
    CHECK(errno == ENODEV);
}

/* ---- Addresses that are none, handlers in between ------------------------------------------------------ */

static void pointers(void)
{
    struct state *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct state *constant = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    put(3);
    for (int i = 0; i < 10; i++) {
        get(fd);
        CHECK(ioctl(fd, GET, NULL) < 0 && errno == EFAULT);
        CHECK(ioctl(fd, GET, nowhere) < 0 && errno == EFAULT);
        CHECK(ioctl(fd, GET, constant) < 0 && errno == EFAULT);
        CHECK(ioctl(fd, SUM, nowhere) < 0 && errno == EFAULT);
        CHECK(ioctl(fd, SUM, constant) < 0 && errno == EFAULT);
        struct state state = { 1, 0 };
        CHECK(ioctl(fd, SUM, &state) > 0 && state.value == 4);
    }
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
    struct state state = { .value = 5 };
    int before = errno;
    (void)number;
    CHECK(ioctl(fd, SUM, &state) > 0 || errno == EBUSY);
    errno = before;
    handled++;
}

static void signals(void)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };
    sigaction(SIGALRM, &action, NULL);
    ualarm(200, 200);
    for (uint32_t value = 0; handled < 200; value++) {
        put(value);
        for (int i = 0; i < 20; i++)
            CHECK(get(fd).value == value);
    }
    ualarm(0, 0);
}

/* Anything in any order, by one process after another, on several descriptors: each answer is known before. */
static void random_steps(unsigned seed, int steps)
{
    enum { FDS = 4 };
    int fds[FDS] = { fd, fd, fd, fd };
    uint32_t value = 0;

    srand(seed);
    for (int i = 0, status = 0; i < steps; i++) {
        int with = fds[rand() % FDS], which = 1 + rand() % (FDS - 1);
        uint32_t number = (uint32_t)rand() % 4;
        struct state state = { number, 0 };
        uint8_t data[16] = { 1, 2, 3, (uint8_t)number };
        struct table table = { 1 + number, data + number };
        switch (rand() % 24) {
        case 0 ... 5:
            CHECK(get(with).value == value);
            break;
        case 6 ... 10:
            CHECK(ioctl(with, SUM, &state) > 0 && state.value == value + number);
            break;
        case 11 ... 14:
            CHECK(ioctl(with, PRODUCT, number) == (int)(value * number));
            break;
        case 15 ... 18:
            CHECK(ioctl(with, REVERSE, &table) > 0 && data[2 * number] == (number < 3 ? 1 + number : 3));
            break;
        case 19:
            CHECK(ioctl(with, LOOK, &state) == 0 && state.value == value);
            break;
        case 20:
        case 21:
            value = number;
            CHECK(ioctl(with, PUT, &value) == 0);
            break;
        case 22:
            status = number ? dup(with) : open(node, O_RDWR);
            CHECK(status >= 0);
            if (fds[which] != fd)
                close(fds[which]);
            fds[which] = status;
            break;
        case 23:
            if (rand() % 8)
                break;
            if (fork()) { /* the child goes on, so that the tables of each process grow old */
                CHECK(wait(&status) > 0);
                _exit(status != 0);
            }
            break;
        }
    }
}

int main(int argc, char **argv)
{
    const char *what = argv[1];
    node = argv[2];
    int number = argc > 3 ? (int)strtoul(argv[3], NULL, 0) : 0;
    fd = strcmp(what, "inherited") ? open(node, O_RDWR) : number;
    CHECK(fd >= 0);
    if (!strcmp(what, "again"))
        again();
    else if (!strcmp(what, "count"))
        count(number);
    else if (!strcmp(what, "unlike"))
        unlike();
    else if (!strcmp(what, "stopped"))
        stopped(number ? (unsigned)number : GET);
    else if (!strcmp(what, "change"))
        change(number, atoi(argv[4]));
    else if (!strcmp(what, "timer"))
        timer();
    else if (!strcmp(what, "files"))
        files();
    else if (!strcmp(what, "family"))
        family();
    else if (!strcmp(what, "exec"))
        executed(argv[0]);
    else if (!strcmp(what, "inherited"))
        CHECK(get(fd).value == 9 && get(fd).value == 9);
    else if (!strcmp(what, "unplugged"))
        unplugged();
    else if (!strcmp(what, "lost"))
        lost();
    else if (!strcmp(what, "pointers"))
        pointers();
    else if (!strcmp(what, "random"))
        random_steps((unsigned)number, atoi(argv[4]));
    else if (!strcmp(what, "signals"))
        signals();
    else
        CHECK(!"known");
    return 0;
}
