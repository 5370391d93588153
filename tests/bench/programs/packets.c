/* packets.c: records or packets as fast as they come: packets LABEL NODE RECORD BURST BURSTS [ASK]
 *
 * Reads BURST records of RECORD bytes again and again, several a read where the device gives them so, and prints
 * nanoseconds a record. ASK, in hexadecimal, is written before each burst, and timed with it. NODE may be
 * the number of a descriptor that is open. */
#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "timing.h"

static unsigned char room[65536], ask[256];

int main(int count, char **words)
{
    if (count < 6)
        return 2;
    int fd = isdigit((unsigned char)words[2][0]) ? atoi(words[2]) : open(words[2], O_RDWR);
    size_t record = (size_t)atoi(words[3]), burst = (size_t)atoi(words[4]), asked = 0;
    int bursts = atoi(words[5]);
    double *values = series(bursts);

    require(fd >= 0, words[2]);
    for (const char *at = count > 6 ? words[6] : ""; at[0] && at[1]; at += 2)
        ask[asked++] = (unsigned char)strtoul((char[]){ at[0], at[1], '\0' }, NULL, 16);
    for (int i = 0; i < bursts; i++) {
        double begin = now_ns();
        require(asked == 0 || write(fd, ask, asked) == (ssize_t)asked, "write");
        for (size_t left = burst * record; left > 0;) {
            ssize_t got = read(fd, room, sizeof room / record * record);
            require(got > 0, "read");
            left -= (size_t)got < left ? (size_t)got : left;
        }
        values[i] = (now_ns() - begin) / (double)burst;
    }
    print_series(words[1], values, bursts);
    free(values);
}
