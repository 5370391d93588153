/* ordinary.c: calls that have nothing to do with devices: ordinary BATCHES CALLS FILE */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "timing.h"

static int batches, calls;

#define MEASURE(label, well)                                                                       \
    do {                                                                                           \
        double *values = series(batches);                                                          \
        for (int batch = -1; batch < batches; batch++) { /* -1: to warm up */                      \
            double begin = now_ns();                                                               \
            for (int call = 0; call < calls; call++)                                               \
                require(well, label);                                                              \
            if (batch >= 0)                                                                        \
                values[batch] = (now_ns() - begin) / calls;                                        \
        }                                                                                          \
        print_series(label, values, batches);                                                      \
        free(values);                                                                              \
    } while (0)

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    batches = atoi(words[1]);
    calls = atoi(words[2]);
    const char *path = words[3];
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), ends[2], waiting = 0;
    struct stat status;
    char byte = 'x';
    require(pipe(ends) == 0 && write(ends[1], "data", 4) == 4, "pipe");
    struct pollfd ready = { .fd = ends[0], .events = POLLIN };

    MEASURE("read", read(zero, &byte, 1) == 1);
    MEASURE("write", write(null, &byte, 1) == 1);
    MEASURE("ioctl", ioctl(ends[0], FIONREAD, &waiting) == 0);
    MEASURE("poll", poll(&ready, 1, 0) == 1);
    MEASURE("open+close", close(open(path, O_RDONLY)) == 0);
    MEASURE("stat", stat(path, &status) == 0);
    MEASURE("fstat", fstat(zero, &status) == 0);
}
