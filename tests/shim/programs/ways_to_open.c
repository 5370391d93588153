/* ways_to_open.c: opens argv[2] in every way, in directory argv[1] where it is relative, and prints the first line that each finds. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void show(const char *way, int fd)
{
    char text[64];
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    text[got > 0 ? got : 0] = '\0';
    printf("%s %s\n", way, fd < 0 ? "refused" : text);
    if (fd >= 0)
        close(fd);
}

static void show_stream(const char *way, FILE *stream)
{
    char text[64] = "";

    printf("%s %s\n", way, !stream ? "refused" : fgets(text, sizeof text, stream) ? text : "nothing");
    if (stream)
        fclose(stream);
}

int main(int argc, char **argv)
{
    const char *directory = argv[1], *name = argv[2];
    char path[512];
    int lowest = dup(0), at = open(directory, O_RDONLY | O_DIRECTORY), fd;

    (void)argc;
    close(lowest);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_RDONLY);
    show(fd == lowest || fd < 0 ? "open" : "open-not-lowest", fd);
    show("openat", openat(at, name, O_RDONLY));
    show("syscall", (int)syscall(SYS_openat, at, name, O_RDONLY));
    show_stream("fopen", fopen(path, "r"));
    if (chdir(directory) < 0)
        return 1;
    show("relative", open(name, O_RDONLY));
    snprintf(path, sizeof path, ".././%s//%s", strrchr(directory, '/') + 1, name);
    show("dots", open(path, O_RDONLY));
    show_stream("freopen", freopen(path, "r", stdin));
    return 0;
}
