/* victim.c: makes calls on a node whose host answers garbage: victim NODE CALLS
 *
 * The answers may be anything; what the program does not offer must stay as it was, and it must live. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOM = 20000, GUARD = 4096 };

struct transfer { uint32_t length, flags; uint64_t data; };

static struct {
    unsigned char before[GUARD], room[ROOM], after[GUARD];
} memory;

static void intact(const char *what)
{
    for (int i = 0; i < GUARD; i++)
        if (memory.before[i] != 0xA5 || memory.after[i] != 0xA5) {
            fprintf(stderr, "victim: %s wrote where it must not\n", what);
            _exit(1);
        }
}

int main(int count, char **words)
{
    memset(&memory, 0xA5, sizeof memory);
    for (int i = 0; i < (count > 2 ? atoi(words[2]) : 1); i++) {
        int fd = open(words[1], O_RDWR | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
            continue;
        struct { unsigned char before[64]; struct transfer it; unsigned char after[64]; } on_stack;
        struct iovec parts[2] = { { memory.room, 100 }, { memory.room + 200, ROOM - 200 } };
        struct pollfd look = { fd, POLLIN | POLLOUT, 0 };

        memset(&on_stack, 0xA5, sizeof on_stack);
        on_stack.it = (struct transfer){ .length = ROOM, .data = (uintptr_t)memory.room };
        (void)!read(fd, memory.room, ROOM);
        intact("read");
        (void)!readv(fd, parts, 2);
        intact("readv");
        (void)!write(fd, memory.room, ROOM);
        (void)!pread(fd, memory.room, 8, 5);
        intact("pread");
        lseek(fd, 5, SEEK_SET);
        flock(fd, LOCK_EX | LOCK_NB);
        ioctl(fd, _IOWR('S', 3, struct transfer), &on_stack.it);
        intact("an ioctl with a pointer");
        ioctl(fd, _IO('S', 5));
        on_stack.it.data = 0;
        ioctl(fd, _IOR('S', 1, struct transfer), &on_stack.it);
        ioctl(fd, _IOR('S', 99, struct transfer), &on_stack.it);
        for (int j = 0; j < 64; j++)
            if (on_stack.before[j] != 0xA5 || on_stack.after[j] != 0xA5) {
                fprintf(stderr, "victim: an ioctl wrote beside its argument\n");
                return 1;
            }
        poll(&look, 1, 0);
        close(fd);
        for (int extra = 3; extra < 64; extra++)
            close(extra); /* what garbage left with us */
    }
    return 0;
}
