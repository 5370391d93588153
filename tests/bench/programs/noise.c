/* noise.c: the measure of the machine: noise BATCHES
 *
 * A fixed piece of work, a fixed system call, and what it costs to hand over to another process and back, with both
 * on one processor and on two: no device call that a sleeping process answers can take less. */
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "timing.h"

#define STEPS 200000
#define READS 500
#define HANDOVERS 50

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

/* Waits until *word is ours to change, then passes it on. */
static void pass_on(uint32_t *word, uint32_t mine)
{
    uint32_t now;
    while ((now = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != mine)
        syscall(SYS_futex, word, FUTEX_WAIT, now, NULL, NULL, 0);
    __atomic_store_n(word, !mine, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void stay_on(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    require(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

static void hand_over(const char *label, int batches, int ours, int theirs)
{
    uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double *values = series(batches);
    require(word != MAP_FAILED, "mmap");
    pid_t other = fork();

    if (other == 0) {
        stay_on(theirs);
        for (;;)
            pass_on(word, 1);
    }
    stay_on(ours);
    for (int i = 0; i < batches; i++) {
        double begin = now_ns();
        for (int j = 0; j < HANDOVERS; j++)
            pass_on(word, 0);
        values[i] = (now_ns() - begin) / HANDOVERS;
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    print_series(label, values, batches);
}

static int next_cpu(const cpu_set_t *set, int cpu)
{
    do
        cpu++;
    while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, set));
    return cpu;
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

    cpu_set_t allowed;
    require(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    int first = next_cpu(&allowed, -1), second = next_cpu(&allowed, first);
    hand_over("one", batches, first, first);
    if (second < CPU_SETSIZE)
        hand_over("two", batches, first, second);
}
