/* acme_client: uses every call of the ACME DX-8's manual, as a vendor's own test program would. */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct dx8_info    { char model[16]; __u32 firmware; __u16 channels; __u16 irq_count; };
struct dx8_segment { __u32 length; __u32 reserved; __u8 *data; };
struct dx8_move    { __u32 address; __u16 to_card; __u16 count; struct dx8_segment *segments; };

#define DX8_GET_INFO _IOR('x', 0x00, struct dx8_info)
#define DX8_SET_RATE _IOW('x', 0x01, __u32)
#define DX8_SELECT   _IO('x', 0x02)
#define DX8_MOVE     _IOWR('x', 0x03, struct dx8_move)
#define DX8_START    _IO('x', 0x04)
#define DX8_WAIT_IRQ _IOR('x', 0x05, __u32)

static void say(const char *what, int result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %d\n", what, result);
}

static int move(int fd, __u32 address, int to_card, __u8 *first, __u32 first_length, __u8 *second, __u32 second_length)
{
    struct dx8_segment segments[2] = { { first_length, 0, first }, { second_length, 0, second } };
    struct dx8_move request = { address, (__u16)to_card, 2, segments };
    return ioctl(fd, DX8_MOVE, &request);
}

int main(int argc, char **argv)
{
    int fd = open(argc > 1 ? argv[1] : "/dev/acme0", O_RDWR);
    if (fd < 0) {
        perror("open");
        return 1;
    }
    struct dx8_info info = { 0 };
    say("info", ioctl(fd, DX8_GET_INFO, &info));
    printf("%s firmware %x, %d channels\n", info.model, info.firmware, info.channels);

    __u32 rate = 1001;
    say("rate 1001", ioctl(fd, DX8_SET_RATE, &rate));
    rate = 5;
    say("rate 5", ioctl(fd, DX8_SET_RATE, &rate));
    say("select 8", ioctl(fd, DX8_SELECT, 8));
    say("select 2", ioctl(fd, DX8_SELECT, 2));

    __u8 hello[] = "hello ", world[] = "world", back[6] = "", rest[6] = "";
    say("to card", move(fd, 100, 1, hello, 6, world, 5));
    say("from card", move(fd, 100, 0, back, 5, rest, 5));
    printf("%.5s|%.5s\n", (char *)back, (char *)rest);
    say("beyond", move(fd, 4090, 0, back, 5, rest, 5));

    struct pollfd waiting = { fd, POLLIN, 0 };
    say("ready before", poll(&waiting, 1, 0));
    say("start", ioctl(fd, DX8_START));
    say("start again", ioctl(fd, DX8_START));
    __u32 number = 0;
    say("wait", ioctl(fd, DX8_WAIT_IRQ, &number));
    printf("conversion %u\n", number);
    say("ready after", poll(&waiting, 1, 0));
    char text[64] = "";
    say("read", (int)read(fd, text, sizeof text - 1));
    printf("%s", text);
    say("unknown", ioctl(fd, _IO('x', 0x77)));
    close(fd);
    return 0;
}
