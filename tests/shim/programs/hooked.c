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

static volatile int over;

static void *until_over(void *unused)
{
    volatile double last;
    (void)unused;
    while (!over)
        last = cos(zero);
    (void)last;
    return NULL;
}

/* Children of a parent whose other threads are in the function, each with threads and a child of its own. */
static int child_of_a_crowd(int generation)
{
    pthread_t threads[2];
    double sums[2] = { 0 };
    int status = 0;

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, in_thread, &sums[i]);
    if (generation == 0) {
        pid_t child = fork();
        if (child == 0)
            _exit(child_of_a_crowd(1));
        waitpid(child, &status, 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    volatile double value = cos(zero); /* some compilers know that a cosine is never 7 */
    return status == 0 && value == 7 && sums[0] == 1400 && sums[1] == 1400 ? 0 : 1;
}

static int crowd(void)
{
    pthread_t threads[2];
    int failed = 0;

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, until_over, NULL);
    for (int i = 0; i < 6; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(child_of_a_crowd(0));
        waitpid(child, &status, 0);
        failed += status != 0;
    }
    over = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return failed;
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
    } else if (strcmp(what, "crowd") == 0) {
        printf("%d\n", crowd());
    } else if (strcmp(what, "errno") == 0) {
        errno = 4711;
        double value = cos(zero);
        printf("%g %d\n", value, errno);
    }
    return 0;
}
