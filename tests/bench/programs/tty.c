/* tty.c: a conversation on a serial port: tty WHAT BATCHES CALLS BYTES NODE
 *
 * WHAT is ask (CALLS times: write a query, read the answer up to its newline), take (write S, read BYTES) or
 * give (write W and BYTES, read an acknowledgement). */
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "timing.h"

static int port;
static char room[65536];

static void ask(void)
{
    static const char query[] = "MEAS?\n";
    char answer[64];
    size_t length = 0;

    require(write(port, query, sizeof query - 1) == sizeof query - 1, "write");
    do {
        ssize_t got = read(port, answer + length, sizeof answer - length);
        require(got > 0, "read");
        length += (size_t)got;
    } while (answer[length - 1] != '\n');
}

static void take(size_t bytes)
{
    require(write(port, "S", 1) == 1, "write");
    while (bytes > 0) {
        ssize_t got = read(port, room, sizeof room < bytes ? sizeof room : bytes);
        require(got > 0, "read");
        bytes -= (size_t)got;
    }
}

static void give(size_t bytes)
{
    char acknowledgement;

    require(write(port, "W", 1) == 1, "write");
    while (bytes > 0) {
        ssize_t put = write(port, room, sizeof room < bytes ? sizeof room : bytes);
        require(put > 0, "write");
        bytes -= (size_t)put;
    }
    require(read(port, &acknowledgement, 1) == 1, "read");
}

static double one(char what, int calls, size_t bytes)
{
    double begin = now_ns();
    if (what == 'a')
        for (int i = 0; i < calls; i++)
            ask();
    else if (what == 't')
        take(bytes);
    else
        give(bytes);
    double took = now_ns() - begin;
    return what == 'a' ? took / calls : took / (double)bytes;
}

int main(int count, char **words)
{
    if (count != 6)
        return 2;
    int batches = atoi(words[2]), calls = atoi(words[3]);
    size_t bytes = strtoul(words[4], NULL, 10);
    double *values = series(batches);
    struct termios raw;

    memset(room, 'U', sizeof room);
    port = open(words[5], O_RDWR | O_NOCTTY);
    require(port >= 0 && tcgetattr(port, &raw) == 0, words[5]);
    cfmakeraw(&raw);
    require(tcsetattr(port, TCSANOW, &raw) == 0, "tcsetattr");
    for (int batch = -1; batch < batches; batch++) { /* -1: to warm up */
        double value = one(words[1][0], calls, bytes);
        if (batch >= 0)
            values[batch] = value;
    }
    print_series(words[1], values, batches);
}
