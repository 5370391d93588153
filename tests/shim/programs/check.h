/* check.h: says what did not hold, and ends the program with 1. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #what, strerror(errno));       \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Look again and again, for ten seconds, whether something has become so. */
#define UNTIL(what)                                                                                \
    do {                                                                                           \
        int looks = 10000;                                                                         \
        while (!(what) && --looks)                                                                 \
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                             \
        CHECK(looks && #what);                                                                     \
    } while (0)

/* Say what a call answered, for programs whose whole output is compared. */
#define TELL(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long answer_ = (long)(call);                                                               \
        printf("%s: %ld %s\n", #call, answer_, answer_ < 0 ? strerror(errno) : "");                \
    } while (0)

/* Whether a descriptor reads as the device Hot does. */
static inline int reads(int fd)
{
    char buf[16] = "";
    return read(fd, buf, 8) == 8 && memcmp(buf, "12345678", 8) == 0;
}

#endif
