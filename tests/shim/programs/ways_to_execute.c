/* ways_to_execute.c: a program that the shim cannot be loaded into is executed in every way that libc has, and uses a device.
 * Usage: ways_to_execute PROGRAM NODE, where PROGRAM is this one, linked with -static; that is: PROGRAM NODE.
 * Says of each way what the program found. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *words[] = { "called so", "node", NULL }, *path, *name;
static char *few[] = { "HOME=/nowhere", NULL };

/* What it was called, whose child it is, what signals wait for it, and what it reads. */
static int child(char **argv)
{
    char data[8] = "";
    sigset_t waiting;
    int fd = open(argv[1], O_RDONLY);

    sigpending(&waiting);
    ssize_t size = read(fd, data, sizeof data - 1);
    printf("%d %d %s: %s%s\n", getpid(), getppid(), argv[0], size < 0 ? strerror(errno) : data,
           sigismember(&waiting, SIGCHLD) ? ", and of a child of it that ended" : "");
    return 7;
}

static void by_execve(void) { execve(path, words, few); }
static void by_execv(void) { execv(path, words); }
static void by_execvp(void) { execvp(name, words); }
static void by_execvpe(void) { execvpe(name, words, few); }
static void by_execl(void) { execl(path, words[0], words[1], NULL); }
static void by_execlp(void) { execlp(name, words[0], words[1], NULL); }
static void by_execle(void) { execle(path, words[0], words[1], NULL, few); }
static void by_fexecve(void) { fexecve(open(path, O_RDONLY | O_CLOEXEC), words, few); }
#ifdef __GLIBC__
static void by_execveat(void) { execveat(open("/", O_PATH | O_CLOEXEC), path + 1, words, few, 0); }
#else
static void by_execveat(void) { syscall(SYS_execveat, open("/", O_PATH | O_CLOEXEC), path + 1, words, few, 0); }
#endif
static void by_number(void) { syscall(SYS_execve, path, words, few); }

static const struct {
    const char *name;
    void (*execute)(void);
} ways[] = { { "execve", by_execve }, { "execv", by_execv }, { "execvp", by_execvp }, { "execvpe", by_execvpe },
             { "execl", by_execl }, { "execlp", by_execlp }, { "execle", by_execle }, { "fexecve", by_fexecve },
             { "execveat", by_execveat }, { "syscall", by_number } };

/* The first line that it wrote must be of the process that we know, and its end must come to us. */
static void report(const char *way, pid_t pid, int from)
{
    char line[200] = "", *rest = line;
    int status = 0;
    bool whole = read(from, line, sizeof line - 1) > 0;

    close(from);
    bool known = whole && strtol(line, &rest, 10) == pid && strtol(rest, &rest, 10) == getpid();
    bool ended = waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
    printf("%s: %s%s%s", way, known ? "" : "another process ", ended ? "" : "and another end ", rest);
    if (!strchr(rest, '\n'))
        printf("\n");
    fflush(stdout);
}

static void try_execution(const char *way, void (*execute)(void), bool shares_memory)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        exit(1);
    pid_t pid = shares_memory ? vfork() : fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execute();
        _exit(99);
    }
    close(ends[1]);
    report(way, pid, ends[0]);
}

static void try_spawn(const char *way, const char *file, int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                                                                     const posix_spawnattr_t *, char *const[], char *const[]))
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        exit(1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    spawn(&pid, file, &actions, NULL, words, few);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    report(way, pid, ends[0]);
}

/* A shell's, so their numbers are its business. */
static void try_shell(void)
{
    char command[5000], line[200] = "";

    snprintf(command, sizeof command, "'%s' %s | cut -d' ' -f3-", path, words[1]);
    printf("system: ");
    fflush(stdout);
    if (system(command) != 0)
        printf("failed\n");
    FILE *stream = popen(command, "r");
    if (stream && fgets(line, sizeof line, stream))
        printf("popen: %s", line);
    pclose(stream);
}

int main(int argc, char **argv)
{
    char search[5000];
    sigset_t children;

    if (argc == 2)
        return child(argv);
    path = argv[1];
    words[1] = argv[2];
    name = strrchr(path, '/') + 1;
    snprintf(search, sizeof search, "%.*s:/usr/bin:/bin", (int)(name - 1 - path), path);
    setenv("PATH", search, 1);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        try_execution(ways[i].name, ways[i].execute, false);
    try_execution("vfork", by_execve, true);
    try_spawn("posix_spawn", path, posix_spawn);
    try_spawn("posix_spawnp", name, posix_spawnp);
    sigprocmask(SIG_UNBLOCK, &children, NULL);
    try_shell();
    return 0;
}
