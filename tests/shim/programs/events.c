/* Reads COUNT input events from NODE, at most BATCH with one read(), and prints how many of each kind came and how many
 * came a second: "events N reports N dropped N rate N". */
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    long count = atol(argv[2]), batch = atol(argv[3]), events = 0, reports = 0, dropped = 0;
    struct input_event *room = calloc(batch, sizeof *room);
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || !room)
        return perror(argv[1]), 1;
    double start = 0;
    while (events < count) {
        ssize_t size = read(fd, room, batch * sizeof *room);
        if (size <= 0)
            return perror("read"), 1;
        if (!events)
            start = now();
        for (ssize_t i = 0; i < size / (ssize_t)sizeof *room; i++, events++) {
            reports += room[i].type == EV_SYN && room[i].code == SYN_REPORT;
            dropped += room[i].type == EV_SYN && room[i].code == SYN_DROPPED;
        }
    }
    printf("events %ld reports %ld dropped %ld rate %.0f\n", events, reports, dropped, events / (now() - start));
    return 0;
}
