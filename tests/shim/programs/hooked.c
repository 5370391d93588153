/* hooked.c: calls cos() of libm in the ways that a program has: directly, by address, by name, in threads and children. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile double zero = 0;
static double (*volatile by_address)(double) = cos;

static void *in_thread(void *sum)
{
    for (int i = 0; i < 200; i++)
        *(double *)sum += cos(zero);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "ways") == 0) {
        double (*by_name)(double) = (double (*)(double))dlsym(RTLD_DEFAULT, "cos");
        printf("%g %g %g\n", cos(zero), by_address(zero), by_name(zero));
    } else if (strcmp(what, "threads") == 0) {
        double sums[4] = { 0 };
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, in_thread, &sums[i]);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        printf("%g\n", sums[0] + sums[1] + sums[2] + sums[3]);
    } else if (strcmp(what, "fork") == 0) {
        printf("%g ", cos(zero));
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            printf("%g ", cos(zero));
            fflush(stdout);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        printf("%g\n", cos(zero));
    } else if (strcmp(what, "errno") == 0) {
        errno = 4711;
        double value = cos(zero);
        printf("%g %d\n", value, errno);
    }
    return 0;
}
