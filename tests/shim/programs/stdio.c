/* stdio.c: streams on a device that computes what is read. stdio NODE; NODE is a Text of the models' own words */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

#include "check.h"

static const char first[] = "delta 4\n";

static void reads_all(FILE *stream)
{
    char *line = NULL;
    size_t room = 0;
    int lines = 0;
    CHECK(stream && fileno(stream) >= 0);
    CHECK(getline(&line, &room, stream) == 8 && strcmp(line, first) == 0);
    while (getline(&line, &room, stream) > 0)
        lines++;
    CHECK(lines == 3 && feof(stream) && !ferror(stream));
    free(line);
}

static void by_name(const char *node)
{
    static const char *const modes[] = { "r", "re", "rb", "r+", "rb+", "r+b", "rm" };
    char word[16];
    for (int i = 0; i < 7; i++) {
        FILE *stream = fopen(node, modes[i]);
        reads_all(stream);
        CHECK(fclose(stream) == 0);
    }
    CHECK(fopen(node, "z") == NULL && errno == EINVAL);
    CHECK(fopen(node, "wx") == NULL && errno == EEXIST);
    FILE *stream = fopen(node, "r");
    int number;
    CHECK(fscanf(stream, "%15s %d", word, &number) == 2 && strcmp(word, "delta") == 0 && number == 4);
    CHECK(fseek(stream, 0, SEEK_SET) == -1 && errno == ESPIPE && ftell(stream) == -1);
    CHECK(ungetc('x', stream) == 'x' && fgetc(stream) == 'x' && fgetc(stream) == '\n');
    CHECK(fread(word, 1, 5, stream) == 5 && memcmp(word, "alpha", 5) == 0);
    CHECK(fclose(stream) == 0);
}

static void by_descriptor(const char *node)
{
    int fd = open(node, O_RDONLY);
    FILE *stream = fdopen(fd, "r");
    CHECK(fileno(stream) == fd);
    reads_all(stream);
    CHECK(fclose(stream) == 0 && fcntl(fd, F_GETFD) == -1);
}

static void written(const char *node)
{
    FILE *stream = fopen(node, "w");
    CHECK(stream && fprintf(stream, "=%s %d\n", "new", 1) == 7 && fflush(stream) == 0);
    CHECK(fclose(stream) == 0);
    int fd = open(node, O_RDWR);
    char text[16] = "";
    CHECK(read(fd, text, sizeof text) == 6 && strcmp(text, "new 1\n") == 0);
    CHECK(dprintf(fd, "=%s", "newer") == 6);
    close(fd);
    stream = fopen(node, "a+");
    CHECK(fgets(text, sizeof text, stream) && strcmp(text, "newer") == 0);
    CHECK(setvbuf(stream, NULL, _IONBF, 0) == 0 && fputs("=last", stream) >= 0);
    fclose(stream);
}

/* The standard streams, led to the device and back again. */
static void replaced(const char *node, const char *file)
{
    char text[32] = "";
    FILE *plain = fopen(file, "w");
    fputs("plain\n", plain);
    fclose(plain);
    CHECK(freopen(node, "r", stdin) && fileno(stdin) == 0);
    CHECK(fgets(text, sizeof text, stdin) && strcmp(text, "last") == 0);
    CHECK(freopen(file, "r", stdin) && fileno(stdin) == 0);
    CHECK(fgets(text, sizeof text, stdin) && strcmp(text, "plain\n") == 0);
    CHECK(freopen(node, "r", stdin) && getchar() == 'l');

    CHECK(freopen(node, "w", stdout) && fileno(stdout) == 1);
    printf("=%s", "said");
    CHECK(fflush(stdout) == 0);
    CHECK(freopen(node, "r", stdin) && scanf("%31s", text) == 1 && strcmp(text, "said") == 0);

    FILE *other = freopen(node, "r", fopen(file, "r")); /* the result is what has to be used */
    CHECK(other && fgets(text, sizeof text, other) && strcmp(text, "said") == 0 && fclose(other) == 0);
}

/* dup2() puts a device under stdin, as shells do it; again and again. */
static void redirected(const char *node)
{
    char text[32] = "";
    for (int i = 0; i < 1000; i++) {
        int fd = open(node, O_RDONLY);
        CHECK(dup2(fd, 0) == 0 && close(fd) == 0);
        clearerr(stdin);
        if (i % 2 == 0)
            CHECK(fgets(text, sizeof text, stdin) && strcmp(text, "said") == 0 && !fgets(text, sizeof text, stdin));
        else
            CHECK(read(0, text, 4) == 4);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    by_name(argv[1]);
    by_descriptor(argv[1]);
    written(argv[1]);
    replaced(argv[1], argv[2]);
    redirected(argv[1]);
    CHECK(freopen("/dev/shm/is/not/there", "r", stdin) == NULL && errno == ENOENT);
    return 0;
}
