/* starved.c: starved NODE: opens it again and again in a program that hardly ever gets a processor. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "check.h"

enum { OPENS = 5, MOST_SECONDS = 50 };

static void share_one_processor(void)
{
    cpu_set_t set;
    int first = 0;

    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
}

int main(int count, char **words)
{
    struct sched_param none = { 0 };

    CHECK(count == 2);
    share_one_processor();
    pid_t busy = fork();
    if (busy == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(MOST_SECONDS);
        for (;;)
            ;
    }
    CHECK(busy > 0 && sched_setscheduler(0, SCHED_IDLE, &none) == 0);
    for (int i = 0; i < OPENS; i++) {
        int fd = open(words[1], O_RDONLY);
        CHECK(fd > 2);
        CHECK(reads(fd));
        CHECK(close(fd) == 0);
    }
    CHECK(kill(busy, SIGKILL) == 0 && waitpid(busy, NULL, 0) == busy);
    puts("opened");
    return 0;
}
