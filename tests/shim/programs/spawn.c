/* spawn.c: posix_spawn with file actions that open a node. spawn NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "check.h"

static void run(const char *command, posix_spawn_file_actions_t *actions)
{
    char *argv[] = { "sh", "-c", (char *)command, NULL }, *nothing[] = { NULL };
    pid_t child;
    int status;
    for (int i = 0; i < 2; i++) { /* actions can be used again */
        int error = i ? posix_spawn(&child, "/bin/sh", actions, NULL, argv, nothing)
                      : posix_spawnp(&child, "sh", actions, NULL, argv, nothing);
        CHECK(error == 0);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t actions;
    const char *node = argv[1];
    (void)argc;
    int first = dup(1), open_before = dup(1);
    close(open_before);

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, node, O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 7);
    posix_spawn_file_actions_addclose(&actions, first);
    posix_spawn_file_actions_addopen(&actions, 9, node, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 8, "/dev/null", O_RDONLY, 0);
    run("for fd in 0 7 9; do test \"$(head -c 8 <&$fd)\" = 12345678 || exit 1; done; test -z \"$(head -c 8 <&8)\"", &actions);
    posix_spawn_file_actions_destroy(&actions);

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/shm/is/not/there", O_RDONLY, 0);
    pid_t child;
    char *words[] = { "true", NULL };
    CHECK(posix_spawnp(&child, "true", &actions, NULL, words, words + 1) == ENOENT);
    posix_spawn_file_actions_destroy(&actions);

    int inherited = open(node, O_RDONLY);
    CHECK(inherited == open_before); /* nothing was left open here */
    char command[64];
    snprintf(command, sizeof command, "test \"$(head -c 8 <&%d)\" = 12345678", inherited);
    run(command, NULL);
    return 0;
}
