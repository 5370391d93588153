/* threads.c: many threads at once, each with a file of its own and all with one in common. threads NODE COUNT CALLS */
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include "check.h"

static const char *node;
static int common, calls;
static pthread_barrier_t ready;

static void *use(void *unused)
{
    struct { int a, b; } state = { 0, 0 };
    pthread_barrier_wait(&ready); /* all join the host at once */
    int own = open(node, O_RDWR);
    CHECK(own >= 0);
    for (int i = 0; i < calls; i++) {
        CHECK(reads(own) && reads(common));
        CHECK(ioctl(own, _IOR('M', 1, state), &state) == 0 && state.a == 1);
    }
    close(own);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[512];
    int count = atoi(argv[2]);
    (void)argc;
    node = argv[1];
    calls = atoi(argv[3]);
    common = open(node, O_RDWR);
    pthread_barrier_init(&ready, NULL, (unsigned)count);
    for (int round = 0; round < 2; round++) { /* the second lot finds what the first, now dead, left behind */
        for (int i = 0; i < count; i++)
            CHECK(pthread_create(&threads[i], NULL, use, NULL) == 0);
        for (int i = 0; i < count; i++)
            pthread_join(threads[i], NULL);
    }
    return 0;
}
