/* blocks.c: reads of stdio whose sizes a driver sees, all of the same bytes. blocks NODE */
#include <fcntl.h>

#include "check.h"

static char bytes[20000];

static ssize_t give_y(void *cookie, char *buf, size_t size)
{
    (void)cookie;
    memset(buf, 'y', size);
    return (ssize_t)size;
}

static FILE *stream_on(const char *node, int buffering, size_t size)
{
    FILE *stream = fopen(node, "r");
    CHECK(stream && setvbuf(stream, NULL, buffering, size) == 0);
    return stream;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    FILE *stream = stream_on(argv[1], _IONBF, 0);
    CHECK(fread(bytes, 4, 2, stream) == 2 && fread(bytes, 1, 5, stream) == 5 && fgetc(stream) != EOF);
    CHECK(ungetc('x', stream) == 'x' && fread(bytes, 1, 3, stream) == 3 && bytes[0] == 'x');
    CHECK(fread(bytes, 0, 5, stream) == 0 && fread(bytes, 600, 2, stream) == 2 && !ferror(stream) && !feof(stream));
    fclose(stream);

    CHECK((stream = fopen(argv[1], "r")));
    CHECK(fread(bytes, 1, 10, stream) == 10 && fread(bytes, 1, 9000, stream) == 9000 && fgetc(stream) != EOF);
    CHECK(fread_unlocked(bytes, 1, sizeof bytes, stream) == sizeof bytes);
    fclose(stream);

    char own[100];
    CHECK((stream = fopen(argv[1], "r")) && setvbuf(stream, own, _IOFBF, sizeof own) == 0);
    CHECK(fread(bytes, 1, 250, stream) == 250 && fread(bytes, 1, 30, stream) == 30);
    fclose(stream);

    CHECK((stream = fopen(argv[1], "w")) && fread(bytes, 1, 1, stream) == 0 && ferror(stream) && errno == EBADF);
    fclose(stream);

    int fd = open(argv[1], O_RDONLY);
    CHECK(!fdopen(fd, "w") && errno == EINVAL && !fdopen(fd, "r+") && errno == EINVAL && !fdopen(fd, "q") && errno == EINVAL);
    CHECK((stream = fdopen(fd, "r")) && fread(bytes, 1, 4, stream) == 4);
    fclose(stream);
    CHECK((fd = open(argv[1], O_RDWR)) >= 0 && (stream = fdopen(fd, "a")) && (fcntl(fd, F_GETFL) & O_APPEND));
    CHECK(fwrite("\0\1\2\3", 4, 1, stream) == 1 && fclose(stream) == 0);
    CHECK((stream = fopencookie(NULL, "r", (cookie_io_functions_t){ .read = give_y }))); /* no device's */
    CHECK(fread(bytes, 1, 9000, stream) == 9000 && bytes[8999] == 'y' && fclose(stream) == 0);
    return 0;
}
