/* usb_hotplug.c: a program of libusb that waits for its device, uses it, and sees it go and come again.
 * usb_hotplug: arrival, an echo through URBs, a transfer that ends because the device leaves, its return. */
#include <libusb-1.0/libusb.h>

#include "check.h"

static int arrived, left, ended;

static int LIBUSB_CALL happened(libusb_context *context, libusb_device *device, libusb_hotplug_event event, void *unused)
{
    (void)context, (void)device, (void)unused;
    if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
        arrived++;
    else
        left++;
    return 0;
}

static void LIBUSB_CALL over(struct libusb_transfer *transfer)
{
    ended = 1 + (int)transfer->status;
}

static void handle_until(libusb_context *context, const int *what, int wanted)
{
    for (int i = 0; *what != wanted && i < 600; i++)
        CHECK(libusb_handle_events_timeout_completed(context, &(struct timeval){ .tv_usec = 100000 }, NULL) == 0);
    CHECK(*what == wanted);
}

static void echo(libusb_device_handle *handle)
{
    static unsigned char data[100000], back[sizeof data + 1];
    int count;

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i % 251);
    CHECK(libusb_bulk_transfer(handle, 0x01, data, sizeof data, &count, 20000) == 0 && count == sizeof data);
    CHECK(libusb_bulk_transfer(handle, 0x81, back, sizeof back, &count, 20000) == 0 && count == sizeof data);
    CHECK(memcmp(data, back, sizeof data) == 0);
    CHECK(libusb_bulk_transfer(handle, 0x81, back, sizeof back, &count, 20) == LIBUSB_ERROR_TIMEOUT && count == 0);
    CHECK(libusb_control_transfer(handle, 0xC0, 99, 0, 0, back, 1, 20000) == LIBUSB_ERROR_PIPE);
}

int main(void)
{
    libusb_context *context;
    unsigned char data[64];
    int any = LIBUSB_HOTPLUG_MATCH_ANY;

    CHECK(libusb_init(&context) == 0);
    CHECK(libusb_hotplug_register_callback(context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
                                           LIBUSB_HOTPLUG_ENUMERATE, 0x0525, 0xa4a0, any, happened, NULL, NULL) == 0);
    CHECK(arrived == 1);

    libusb_device_handle *handle = libusb_open_device_with_vid_pid(context, 0x0525, 0xa4a0);
    CHECK(handle && libusb_claim_interface(handle, 0) == 0);
    echo(handle);

    struct libusb_transfer *transfer = libusb_alloc_transfer(0);
    libusb_fill_bulk_transfer(transfer, handle, 0x81, data, sizeof data, over, NULL, 0);
    CHECK(libusb_submit_transfer(transfer) == 0);
    CHECK(libusb_control_transfer(handle, 0x40, 9, 0, 0, NULL, 0, 20000) == 0); /* now it goes, and comes back later */
    handle_until(context, &ended, 1 + LIBUSB_TRANSFER_NO_DEVICE);
    handle_until(context, &left, 1);
    libusb_free_transfer(transfer);
    libusb_close(handle);

    handle_until(context, &arrived, 2);
    handle = libusb_open_device_with_vid_pid(context, 0x0525, 0xa4a0);
    CHECK(handle && libusb_claim_interface(handle, 0) == 0);
    echo(handle);
    libusb_close(handle);
    libusb_exit(context);
    return 0;
}
