/* enumerate.c: what looking at all devices costs.  enumerate SUBSYSTEM ROUNDS: libudev lists the devices of a subsystem
 * and reads all properties and attributes of each; then udevadm does `info -e`.  "first": the first look below /sys.
 * All in nanoseconds a device (first: in all).  libudev is loaded by hand, so that no header is needed to build this. */
#include <dlfcn.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "timing.h"

extern char **environ;
struct entry;
#define USED(F)                                                      \
    F(void *, udev_new, (void))                                      \
    F(void *, udev_unref, (void *))                                  \
    F(void *, udev_enumerate_new, (void *))                          \
    F(void *, udev_enumerate_unref, (void *))                        \
    F(int, udev_enumerate_add_match_subsystem, (void *, const char *)) \
    F(int, udev_enumerate_scan_devices, (void *))                    \
    F(struct entry *, udev_enumerate_get_list_entry, (void *))       \
    F(struct entry *, udev_list_entry_get_next, (struct entry *))    \
    F(const char *, udev_list_entry_get_name, (struct entry *))      \
    F(void *, udev_device_new_from_syspath, (void *, const char *))  \
    F(void *, udev_device_unref, (void *))                           \
    F(struct entry *, udev_device_get_properties_list_entry, (void *)) \
    F(struct entry *, udev_device_get_sysattr_list_entry, (void *))  \
    F(const char *, udev_device_get_sysattr_value, (void *, const char *))
#define POINTER(type, name, arguments) static type(*name) arguments;
USED(POINTER)

static void load(void)
{
    void *library = dlopen("libudev.so.1", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
#define LOOK_UP(type, name, arguments) *(void **)&name = dlsym(library, #name);
    USED(LOOK_UP)
}

/* All of one device; the number of what was found is kept, so that nothing of it is left out. */
static long read_device(void *udev, const char *path)
{
    void *device = udev_device_new_from_syspath(udev, path);
    long found = 0;

    if (!device)
        return 0;
    for (struct entry *at = udev_device_get_properties_list_entry(device); at; at = udev_list_entry_get_next(at))
        found++;
    for (struct entry *at = udev_device_get_sysattr_list_entry(device); at; at = udev_list_entry_get_next(at))
        found += udev_device_get_sysattr_value(device, udev_list_entry_get_name(at)) != NULL;
    udev_device_unref(device);
    return found;
}

static int list(const char *subsystem, int with_contents)
{
    void *udev = udev_new(), *list = udev_enumerate_new(udev);
    int count = 0;

    if (subsystem)
        udev_enumerate_add_match_subsystem(list, subsystem);
    require(udev_enumerate_scan_devices(list) >= 0, "udev_enumerate_scan_devices");
    for (struct entry *at = udev_enumerate_get_list_entry(list); at; at = udev_list_entry_get_next(at))
        count += !with_contents || read_device(udev, udev_list_entry_get_name(at)) > 0;
    udev_enumerate_unref(list);
    udev_unref(udev);
    return count;
}

static void udevadm(void)
{
    char *words[] = { "udevadm", "info", "-e", NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1 /* O_WRONLY */, 0);
    require(posix_spawnp(&pid, words[0], &actions, NULL, words, environ) == 0, "udevadm");
    require(waitpid(pid, &status, 0) == pid && status == 0, "udevadm info -e");
    posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char **argv)
{
    struct stat status;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    double *values = series(rounds), begin = now_ns();

    stat("/sys/class/nothing", &status);
    values[0] = now_ns() - begin;
    print_series("first", values, 1);
    load();
    for (int i = 0; i < rounds; i++) {
        begin = now_ns();
        int count = list(argv[1], 1);
        values[i] = (now_ns() - begin) / (count ? count : 1);
    }
    print_series("libudev", values, rounds);
    int all = list(NULL, 0);
    for (int i = 0; i < rounds; i++) {
        begin = now_ns();
        udevadm();
        values[i] = (now_ns() - begin) / (all ? all : 1);
    }
    print_series("udevadm", values, rounds);
    return 0;
}
