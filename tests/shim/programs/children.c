/* children.c: processes made in every way use what they inherit and open what they like. children HOW NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

static const char *node;
static int fd;

static void ended_well(pid_t child)
{
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void use(void)
{
    int own = open(node, O_RDWR);
    CHECK(own >= 0 && reads(own) && reads(fd));
    close(own);
}

static void forked(void)
{
    use();
    pid_t child = fork();
    if (child == 0) {
        use();
        pid_t grandchild = fork();
        if (grandchild == 0) {
            use();
            _exit(0);
        }
        ended_well(grandchild);
        use();
        _exit(0);
    }
    ended_well(child);
    use();
}

/* As fork, but libc's own child handlers do not run. */
static void cloned(void)
{
    use();
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        use();
        _exit(0);
    }
    ended_well(child);
    use();
}

/* The child runs in our memory: nothing that it does there may be gone with it. */
static void vforked(void)
{
    int copy = dup(fd);
    pid_t child = vfork();
    if (child == 0) {
        close(fd);
        int own = open(node, O_RDWR);
        _exit(!(reads(copy) && own >= 0 && reads(own) && dup2(own, 0) == 0 && close(own) == 0));
    }
    ended_well(child);
    use();
    CHECK(reads(copy));
}

/* The first call of all is a vfork child's, on what was inherited. */
static void vforked_first(void)
{
    pid_t child = fork(); /* has no channel yet */
    if (child == 0) {
        child = vfork();
        if (child == 0)
            _exit(!reads(fd));
        ended_well(child);
        use();
        _exit(0);
    }
    ended_well(child);
    child = fork();
    if (child == 0) {
        child = vfork();
        if (child == 0) { /* nor is this one's first call about a device */
            _exit(open("/dev/shm/is/not/there", O_RDONLY) != -1 || !reads(fd));
        }
        ended_well(child);
        use();
        _exit(0);
    }
    ended_well(child);
}

static volatile int over;

static void *open_again_and_again(void *unused)
{
    (void)unused;
    while (!over)
        use();
    return NULL;
}

/* Threads open beside the child, which is none of them, though it runs in their memory. */
static void vforked_among_threads(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, open_again_and_again, NULL) == 0);
    for (int i = 0; i < 60; i++) {
        pid_t child = vfork();
        if (child == 0) {
            for (int j = 0; j < 40; j++) {
                int own = open(node, O_RDWR);
                if (own < 0 || !reads(own) || close(own) != 0)
                    _exit(1);
            }
            _exit(0);
        }
        ended_well(child);
    }
    over = 1;
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Two hundred processes with a file of their own and one in common. */
static void crowd(void)
{
    pid_t children[200];
    int ends[2];
    char c;
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 200; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            close(ends[1]);
            CHECK(read(ends[0], &c, 1) == 0); /* all at once */
            for (int j = 0; j < 10; j++)
                use();
            _exit(0);
        }
    }
    close(ends[1]);
    for (int i = 0; i < 200; i++)
        ended_well(children[i]);
}

/* Many short-lived processes, one after another. */
static void row(void)
{
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0) {
            CHECK(reads(fd));
            _exit(0);
        }
        ended_well(child);
    }
    use();
}

int main(int argc, char **argv)
{
    (void)argc;
    node = argv[2];
    fd = open(node, O_RDWR);
    CHECK(fd >= 0);
    if (strcmp(argv[1], "fork") == 0)
        forked();
    else if (strcmp(argv[1], "clone") == 0)
        cloned();
    else if (strcmp(argv[1], "vfork") == 0)
        vforked();
    else if (strcmp(argv[1], "vfork-first") == 0)
        vforked_first();
    else if (strcmp(argv[1], "vfork-among-threads") == 0)
        vforked_among_threads();
    else if (strcmp(argv[1], "crowd") == 0)
        crowd();
    else if (strcmp(argv[1], "row") == 0)
        row();
    else
        CHECK(!"no such way");
    return 0;
}
