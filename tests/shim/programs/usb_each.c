/* usb_each: open and close each USB device there is, as programs do that look for theirs. */
#include <libusb-1.0/libusb.h>
#include <stdio.h>

int main(void)
{
    libusb_device_handle *handle;
    libusb_device **list;

    libusb_init(NULL);
    ssize_t count = libusb_get_device_list(NULL, &list);
    for (ssize_t i = 0; i < count; i++) {
        int result = libusb_open(list[i], &handle);
        printf("%d: %s\n", libusb_get_device_address(list[i]), result ? libusb_error_name(result) : "opened");
        if (!result)
            libusb_close(handle);
    }
    libusb_free_device_list(list, 1);
    libusb_exit(NULL);
    puts("done");
}
