/* attribute.c: says how an attribute of sysfs answers what is done to files, so that two can be compared.
 * attribute PATH VALUE, which it takes */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "check.h"

static char text[8192];

static void opened(const char *path)
{
    static const int ways[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_TRUNC, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL,
                                O_RDONLY | O_DIRECTORY, O_PATH, O_RDWR | O_NONBLOCK, O_RDWR | O_TMPFILE };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int fd = open(path, ways[i], 0600);
        printf("open %x: %s\n", ways[i], fd < 0 ? strerror(errno) : "opened");
        close(fd);
    }
}

static void read_in_parts(int fd)
{
    struct pollfd one = { fd, POLLIN | POLLOUT | POLLPRI, 0 };
    struct iovec parts[2] = { { text, 1 }, { text + 1, 1 } };

    TELL(read(fd, text, 1));
    TELL(lseek(fd, 0, SEEK_CUR));
    TELL(read(fd, text, sizeof text) >= 0);
    TELL(read(fd, text, 10));
    TELL(lseek(fd, 0, SEEK_END));
    TELL(lseek(fd, 5000, SEEK_SET));
    TELL(read(fd, text, 10));
    TELL(lseek(fd, -1, SEEK_SET));
    TELL(lseek(fd, 0, 99));
    TELL(lseek(fd, 0, SEEK_SET));
    TELL(readv(fd, parts, 2));
    TELL(preadv(fd, parts, 2, 0));
    TELL(pread(fd, text, 1, 0));
    TELL(pread(fd, text, 1, 4096));
    TELL(pread(fd, text, 1, -1));
    TELL(read(fd, NULL, 0));
    TELL(poll(&one, 1, 0));
    printf("%x\n", one.revents);
}

static void written(int fd, const char *value)
{
    long size = (long)strlen(value);
    struct iovec parts[2] = { { (char *)value, 1 }, { (char *)value + 1, (size_t)size - 1 } };

    TELL(lseek(fd, 0, SEEK_SET));
    TELL(write(fd, value, (size_t)size) == size);
    TELL(lseek(fd, 0, SEEK_CUR) == size);
    TELL(pwrite(fd, value, (size_t)size, 100) == size);
    TELL(writev(fd, parts, 2) == size);
    TELL(write(fd, "", 0));
    TELL(write(fd, "bogus", 5));
    memset(text, ' ', sizeof text);
    TELL(write(fd, text, 5000));
    TELL(fsync(fd));
    TELL(fdatasync(fd));
    TELL(ftruncate(fd, 0));
    TELL(ftruncate(fd, -1));
    TELL(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
    TELL(ioctl(fd, TCGETS, text));
    TELL(flock(fd, LOCK_EX | LOCK_NB));
    TELL(flock(fd, LOCK_UN));
}

static void streams(const char *path, const char *value)
{
    static const char *const modes[] = { "w", "a", "r+" };
    FILE *file = fopen(path, "r");

    TELL(fgets(text, 100, file) != NULL);
    rewind(file);
    TELL(fgets(text, 100, file) != NULL);
    fclose(file);
    for (int i = 0; i < 3; i++)
        for (int bad = 0; bad < 2; bad++) {
            file = fopen(path, modes[i]);
            TELL(fputs(bad ? "bogus" : value, file) >= 0);
            TELL(fclose(file));
        }
}

static void position_is_shared(const char *path)
{
    int fd = open(path, O_RDONLY), other = open(path, O_RDONLY), copy = dup(fd);

    TELL(read(fd, text, 1));
    TELL(read(other, text, 2));
    TELL(lseek(copy, 0, SEEK_CUR));
    pid_t child = fork();
    if (child == 0)
        _exit((int)lseek(fd, 0, SEEK_SET));
    CHECK(waitpid(child, NULL, 0) == child);
    TELL(lseek(fd, 0, SEEK_CUR));
}

static void names(const char *path)
{
    char folder[256], beside[300];
    struct statfs system;

    strcpy(folder, path);
    *strrchr(folder, '/') = '\0';
    sprintf(beside, "%s/new", folder);
    TELL(mkdir(beside, 0700));
    TELL(mkdir(path, 0700));
    TELL(mkfifo(beside, 0600));
    TELL(symlink("x", beside));
    TELL(open(beside, O_RDWR | O_CREAT, 0600));
    TELL(unlink(path));
    TELL(unlink(beside));
    TELL(rmdir(folder));
    TELL(rename("/etc", beside));
    TELL(access(path, R_OK));
    TELL(statfs(path, &system));
    printf("%lx\n", (long)system.f_type);
}

int main(int argc, char **argv)
{
    struct stat status;

    CHECK(argc == 3 && stat(argv[1], &status) == 0);
    printf("%o %ld %ld %d\n", status.st_mode, (long)status.st_size, (long)status.st_blocks, (int)status.st_nlink);
    opened(argv[1]);
    int fd = open(argv[1], O_RDWR);
    CHECK(fd >= 0);
    read_in_parts(fd);
    written(fd, argv[2]);
    streams(argv[1], argv[2]);
    position_is_shared(argv[1]);
    names(argv[1]);
    return 0;
}
