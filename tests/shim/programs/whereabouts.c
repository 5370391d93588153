/* whereabouts.c: directories of the run's own as places to be, names from there, and what is known of names beside status.
 * whereabouts NODE DIRECTORY: DIRECTORY is one of /sys, plugged, in which the file "dev" is.
 * whereabouts NODE HAND: something is plugged in NODE's directory by writing to HAND, which a watch hears of. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "check.h"

static void tell_content(const char *name)
{
    char text[100];
    int fd = open(name, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);
    printf("%s: %.*s%s", name, size > 0 ? (int)size : 0, text, size < 0 ? strerror(errno) : "");
    printf("%s", size < 0 ? "\n" : "");
    close(fd);
}

static void tell_place(void)
{
    char path[PATH_MAX];
    printf("at %s\n", getcwd(path, sizeof path) ? path : strerror(errno));
}

static void in_child(void (*what)(void))
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        what();
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    printf("%d\n", status);
}

static void go_up(void)
{
    tell_place();
    tell_content("dev");
    TELL(chdir(".."));
    tell_place();
    tell_content("dev");
}

static void execute_another(void)
{
    execl("/bin/sh", "sh", "-c", "pwd; cat dev; cd device; cat ../dev", NULL);
}

static void places(const char *directory)
{
    char little[2];
    struct stat there, here;
    int before = open(".", O_RDONLY | O_DIRECTORY), fd;

    TELL(chdir(directory));
    tell_place();
    TELL(getcwd(little, sizeof little) != NULL);
    tell_content("dev");
    tell_content("no such file");
    CHECK(stat(".", &here) == 0 && stat(directory, &there) == 0);
    printf("same %d\n", here.st_ino == there.st_ino);
    in_child(go_up);
    in_child(execute_another);
    TELL(chdir("device"));
    tell_content("../dev");
    TELL(chdir("nowhere"));
    TELL(chdir("../.."));
    tell_place();
    CHECK((fd = open(directory, O_RDONLY | O_DIRECTORY)) >= 0);
    TELL(chdir("/dev"));
    tell_place();
    tell_content("dev");
    TELL(fchdir(fd));
    tell_place();
    tell_content("dev");
    TELL(chdir(directory));
    TELL(fchdir(before));
    tell_content("dev");
    TELL(chdir("/"));
    tell_place();
}

static void names(const char *node, const char *directory)
{
    struct statfs files;
    struct stat status;
    int fd = open(directory, O_RDONLY | O_DIRECTORY);

    TELL(statfs(directory, &files));
    printf("%lx\n", (unsigned long)files.f_type);
    TELL(fstatfs(fd, &files));
    printf("%lx\n", (unsigned long)files.f_type);
    TELL(statfs(node, &files));
    TELL(chmod(node, 0640));
    CHECK(stat(node, &status) == 0);
    printf("%o\n", status.st_mode);
    TELL(fchmodat(AT_FDCWD, node, 0604, 0));
    CHECK(stat(node, &status) == 0);
    printf("%o\n", status.st_mode);
    TELL(chown(node, geteuid(), getegid()));
    TELL(chdir(node));
    TELL(unlink(node));
    TELL(access(node, F_OK));
    TELL(truncate(node, 0));
}

static void tell_events(int inotify, int watch)
{
    char room[4096] __attribute__((aligned(8)));

    for (int told = 0; told < 2;) {
        ssize_t size = read(inotify, room, sizeof room);
        CHECK(size > 0);
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(room + at);
            printf("%s %x %s\n", event->wd == watch ? "heard" : "heard from elsewhere", event->mask, event->name);
            told++;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

static void watches(const char *hand)
{
    int inotify = inotify_init1(IN_CLOEXEC), watch = inotify_add_watch(inotify, "/dev", IN_CREATE | IN_DELETE);
    int fd = open(hand, O_WRONLY);

    CHECK(watch >= 0 && fd >= 0);
    CHECK(write(fd, "0", 1) == 1 && write(fd, "1", 1) == 1);
    tell_events(inotify, watch);
    TELL(inotify_rm_watch(inotify, watch));
    TELL(inotify_rm_watch(inotify, watch));
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    if (strncmp(argv[2], "/dev/", 5) == 0) {
        watches(argv[2]);
        return 0;
    }
    places(argv[2]);
    names(argv[1], argv[2]);
    return 0;
}
