/* speeds.c: a port's speed under either of the meanings that glibc has given to speed_t. speeds PORT VERSION */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "check.h"

static const char *version = "";

/* In the place of glibc's own, which the shim asks. */
const char *gnu_get_libc_version(void)
{
    return version;
}

enum { CODES = 0x100f, OTHER = 0x1000, CODE_9600 = 13, CODE_115200 = 0x1002 };

/* With numbers: what cfsetospeed() and cfsetispeed() of 2.42 do. */
static void set(struct termios *settings, speed_t speed, tcflag_t code)
{
    settings->c_ospeed = settings->c_ispeed = speed;
    settings->c_cflag = (settings->c_cflag & ~(tcflag_t)(CODES | CODES << 16)) | code | code << 16;
}

static void check_numbers(int fd)
{
    struct termios settings;

    CHECK(tcgetattr(fd, &settings) == 0);
    CHECK(settings.c_ospeed == 9600 && settings.c_ispeed == 9600);
    CHECK((settings.c_cflag & CODES) == CODE_9600 && (settings.c_cflag >> 16 & CODES) == CODE_9600);
    set(&settings, 115200, CODE_115200);
    CHECK(tcsetattr(fd, TCSANOW, &settings) == 0);
    CHECK(tcgetattr(fd, &settings) == 0 && settings.c_ospeed == 115200 && (settings.c_cflag & CODES) == CODE_115200);
    set(&settings, 12345, OTHER);
    CHECK(tcsetattr(fd, TCSADRAIN, &settings) == 0);
    CHECK(tcgetattr(fd, &settings) == 0 && settings.c_ospeed == 12345 && (settings.c_cflag & CODES) == OTHER);
    set(&settings, 9600, OTHER);
    CHECK(tcsetattr(fd, TCSAFLUSH, &settings) == 0);
    CHECK(tcgetattr(fd, &settings) == 0 && settings.c_ispeed == 9600 && (settings.c_cflag & CODES) == CODE_9600);
}

static void check_codes(int fd)
{
    struct termios settings;

    CHECK(tcgetattr(fd, &settings) == 0);
    CHECK(settings.c_ospeed == CODE_9600 && settings.c_ispeed == CODE_9600 && (settings.c_cflag & CODES) == CODE_9600);
    settings.c_cflag = (settings.c_cflag & ~(tcflag_t)CODES) | CODE_115200;
    CHECK(tcsetattr(fd, TCSANOW, &settings) == 0);
    CHECK(tcgetattr(fd, &settings) == 0 && settings.c_ospeed == CODE_115200);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    version = argv[2];
    int fd = open(argv[1], O_RDWR | O_NOCTTY);
    CHECK(fd >= 0);
    if (strcmp(version, "2.42") < 0)
        check_codes(fd);
    else
        check_numbers(fd);
    return 0;
}
