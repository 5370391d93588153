/* beside_sleeper.c: a port's data flow while the model of another device sleeps. beside_sleeper SLEEPER TTY */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "check.h"

int main(int argc, char **argv)
{
    struct termios raw;
    int waiting = 0, status;
    char buf[8] = "";
    (void)argc;
    int slow = open(argv[1], O_RDONLY), tty = open(argv[2], O_RDWR | O_NOCTTY);
    CHECK(tcgetattr(tty, &raw) == 0);
    cfmakeraw(&raw);
    CHECK(tcsetattr(tty, TCSANOW, &raw) == 0);
    CHECK(write(tty, "hello", 5) == 5);
    UNTIL(ioctl(tty, FIONREAD, &waiting) == 0 && waiting == 5);
    pid_t child = fork();
    if (child == 0)
        _exit(read(slow, buf, sizeof buf) != 5);
    for (int i = 0; i < 5; i++)
        CHECK(read(tty, buf, 1) == 1 && buf[0] == "hello"[i]);
    CHECK(write(tty, "more", 4) == 4); /* into the pty */
    CHECK(waitpid(child, &status, WNOHANG) == 0); /* it sleeps still */
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(read(tty, buf, sizeof buf) > 0 && buf[0] == 'm');
    return 0;
}
