/* requests.c: the ioctls of devices.py, and a conversation on a serial port. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "actors.h"

enum { GUARD = 64, GUARDED = 0xA5 };

/* ---- Ioctls of devices.py: VAR KIND WORD ADDRESS */

struct info { int32_t answer; int64_t position; };
struct transfer { uint32_t length, flags; uint64_t data; };
struct item { uint32_t length, reserved; uint64_t data; };
struct list { uint32_t count, total; uint64_t items; };

static long with_items(int fd, long count, uint32_t *crc)
{
    struct item items[16];
    struct list list = { .count = (uint32_t)count, .items = (uintptr_t)items };
    for (long i = 0; i < count; i++) {
        items[i] = (struct item){ .length = (uint32_t)(i * 3), .data = (uintptr_t)(room + i * 64) };
        fill(room + i * 64, 64, i);
    }
    long result = ioctl(fd, _IOWR('S', 6, struct list), &list);
    int error = errno;
    *crc = crc_of(room, (size_t)count * 64) ^ list.total;
    errno = error;
    return result;
}

long do_ioctl(struct actor *self, const struct step *step)
{
    int fd = var(self, step->words[0]);
    long word = step->words[2], result;
    int error;

    switch (step->words[1]) {
    case 1: {
        struct info *info = (struct info *)address(step->words[3]);
        if (step->words[3] == 0)
            memset(room, 0, sizeof *info + GUARD);
        result = ioctl(fd, _IOR('S', 1, struct info), info);
        error = errno;
        if (result >= 0 && step->words[3] == 0)
            self->crc = (uint32_t)info->answer + (uint32_t)info->position;
        errno = error;
        return result;
    }
    case 2: {
        int64_t position = word;
        return ioctl(fd, _IOW('S', 2, int64_t), step->words[3] ? (int64_t *)address(step->words[3]) : &position);
    }
    case 3: {
        struct transfer transfer = { .length = (uint32_t)word, .flags = (uint32_t)step->words[4],
                                     .data = (uintptr_t)address(step->words[3]) };
        if (step->words[3] == 0)
            fill(room, (size_t)word, word);
        memset(room + word, GUARDED, GUARD);
        result = ioctl(fd, _IOWR('S', 3, struct transfer), &transfer);
        error = errno;
        if (step->words[3] == 0)
            self->crc = crc_of(room, (size_t)word + GUARD) ^ transfer.flags;
        errno = error;
        return result;
    }
    case 4: return ioctl(fd, _IO('S', 4), word);
    case 5: return keep(self, step->words[4], ioctl(fd, _IO('S', 5)));
    case 6: return with_items(fd, word, &self->crc);
    case 7: { /* nobody answers it */
        char argument[16] = "";
        return ioctl(fd, _IOWR('S', 99, char[16]), argument);
    }
    case 8: return ioctl(fd, _IO('S', 8));
    case 10: return ioctl(fd, _IO('S', 10), word);
    case 11: {
        int first = -1;
        result = ioctl(fd, _IOR('S', 11, int), &first);
        error = errno;
        self->crc = result >= 0 ? (uint32_t)first : 0;
        errno = error;
        return result;
    }
    default: return -3;
    }
}

/* ---- A serial port: VAR SIZE SEED; what goes out comes back */

long do_echo(struct actor *self, const struct step *step)
{
    int fd = var(self, step->words[0]), size = (int)(step->words[1] & 0xFFFF);
    struct termios settings;
    if (tcgetattr(fd, &settings) < 0)
        return -1;
    cfmakeraw(&settings);
    if (tcsetattr(fd, TCSANOW, &settings) < 0)
        return -1;
    fill(room, (size_t)size, step->words[2]);
    for (int at = 0; at < size;) {
        ssize_t put = write(fd, room + at, (size_t)(size - at));
        if (put < 0)
            return -1;
        at += (int)put;
    }
    memset(room, 0, (size_t)size);
    for (int at = 0; at < size;) {
        struct pollfd look = { .fd = fd, .events = POLLIN };
        if (poll(&look, 1, 20000) != 1)
            return -4;
        ssize_t got = read(fd, room + at, (size_t)(size - at));
        if (got <= 0)
            return -5;
        at += (int)got;
    }
    self->crc = crc_of(room, (size_t)size);
    return size;
}
