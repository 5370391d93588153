/* unplugged.c: a device is taken away while it is in use, and comes back. unplugged CABLE MAILBOX TTY */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "check.h"

#define TOLD _IO('P', 1)
#define TAKE _IOR('P', 2, int)

static int cable, box, full, tty, locked;

static void pull(const char *verb, const char *node)
{
    char words[300];
    int length = snprintf(words, sizeof words, "%s %s", verb, node);
    CHECK(write(cable, words, (size_t)length) == length);
}

static void in_read(void)
{
    char c;
    CHECK(read(box, &c, 1) == -1 && errno == ENODEV);
}

static void in_poll(void)
{
    struct pollfd look = { box, POLLIN, 0 };
    CHECK(poll(&look, 1, -1) == 1);
    UNTIL(poll(&look, 1, -1) == 1 && (look.revents & POLLHUP));
}

static void in_ioctl(void)
{
    int letter;
    CHECK(ioctl(box, TAKE, &letter) == -1 && errno == ENODEV);
}

static void in_lock(void)
{
    CHECK(flock(locked, LOCK_EX) == -1 && errno == ENODEV);
}

static void in_tty(void)
{
    char c;
    ssize_t got;
    /* Which of the two a blocked read meets, the master's close or the hang-up behind it, the kernel's timing decides. */
    CHECK((got = read(tty, &c, 1)) == 0 || (got == -1 && errno == EIO));
    CHECK(read(tty, &c, 1) == 0);
}

int main(int argc, char **argv)
{
    static void (*const all[])(void) = { in_read, in_read, in_poll, in_ioctl, in_lock, in_tty };
    enum { ALL = sizeof all / sizeof *all };
    pid_t children[ALL];
    int status, letter, ready[2];
    char buf[8];
    (void)argc;
    CHECK(pipe(ready) == 0);
    cable = open(argv[1], O_WRONLY);
    box = open(argv[2], O_RDWR);
    tty = open(argv[3], O_RDWR | O_NOCTTY);
    full = open(argv[2], O_RDWR | O_NONBLOCK);
    CHECK(cable >= 0 && box >= 0 && tty >= 0);
    CHECK(flock(box, LOCK_EX) == 0);
    for (int i = 0; i < ALL; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            locked = open(argv[2], O_RDWR);
            CHECK(locked >= 0 && write(ready[1], "", 1) == 1);
            all[i]();
            _exit(0);
        }
    }
    for (int i = 0; i < ALL; i++)
        CHECK(read(ready[0], buf, 1) == 1);
    UNTIL(ioctl(box, TOLD) >= 3);
    pull("unplug", argv[2]);
    pull("unplug", argv[3]);
    for (int i = 0; i < ALL; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);

    CHECK(read(full, buf, 1) == -1 && errno == ENODEV);
    CHECK(write(box, "x", 1) == -1 && errno == ENODEV); /* and no SIGPIPE */
    CHECK(ioctl(box, TAKE, &letter) == -1 && errno == ENODEV);
    CHECK(flock(box, LOCK_UN) == -1 && errno == ENODEV);
    CHECK(open(argv[2], O_RDWR) == -1 && errno == ENOENT);
    CHECK(open(argv[3], O_RDWR | O_NOCTTY) == -1 && errno == ENOENT);
    CHECK(access(argv[2], F_OK) == -1);

    pull("plug", argv[2]);
    pull("plug", argv[3]);
    int again = open(argv[2], O_RDWR), port = open(argv[3], O_RDWR | O_NOCTTY);
    CHECK(again >= 0 && port >= 0);
    CHECK(write(again, "hello", 5) == 5 && read(again, buf, 8) == 5);
    CHECK(write(port, "hello\n", 6) == 6 && read(port, buf, 8) == 6);
    CHECK(read(box, buf, 1) == -1 && errno == ENODEV); /* what was open before stays dead */
    close(box);
    close(full);
    for (int i = 0; i < 20; i++) {
        pull("unplug", argv[2]);
        CHECK(read(again, buf, 8) == -1 && errno == ENODEV);
        pull("plug", argv[2]);
        close(again);
        again = open(argv[2], O_RDWR);
        CHECK(write(again, "hello", 5) == 5 && read(again, buf, 8) == 5);
    }
    return 0;
}
