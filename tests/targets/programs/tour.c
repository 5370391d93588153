/* A C program as others write them, to be compiled with and without _FORTIFY_SOURCE and _FILE_OFFSET_BITS, and with the
 * names that programs linked against an older glibc call; and with STATIC, without any.  It knows nothing of devshim.
 * Prints "ok NAME" for each check and ends with 1 if one failed. */
#define _GNU_SOURCE
#include <aio.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define METER "/dev/meter0"
#define BELL "/dev/bell0"
#define GPS "/dev/ttyGPS0"
#define READINGS "delta 4\nalpha 1\ncharlie 3\nbravo 2\n"
#define SIZE (sizeof READINGS - 1)

extern char **environ;

static const char *checking;
static int failed;
static volatile size_t unknown = 1; /* what the compiler cannot know, so that the checking variants are called */

static int must(int good, const char *what, int line)
{
    if (good)
        return 1;
    printf("FAILED %s: line %d: %s (%s)\n", checking, line, what, strerror(errno));
    failed = 1;
    return 0;
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if (!must((condition) != 0, #condition, __LINE__))                                         \
            return;                                                                                \
    } while (0)
#define FAILS(error, call) MUST((call) < 0 && errno == (error))

static void reads(void)
{
    char room[100];
    int flags = (int)unknown - 1; /* O_RDONLY */
    int fd = open(METER, flags);
    MUST(fd >= 0);
    MUST(read(fd, room, unknown * 8) == 8 && memcmp(room, "delta 4\n", 8) == 0);
    MUST(pread(fd, room, unknown * 8, 3) == 8 && memcmp(room, "alpha 1\n", 8) == 0);
    MUST(pread64(fd, room, unknown * 5, 3) == 5 && memcmp(room, "charl", 5) == 0);
    struct iovec parts[2] = { { room, 5 }, { room + 5, sizeof room - 5 } };
    MUST(readv(fd, parts, 2) == (ssize_t)SIZE - 21 && memcmp(room, "ie 3\nbravo", 10) == 0);
    MUST(read(fd, room, unknown * 8) == 0);
    FAILS(ESPIPE, lseek(fd, 0, SEEK_SET));
    FAILS(ESPIPE, lseek64(fd, 0, SEEK_SET));
    FAILS(EFAULT, read(open(METER, O_RDONLY), (void *)(unknown * 16), unknown * 8));
    MUST(close(fd) == 0);
    int here = open("/dev", O_RDONLY | O_DIRECTORY);
    fd = openat(here, "meter0", flags);
    MUST(fd >= 0 && read(fd, room, unknown * 5) == 5 && memcmp(room, "delta", 5) == 0);
    close(fd);
    fd = open64(METER, flags);
    MUST(fd >= 0 && close(fd) == 0);
    fd = openat64(here, "meter0", flags);
    MUST(fd >= 0 && close(fd) == 0);
    FAILS(ENOENT, open("/dev/meter1", flags));
    close(here);
}

static void writes(void)
{
    int fd = open(METER, O_RDWR);
    MUST(write(fd, "90\n", unknown * 3) == 3 && pwrite(fd, "91\n", 3, 7) == 3);
    FAILS(ERANGE, write(fd, "1000", 4));
    int state[2];
    MUST(ioctl(fd, _IOR('m', 1, int[2]), state) == 0 && state[0] == 42 && state[1] == 91);
    MUST(dprintf(fd, "%zu\n", unknown + 91) == 3);
    MUST(ioctl(fd, _IOR('m', 1, int[2]), state) == 0 && state[1] == 92);
    MUST(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
    close(fd);
}

static void streams(void)
{
    char line[100];
    FILE *meter = fopen(METER, "r");
    MUST(meter && fgets(line, (int)unknown * 20, meter) && strcmp(line, "delta 4\n") == 0);
    MUST(fread(line, unknown, 7, meter) == 7 && memcmp(line, "alpha 1", 7) == 0);
    MUST(fgetc(meter) == '\n' && ungetc('x', meter) == 'x' && getc(meter) == 'x');
    int number;
    MUST(fscanf(meter, "%99s %d", line, &number) == 2 && strcmp(line, "charlie") == 0 && number == 3);
    char *room = NULL;
    size_t size = 0;
    MUST(getline(&room, &size, meter) == 1 && getdelim(&room, &size, ' ', meter) == 6);
    MUST(fread_unlocked(line, unknown, 50, meter) == 2 && feof(meter) && !ferror(meter));
    free(room);
    MUST(fclose(meter) == 0);
    meter = fopen64(METER, "re");
    MUST(meter && fgets(line, (int)unknown * 20, meter) && strcmp(line, "delta 4\n") == 0);
    meter = freopen(METER, "r", meter);
    MUST(meter && fgets_unlocked(line, (int)unknown * 20, meter) && strcmp(line, "delta 4\n") == 0);
    fclose(meter);
    int fd = open(METER, O_WRONLY);
    meter = fdopen(fd, "w");
    MUST(meter && fileno(meter) == fd && fprintf(meter, "%d\n", 93) == 3 && fflush(meter) == 0);
    setvbuf(meter, NULL, _IONBF, 0);
    errno = 0;
    fputs("1000\n", meter);
    MUST(ferror(meter));
    fclose(meter);
    meter = popen("cat " METER, "r");
    MUST(meter && fgets(line, (int)unknown * 20, meter) && strcmp(line, "delta 4\n") == 0);
    while (fgets(line, (int)unknown * 20, meter))
        ;
    MUST(pclose(meter) == 0);
}

static void wide_streams(void)
{
    wchar_t line[100];
    FILE *meter = fopen(METER, "r");
    MUST(meter && fgetws(line, (int)unknown * 20, meter) && wcscmp(line, L"delta 4\n") == 0);
    MUST(fgetwc(meter) == L'a' && ungetwc(L'a', meter) == L'a' && getwc(meter) == L'a');
    while (fgetws(line, (int)unknown * 20, meter))
        ;
    MUST(wcscmp(line, L"bravo 2\n") == 0 && feof(meter) && fgetwc(meter) == WEOF);
    fclose(meter);
    meter = fopen(METER, "w");
    MUST(meter && fputws(L"94", meter) >= 0 && fputwc(L'\n', meter) == L'\n' && fwprintf(meter, L"%d\n", 95) == 3);
    MUST(fclose(meter) == 0);
}

static void status(void)
{
    struct stat by_name, by_fd, of_link, at;
    struct stat64 large;
    struct statx extended;
    int fd = open(METER, O_RDONLY);
    MUST(stat(METER, &by_name) == 0 && fstat(fd, &by_fd) == 0 && lstat(METER, &of_link) == 0);
    MUST(fstatat(AT_FDCWD, METER, &at, 0) == 0 && stat64(METER, &large) == 0);
    MUST(statx(AT_FDCWD, METER, 0, STATX_BASIC_STATS, &extended) == 0);
    MUST(S_ISCHR(by_name.st_mode) && by_name.st_rdev == by_fd.st_rdev && by_name.st_ino == by_fd.st_ino);
    MUST(of_link.st_ino == at.st_ino && large.st_ino == at.st_ino && extended.stx_ino == at.st_ino);
    MUST(extended.stx_rdev_major == major(at.st_rdev) && large.st_rdev == at.st_rdev && large.st_mode == at.st_mode);
    MUST(access(METER, R_OK | W_OK) == 0 && faccessat(AT_FDCWD, METER, R_OK, AT_EACCESS) == 0);
    FAILS(EACCES, access(METER, X_OK));
    close(fd);
}

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(STATIC)
/* As a program that was linked before glibc 2.33 calls them. */
int old_stat(int version, const char *path, struct stat *status);
int old_lstat(int version, const char *path, struct stat *status);
int old_fstat(int version, int fd, struct stat *status);
int old_fstatat(int version, int dirfd, const char *path, struct stat *status, int flags);
int old_stat64(int version, const char *path, struct stat64 *status);
char *old_realpath(const char *path, char *resolved);
int old_spawn(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const *, char *const *);
__asm__(".symver old_stat, __xstat@GLIBC_2.2.5");
__asm__(".symver old_lstat, __lxstat@GLIBC_2.2.5");
__asm__(".symver old_fstat, __fxstat@GLIBC_2.2.5");
__asm__(".symver old_fstatat, __fxstatat@GLIBC_2.4");
__asm__(".symver old_stat64, __xstat64@GLIBC_2.2.5");
__asm__(".symver old_realpath, realpath@GLIBC_2.2.5");
__asm__(".symver old_spawn, posix_spawn@GLIBC_2.2.5");

static void old_names(void)
{
    struct stat old, now;
    struct stat64 large;
    char room[PATH_MAX];
    int fd = open(METER, O_RDONLY);
    MUST(stat(METER, &now) == 0);
    MUST(old_stat(1, METER, &old) == 0 && old.st_rdev == now.st_rdev && old.st_mode == now.st_mode);
    MUST(old_lstat(1, METER, &old) == 0 && old.st_rdev == now.st_rdev);
    MUST(old_fstat(1, fd, &old) == 0 && old.st_rdev == now.st_rdev && old.st_ino == now.st_ino);
    MUST(old_fstatat(1, AT_FDCWD, METER, &old, 0) == 0 && old.st_ino == now.st_ino);
    MUST(old_stat64(1, METER, &large) == 0 && large.st_ino == now.st_ino);
    MUST(old_realpath("/dev/../dev/meter0", room) && strcmp(room, METER) == 0);
    char *words[] = { "/usr/bin/test", "-c", METER, NULL };
    pid_t child;
    int ended;
    MUST(old_spawn(&child, words[0], NULL, NULL, words, environ) == 0);
    MUST(waitpid(child, &ended, 0) == child && ended == 0);
    close(fd);
}
#else
static void old_names(void) { }
#endif

static void paths(void)
{
    char room[PATH_MAX], before[PATH_MAX];
    glob_t found;
    MUST(realpath("/dev/./meter0", room) && strcmp(room, METER) == 0);
    char *made = realpath("/dev/./meter0", NULL);
    MUST(made && strcmp(made, METER) == 0);
    free(made);
    FAILS(EINVAL, readlink(METER, room, unknown * sizeof room));
    MUST(getcwd(before, unknown * sizeof before) && chdir("/dev") == 0);
    MUST(access("meter0", F_OK) == 0 && getcwd(room, unknown * sizeof room) && strcmp(room, "/dev") == 0);
    MUST(chdir(before) == 0);
    MUST(glob("/dev/mete*", 0, NULL, &found) == 0 && found.gl_pathc == 1 && strcmp(found.gl_pathv[0], METER) == 0);
    globfree(&found);
    DIR *dev = opendir("/dev");
    int seen = 0;
    for (struct dirent *entry; dev && (entry = readdir(dev));)
        seen += strcmp(entry->d_name, "meter0") == 0 && entry->d_type == DT_CHR;
    closedir(dev);
    MUST(seen == 1);
}

static void waiting(void)
{
    char room[100];
    int fd = open(BELL, O_RDWR);
    struct pollfd fds[2] = { { fd, POLLIN, 0 }, { fd, POLLOUT, 0 } };
    struct timespec nothing = { 0, 0 }, long_time = { 10, 0 };
    struct epoll_event event = { EPOLLIN, { .fd = fd } };
    int epoll = epoll_create1(0);
    fd_set set;
    MUST(poll(fds, unknown, 0) == 0 && ppoll(fds, unknown * 2, &nothing, NULL) == 1 && fds[1].revents == POLLOUT);
    MUST(write(fd, "\n", 1) == 1 && ppoll(fds, unknown, &long_time, NULL) == 1 && fds[0].revents == POLLIN);
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 && epoll_wait(epoll, &event, 1, 0) == 1);
    FD_ZERO(&set);
    FD_SET(fd, &set);
    MUST(pselect(fd + 1, &set, NULL, NULL, &nothing, NULL) == 1 && FD_ISSET(fd, &set));
    MUST(read(fd, room, unknown * 100) > 0 && strncmp(room, "strike ", 7) == 0);
    MUST(epoll_pwait(epoll, &event, 1, 0, NULL) == 0 && poll(fds, unknown, 0) == 0);
    close(epoll);
    close(fd);
}

static void asynchronous(void)
{
    char room[100] = "";
    int fd = open(METER, O_RDONLY), pipe_ends[2];
    struct aiocb request = { .aio_fildes = fd, .aio_buf = room, .aio_nbytes = 8 };
    const struct aiocb *list[] = { &request };
    MUST(aio_read(&request) == 0 && aio_suspend(list, 1, NULL) == 0 && aio_return(&request) == 8);
    MUST(memcmp(room, "delta 4\n", 8) == 0);
    close(fd);
    MUST(pipe(pipe_ends) == 0 && write(pipe_ends[1], "hello", 5) == 5);
    request.aio_fildes = pipe_ends[0];
    MUST(aio_read(&request) == 0 && aio_suspend(list, 1, NULL) == 0 && aio_return(&request) == 5);
    MUST(memcmp(room, "hello", 5) == 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void terminal(void)
{
    char room[4096];
    struct termios settings;
    int fd = open(GPS, O_RDWR | O_NOCTTY);
    MUST(isatty(fd) && ttyname_r(fd, room, unknown * sizeof room) == 0 && strcmp(room, GPS) == 0);
    MUST(strcmp(ttyname(fd), GPS) == 0 && tcgetattr(fd, &settings) == 0);
    cfmakeraw(&settings);
    cfsetispeed(&settings, B57600);
    cfsetospeed(&settings, B57600);
    MUST(tcsetattr(fd, TCSANOW, &settings) == 0 && tcgetattr(fd, &settings) == 0 && cfgetospeed(&settings) == B57600);
    MUST(write(fd, "$PMTK605*31\r\n", 13) == 13 && tcdrain(fd) == 0);
    FILE *port = fdopen(fd, "r");
    int answered = 0;
    for (int line = 0; line < 20 && !answered && fgets(room, (int)unknown * 100, port); line++)
        answered = strncmp(room, "$PMTK705", 8) == 0;
    MUST(answered);
    fclose(port);
}

static void spawning(void)
{
    char room[100];
    int pipe_ends[2], ended;
    pid_t child;
    posix_spawn_file_actions_t actions;
    char *words[] = { "cat", NULL };
    MUST(pipe(pipe_ends) == 0 && posix_spawn_file_actions_init(&actions) == 0);
    MUST(posix_spawn_file_actions_addopen(&actions, 0, METER, O_RDONLY, 0) == 0);
    MUST(posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1) == 0);
    MUST(posix_spawn_file_actions_addclose(&actions, pipe_ends[0]) == 0);
    for (int again = 0; again < 2; again++) { /* the node is opened anew each time */
        MUST(posix_spawnp(&child, "cat", &actions, NULL, words, environ) == 0);
        MUST(waitpid(child, &ended, 0) == child && ended == 0);
        MUST(read(pipe_ends[0], room, unknown * 100) == (ssize_t)SIZE && memcmp(room, READINGS, SIZE) == 0);
    }
    posix_spawn_file_actions_destroy(&actions);
    MUST(posix_spawn_file_actions_init(&actions) == 0);
    MUST(posix_spawn_file_actions_addopen(&actions, 1, "/dev/meter1", O_WRONLY, 0) == 0);
    MUST(posix_spawnp(&child, "cat", &actions, NULL, words, environ) == ENOENT);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    child = vfork();
    if (child == 0) {
        execl("/usr/bin/test", "test", "-c", METER, NULL);
        _exit(1);
    }
    MUST(waitpid(child, &ended, 0) == child && ended == 0);
    MUST(system("test -c " METER) == 0);
}

int main(void)
{
    static const struct { const char *name; void (*check)(void); } checks[] = {
        { "reads", reads }, { "writes", writes }, { "streams", streams }, { "wide_streams", wide_streams }, { "status", status },
        { "paths", paths },
        { "old_names", old_names }, { "waiting", waiting }, { "asynchronous", asynchronous },
        { "terminal", terminal }, { "spawning", spawning },
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        int before = failed;
        checking = checks[i].name;
        failed = 0;
        checks[i].check();
        if (!failed)
            printf("ok %s\n", checking);
        failed |= before;
        fflush(stdout);
    }
    return failed;
}
