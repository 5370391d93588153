/* lowest.c: open gives the lowest free number. lowest NODE */
#include <fcntl.h>

#include "check.h"

int main(int argc, char **argv)
{
    char word[16] = "";
    (void)argc;
    close(0);
    CHECK(open(argv[1], O_RDWR) == 0);
    CHECK(reads(0));
    CHECK(scanf("%8s", word) == 1 && strcmp(word, "12345678") == 0);
    int fds[8];
    for (int i = 0; i < 8; i++)
        fds[i] = open(argv[1], O_RDONLY);
    for (int i = 1; i < 8; i++)
        CHECK(fds[i] == fds[i - 1] + 1);
    close(fds[5]);
    close(fds[2]);
    CHECK(open(argv[1], O_RDONLY) == fds[2]);
    CHECK(open(argv[1], O_RDONLY) == fds[5]);
    CHECK(open("/dev/zero", O_RDONLY) == fds[7] + 1); /* nothing of the shim's own stays open */
    return 0;
}
