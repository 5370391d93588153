/* answers.c: when a program began, and when its device answered: answers [NODE CALL COUNT [REQUEST]]
 *
 * Prints `begin` with the clock's nanoseconds at main(). With a NODE: opens it, makes CALL ("read" of 24 bytes, or "ioctl")
 * once, prints `first` with the clock after it, and `each` with what COUNT further calls took on average, a hundred
 * to a value; then `ready`, and waits for the end of its standard input, so that its memory can be looked at. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "timing.h"

enum { BATCH = 100 };

static void call(int fd, const char *what, unsigned long request)
{
    _Alignas(8) char argument[64];
    require(what[0] == 'r' ? read(fd, argument, 24) > 0 : ioctl(fd, request, argument) >= 0, what);
}

int main(int count, char **words)
{
    double begin = now_ns();
    printf("begin %.0f\n", begin);
    if (count < 4)
        return 0;
    unsigned long request = count > 4 ? strtoul(words[4], NULL, 0) : 0;
    int fd = open(words[1], O_RDWR | O_NOCTTY), batches = atoi(words[3]) / BATCH;
    require(fd >= 0, words[1]);
    call(fd, words[2], request);
    printf("first %.0f\n", now_ns());

    double *values = series(batches + 1);
    for (int batch = 0; batch < batches; batch++) {
        begin = now_ns();
        for (int i = 0; i < BATCH; i++)
            call(fd, words[2], request);
        values[batch] = (now_ns() - begin) / BATCH;
    }
    print_series("each", values, batches);
    printf("ready\n");
    fflush(stdout);
    while (read(0, &request, 1) > 0)
        ;
}
