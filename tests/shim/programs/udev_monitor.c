/* udev_monitor SUBSYSTEM HAND: says which nodes of a subsystem libudev finds, lets HAND pull and plug, and says what it
 * is told of the nodes then. */
#include <fcntl.h>
#include <libudev.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void list(struct udev *udev, const char *subsystem)
{
    struct udev_enumerate *found = udev_enumerate_new(udev);
    struct udev_list_entry *entry;

    udev_enumerate_add_match_subsystem(found, subsystem);
    udev_enumerate_scan_devices(found);
    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(found)) {
        struct udev_device *device = udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
        if (device && udev_device_get_devnode(device))
            printf("there %s\n", udev_device_get_devnode(device));
        udev_device_unref(device);
    }
    udev_enumerate_unref(found);
}

static void tell(const char *hand, const char *what)
{
    int fd = open(hand, O_WRONLY);
    if (fd < 0 || write(fd, what, strlen(what)) < 0)
        perror(hand);
    close(fd);
}

int main(int argc, char **argv)
{
    struct udev *udev = udev_new();
    struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "udev");
    int told = 0;

    if (argc != 3 || !monitor)
        return 2;
    udev_monitor_filter_add_match_subsystem_devtype(monitor, argv[1], NULL);
    udev_monitor_enable_receiving(monitor);
    list(udev, argv[1]);
    tell(argv[2], "0");
    tell(argv[2], "1");
    while (told < 2) {
        struct pollfd ready = { .fd = udev_monitor_get_fd(monitor), .events = POLLIN };
        if (poll(&ready, 1, 5000) != 1)
            return 1;
        struct udev_device *device = udev_monitor_receive_device(monitor);
        if (device && udev_device_get_devnode(device)) {
            printf("%s %s\n", udev_device_get_action(device), udev_device_get_devnode(device));
            told++;
        }
        udev_device_unref(device);
    }
    return 0;
}
