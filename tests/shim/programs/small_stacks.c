/* small_stacks.c: calls where the stack is as small as the system allows. small_stacks HOW NODE; NODE is a Hot */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

enum { BEYOND = 65536, FOR_CALLS = 1536 };

extern char **environ;
static const char *how;
static int fd;
static volatile sig_atomic_t read_well;

/* Memory at whose lower end nothing is. */
static char *with_guard(size_t size)
{
    char *memory = mmap(NULL, BEYOND + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory, BEYOND, PROT_NONE) == 0);
    return memory + BEYOND;
}

static void on_signal(int number)
{
    (void)number;
    read_well = reads(fd) && write(fd, "x", 1) == 1;
}

/* The process's first reads and writes, where hardly more than a signal's own frame has room. */
static void in_a_handler(void)
{
    unsigned long frame = getauxval(AT_MINSIGSTKSZ);
    size_t size = (frame ? frame : (unsigned long)MINSIGSTKSZ) + FOR_CALLS;
    stack_t stack = { .ss_sp = with_guard(size), .ss_size = size };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

    CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && read_well);
}

static void *execute(void *unused)
{
    char *words[] = { "true", NULL };
    pid_t child = 0;
    int status;
    (void)unused;

    if (strcmp(how, "execve") == 0 && (child = vfork()) == 0) {
        execve("/bin/true", words, environ);
        _exit(127);
    }
    if (strcmp(how, "execvp") == 0 && (child = vfork()) == 0) {
        execvp("true", words);
        _exit(127);
    }
    if (strcmp(how, "posix_spawn") == 0)
        CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, words, environ) == 0);
    if (strcmp(how, "posix_spawnp") == 0)
        CHECK(posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0);
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    return NULL;
}

static void in_a_thread(void)
{
    long size = sysconf(_SC_THREAD_STACK_MIN);
    pthread_attr_t small;
    pthread_t thread;

    size = size > PTHREAD_STACK_MIN ? size : PTHREAD_STACK_MIN;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstack(&small, with_guard((size_t)size), (size_t)size) == 0);
    CHECK(pthread_create(&thread, &small, execute, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    how = argv[1];
    fd = open(argv[2], O_RDWR);
    CHECK(fd >= 0);
    if (strcmp(how, "handler") == 0)
        in_a_handler();
    else
        in_a_thread();
    return 0;
}
