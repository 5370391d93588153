/* storm.c: many threads of many processes poll and read one inherited file, some are killed, no wake-up is lost.
 * storm NODE MESSAGES; NODE is a Mailbox. Each message is 8 bytes: its number. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

enum { PROCESSES = 8, THREADS = 8 };

#define COUNT _IO('P', 4)

static int fd;
static uint64_t messages;
static uint64_t *taken; /* shared: how many messages somebody has read */

static void *read_on(void *unused)
{
    unsigned turn = (unsigned)(uintptr_t)unused;
    for (;;) {
        uint64_t number;
        struct pollfd look = { fd, POLLIN, 0 };
        if (turn++ % 2) /* half of the time the call itself waits */
            CHECK(poll(&look, 1, -1) == 1);
        CHECK(read(fd, &number, sizeof number) == sizeof number);
        if (number == UINT64_MAX)
            return NULL;
        __atomic_add_fetch(taken, 1, __ATOMIC_RELAXED);
    }
}

static pid_t start(void)
{
    pid_t child = fork();
    if (child)
        return child;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, read_on, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

int main(int argc, char **argv)
{
    pid_t children[PROCESSES];
    uint64_t killed = 0;
    (void)argc;
    messages = strtoull(argv[2], NULL, 10);
    taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fd = open(argv[1], O_RDWR);
    for (int i = 0; i < PROCESSES; i++)
        children[i] = start();
    for (uint64_t i = 0; i < messages; i++) {
        CHECK(write(fd, &i, sizeof i) == sizeof i);
        if (i % (messages / 100) == 0 && killed < 100) { /* in the middle of whatever it does */
            pid_t *victim = &children[killed++ % PROCESSES];
            kill(*victim, SIGKILL);
            CHECK(waitpid(*victim, NULL, 0) == *victim);
            *victim = start();
        }
        if (i % 50 == 0) /* let the mailbox run empty, so that they wait */
            UNTIL(ioctl(fd, COUNT) == 0);
    }
    UNTIL(ioctl(fd, COUNT) == 0);
    for (int i = 0; i < PROCESSES * THREADS; i++) {
        uint64_t over = UINT64_MAX;
        CHECK(write(fd, &over, sizeof over) == sizeof over);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
    CHECK(*taken <= messages && *taken + killed * THREADS >= messages);
    return 0;
}
