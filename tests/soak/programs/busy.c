/* busy.c: many processes and threads that use devices, until they have made their calls or the devices are gone.
 *
 *     busy PROCESSES THREADS CALLS [beat]      on /dev/cell0, /dev/queue0 (never full) and /dev/records0
 *
 * Ends with 0 also where the devices went away (ENODEV, EIO, or ENOENT for an open); with 1 for a wrong answer. "beat"
 * prints a line to say that the first process has begun. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct transfer { uint32_t length, flags; uint64_t data; };

static long calls;

static void wrong(const char *what)
{
    if (errno == ENODEV || errno == EIO || errno == ENOENT || errno == ENXIO)
        _exit(0);
    fprintf(stderr, "busy: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static int opened(const char *node, int flags)
{
    int fd = open(node, flags);
    if (fd < 0)
        wrong(node);
    return fd;
}

static void expect(int holds, const char *what)
{
    if (!holds)
        wrong(what);
}

/* KiB of memory of our own; what is shared with the host is touched bit by bit (proc(5), status). */
static long resident(void)
{
    char line[128];
    long size = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "RssAnon: %ld", &size) != 1)
        ;
    if (size < 0)
        wrong("/proc/self/status");
    fclose(file);
    return size;
}

/* Only where there is one thread can it be told whose memory grows. */
static void *use(void *alone)
{
    long halfway = 0;
    int cell = opened("/dev/cell0", O_RDWR), records = opened("/dev/records0", O_RDWR | O_NONBLOCK);
    unsigned char data[600];
    for (long i = 0; i < calls; i++) {
        if (alone && i == calls / 2)
            halfway = resident();
        struct transfer transfer = { .length = 100, .data = (uintptr_t)data };
        memset(data, 0x11, sizeof data);
        errno = 0;
        switch (i % 8) {
        case 0: expect(pread(cell, data, 251, 251) == 251 && data[5] == 5, "pread"); break;
        case 1: expect(write(cell, "x", 0) == 0, "write"); break;
        case 2: expect(ioctl(cell, _IOWR('S', 3, struct transfer), &transfer) == 100 && data[63] == (0x11 ^ 0x5A), "turn"); break;
        case 3: expect(ioctl(cell, _IO('S', 4), 300 + i % 7) == (300 + i % 7) % 256, "by value"); break;
        case 4: {
            int other = ioctl(cell, _IO('S', 5));
            expect(other >= 0 && close(other) == 0, "a new file");
            break;
        }
        case 5: expect(ioctl(records, _IO('S', 10), 3) == 0 && read(records, data, 24) == 24, "records"); break;
        case 6: close(records); records = opened("/dev/records0", O_RDWR | O_NONBLOCK); break;
        default: expect(pread(cell, data, 8, 300000) == 0, "end"); break;
        }
    }
    close(cell);
    close(records);
    if (alone && resident() > halfway + 256) {
        fprintf(stderr, "busy: the program grew from %ld KiB to %ld\n", halfway, resident());
        _exit(1);
    }
    return NULL;
}

int main(int count, char **words)
{
    int processes = atoi(words[1]), threads = atoi(words[2]), worst = 0, status;
    calls = atol(words[3]);
    if (count > 4) {
        close(opened("/dev/cell0", O_RDWR)); /* so that the host knows whose the children are, should the waiter die */
        puts("begun");
        fflush(stdout);
    }
    for (int i = 0; i < processes; i++) {
        if (processes > 1 && fork() != 0)
            continue;
        pthread_t others[64];
        for (int j = 0; j < threads - 1; j++)
            if (pthread_create(&others[j], NULL, use, NULL) != 0) {
                fputs("busy: no thread more\n", stderr);
                return 1;
            }
        use(threads == 1 ? &calls : NULL);
        for (int j = 0; j < threads - 1; j++)
            pthread_join(others[j], NULL);
        return 0;
    }
    while (processes > 1 && wait(&status) > 0)
        if (WIFEXITED(status) && WEXITSTATUS(status) > worst)
            worst = WEXITSTATUS(status);
    return worst;
}
