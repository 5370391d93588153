/* noise.c: the measure of the machine: noise BATCHES: a fixed piece of work, and a fixed system call. */
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "timing.h"

#define STEPS 200000
#define READS 500

static volatile uint64_t sink;

static double fixed_loop(void)
{
    double begin = now_ns();
    uint64_t state = 1;
    for (int i = 0; i < STEPS; i++)
        state = state * 6364136223846793005u + 1442695040888963407u;
    sink = state;
    return now_ns() - begin;
}

static double reads(int fd)
{
    char byte;
    double begin = now_ns();
    for (int i = 0; i < READS; i++)
        require(read(fd, &byte, 1) == 1, "read");
    return (now_ns() - begin) / READS;
}

int main(int count, char **words)
{
    int batches = atoi(words[count - 1]), fd = open("/dev/zero", O_RDONLY);
    double *loop = series(batches), *read_one = series(batches);

    fixed_loop();
    reads(fd);
    for (int i = 0; i < batches; i++) {
        loop[i] = fixed_loop();
        read_one[i] = reads(fd);
    }
    print_series("loop", loop, batches);
    print_series("read", read_one, batches);
}
