/* environment.c: children of a program that has thrown its environment away still have the device. environment NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "check.h"

extern char **environ;

static void ended_well(pid_t child)
{
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv)
{
    char command[256], text[16] = "";
    char *words[] = { "sh", "-c", command, NULL }, *foreign[] = { "LD_PRELOAD=libdl.so.2", "PATH=/usr/bin:/bin", NULL };
    (void)argc;
    snprintf(command, sizeof command, "test \"$(head -c 8 %s)\" = 12345678", argv[1]);

    for (int i = 0; i < 9; i++) {
        pid_t child = fork();
        if (child == 0) {
            clearenv();
            switch (i) {
            case 0: execve("/bin/sh", words, NULL); break;
            case 1: execv("/bin/sh", words); break;
            case 2: execvp("/bin/sh", words); break;
            case 3: execl("/bin/sh", "sh", "-c", command, (char *)NULL); break;
            case 4: execle("/bin/sh", "sh", "-c", command, (char *)NULL, foreign); break;
            case 5: execlp("/bin/sh", "sh", "-c", command, (char *)NULL); break;
            case 6: execvpe("sh", words, foreign); break;
            case 7: fexecve(open("/bin/sh", O_RDONLY), words, foreign); break;
            case 8: _exit(system(command) != 0);
            }
            _exit(2);
        }
        ended_well(child);
    }

    environ = NULL;
    snprintf(command, sizeof command, "head -c 8 %s", argv[1]);
    FILE *pipe = popen(command, "r");
    CHECK(pipe && fgets(text, sizeof text, pipe) && strcmp(text, "12345678") == 0);
    CHECK(pclose(pipe) == 0);
    return 0;
}
