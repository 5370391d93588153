/* look: asks every function of the path family what a path is, and prints one line for each kind of answer.
 *
 * look PATH            all of them on one path
 * look DIRECTORY PATH  the ...at functions, with a descriptor of DIRECTORY */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern int __xstat(int version, const char *path, struct stat *status);
extern int __lxstat(int version, const char *path, struct stat *status);
extern int __fxstatat(int version, int dirfd, const char *path, struct stat *status, int flags);

static void show(const char *function, int result, const struct stat *status)
{
    if (result < 0)
        printf("%s: %s\n", function, strerrorname_np(errno));
    else
        printf("%s: %o %u:%u %lu:%lu size %ld\n", function, status->st_mode, major(status->st_rdev),
               minor(status->st_rdev), (unsigned long)status->st_dev, (unsigned long)status->st_ino,
               (long)status->st_size);
}

static void show_x(const char *function, int result, const struct statx *answer)
{
    struct stat status = { .st_mode = answer->stx_mode,
                           .st_rdev = makedev(answer->stx_rdev_major, answer->stx_rdev_minor),
                           .st_dev = makedev(answer->stx_dev_major, answer->stx_dev_minor),
                           .st_ino = answer->stx_ino,
                           .st_size = (off_t)answer->stx_size };
    show(function, result, &status);
}

static void look_at(int dirfd, const char *path)
{
    struct stat status;
    struct stat64 status64;
    struct statx extended;
    char text[PATH_MAX];

    show("fstatat", fstatat(dirfd, path, &status, 0), &status);
    show("fstatat64", fstatat64(dirfd, path, &status64, 0), (struct stat *)&status64);
    show("__fxstatat", __fxstatat(1, dirfd, path, &status, 0), &status);
    show("fstatat nofollow", fstatat(dirfd, path, &status, AT_SYMLINK_NOFOLLOW), &status);
    show_x("statx", statx(dirfd, path, 0, STATX_BASIC_STATS, &extended), &extended);
    show_x("syscall statx", (int)syscall(SYS_statx, dirfd, path, 0, STATX_BASIC_STATS, &extended), &extended);
    printf("faccessat: %d\n", faccessat(dirfd, path, R_OK, 0));
    ssize_t length = readlinkat(dirfd, path, text, sizeof text);
    printf("readlinkat: %.*s\n", length < 0 ? 6 : (int)length, length < 0 ? strerrorname_np(errno) : text);

    int fd = openat(dirfd, path, O_PATH);
    show("fstat of O_PATH", fd < 0 ? -1 : fstat(fd, &status), &status);
    show("fstatat empty", fd < 0 ? -1 : fstatat(fd, "", &status, AT_EMPTY_PATH), &status);
    show_x("statx empty", fd < 0 ? -1 : statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended), &extended);
}

static void look(const char *path)
{
    struct stat status;
    struct stat64 status64;
    struct statfs system;
    char text[PATH_MAX];

    show("stat", stat(path, &status), &status);
    show("stat64", stat64(path, &status64), (struct stat *)&status64);
    show("__xstat", __xstat(1, path, &status), &status);
    show("lstat", lstat(path, &status), &status);
    show("lstat64", lstat64(path, &status64), (struct stat *)&status64);
    show("__lxstat", __lxstat(1, path, &status), &status);
    printf("access: %d %d %d\n", access(path, F_OK), access(path, R_OK | W_OK), access(path, X_OK));
    printf("euidaccess: %d\n", euidaccess(path, R_OK));
    printf("realpath: %s\n", realpath(path, text) ? text : strerrorname_np(errno));
    char *canonical = canonicalize_file_name(path);
    printf("canonicalize_file_name: %s\n", canonical ? canonical : strerrorname_np(errno));
    free(canonical);
    printf("statfs: %lx\n", statfs(path, &system) < 0 ? 0ul : (unsigned long)system.f_type);
}

int main(int count, char **words)
{
    if (count == 2) {
        look(words[1]);
        look_at(AT_FDCWD, words[1]);
        return 0;
    }
    int fd = open(words[1], O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        perror(words[1]);
        return 1;
    }
    look_at(fd, words[2]);
    return 0;
}
