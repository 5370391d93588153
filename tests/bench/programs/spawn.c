/* spawn.c: starts a program and waits for its end, again and again: spawn TIMES PROGRAM ARGS... */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "timing.h"

extern char **environ;

int main(int count, char **words)
{
    if (count < 3)
        return 2;
    int times = atoi(words[1]);
    double *values = series(times);
    posix_spawn_file_actions_t silence;
    posix_spawn_file_actions_init(&silence);
    posix_spawn_file_actions_addopen(&silence, 1, "/dev/null", O_WRONLY, 0);

    for (int i = -1; i < times; i++) { /* -1: to warm up */
        pid_t child;
        int status;
        double begin = now_ns();
        int error = posix_spawnp(&child, words[2], &silence, NULL, words + 2, environ);
        require(error == 0 && waitpid(child, &status, 0) == child, words[2]);
        if (i >= 0)
            values[i] = now_ns() - begin;
        require(WIFEXITED(status) && WEXITSTATUS(status) == 0, words[2]);
    }
    print_series("spawn", values, times);
}
