/* modes.c: what hangs on how a file was opened. modes NODE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "check.h"

int main(int argc, char **argv)
{
    const char *node = argv[1];
    char c;
    (void)argc;
    int reader = open(node, O_RDONLY), writer = open(node, O_WRONLY | O_APPEND), both = open(node, O_RDWR | O_NONBLOCK);
    CHECK((fcntl(reader, F_GETFL) & O_ACCMODE) == O_RDONLY);
    CHECK((fcntl(writer, F_GETFL) & O_ACCMODE) == O_WRONLY);
    CHECK((fcntl(both, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDWR | O_NONBLOCK));
    CHECK(write(reader, "x", 1) == -1 && errno == EBADF);
    CHECK(read(writer, &c, 1) == -1 && errno == EBADF);
    CHECK(read(reader, &c, 1) == 1 && write(writer, "x", 1) == 1);

    CHECK(fcntl(reader, F_SETFL, O_NONBLOCK) == 0 && (fcntl(reader, F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == O_NONBLOCK);
    int off = 0;
    CHECK(ioctl(reader, FIONBIO, &off) == 0 && !(fcntl(reader, F_GETFL) & O_NONBLOCK));
    CHECK(ioctl(reader, FIOCLEX) == 0 && fcntl(reader, F_GETFD) == FD_CLOEXEC);
    CHECK(ioctl(reader, FIONCLEX) == 0 && fcntl(reader, F_GETFD) == 0);
    int closing = open(node, O_RDONLY | O_CLOEXEC);
    CHECK(fcntl(closing, F_GETFD) == FD_CLOEXEC && fcntl(both, F_GETFD) == 0);

    int path = open(node, O_PATH);
    struct { int a, b; } state;
    CHECK(path >= 0 && (fcntl(path, F_GETFL) & O_PATH));
    CHECK(read(path, &c, 1) == -1 && errno == EBADF);
    CHECK(ioctl(path, _IOR('M', 1, state), &state) == -1 && errno == EBADF);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", path);
    int again = open(name, O_RDONLY);
    CHECK(again >= 0 && reads(again));

    CHECK(open(node, O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
    CHECK(open(node, O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
    CHECK(open(node, O_RDWR | O_CREAT | O_TRUNC, 0600) >= 0);
    CHECK(lseek(both, 0, SEEK_SET) == -1 && errno == ESPIPE);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, both, 0) == MAP_FAILED && errno == ENODEV);
    CHECK(fsync(both) == -1 && errno == EINVAL);
    CHECK(ftruncate(both, 0) == -1 && errno == EINVAL);
    return 0;
}
