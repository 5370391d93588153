/* Hooked functions where the stack, or the process, is another one.
 * stack: cos() again from a signal's handler whose stack lies above the interrupted one; vfork: execv() in a child. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile double three = 3.0, inside;

static void handler(int signal)
{
    (void)signal;
    inside = cos(three);
}

static void on_stack(void)
{
    double first = cos(three), second = cos(three);
    printf("%.1f %.1f %.1f\n", first, inside, second);
}

static void in_child(void)
{
    char *words[] = { "true", NULL };
    int status = -1;
    double first = cos(three);
    pid_t child = vfork();

    if (child == 0) {
        execv("/bin/true", words);
        _exit(3);
    }
    waitpid(child, &status, 0);
    printf("%.1f %d %.1f\n", first, status, cos(three));
}

int main(int count, char **words)
{
    char stack[65536]; /* above the frames of whatever is called from here */
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

    if (count > 1 && strcmp(words[1], "vfork") == 0) {
        in_child();
        return 0;
    }
    sigaltstack(&alternate, NULL);
    sigaction(SIGUSR1, &action, NULL);
    on_stack();
    return 0;
}
