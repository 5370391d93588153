/* files.c: a call on each of many open files in turn: files NODE FILES ROUNDS
 *
 * Prints `open`, nanoseconds an open, and `read`, nanoseconds a read of 8 bytes, a round over all files to a value. */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "timing.h"

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    int files = atoi(words[2]), rounds = atoi(words[3]), *open_files = calloc((size_t)files, sizeof *open_files);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    double *values = series(rounds), begin = now_ns();
    char data[8];

    for (int i = 0; i < files; i++) {
        open_files[i] = open(words[1], O_RDWR);
        require(open_files[i] >= 0, words[1]);
    }
    values[0] = (now_ns() - begin) / files;
    print_series("open", values, 1);
    for (int i = 0; i < rounds; i++) {
        begin = now_ns();
        for (int file = 0; file < files; file++)
            require(read(open_files[file], data, sizeof data) == sizeof data, "read");
        values[i] = (now_ns() - begin) / files;
    }
    print_series("read", values, rounds);
}
