/* wrap_tty.c: the termios family, which libc makes of its own private ioctls. On a device each is the ioctl
 * that the kernel documents for it (tty_ioctl(4), termios(3)); elsewhere libc's own. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "calls.h"
#include "record.h"

/* The kernel's struct termios2 (asm-generic/termbits.h), which is shorter than libc's struct; without the speeds it is the
 * kernel's struct termios. */
struct kernel_termios2 {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    cc_t c_line, c_cc[19];
    speed_t c_ispeed, c_ospeed;
};

#define GET_WITH_SPEEDS _IOR('T', 0x2a, struct kernel_termios2) /* TCGETS2 */
#define SET_WITH_SPEEDS _IOW('T', 0x2b, struct kernel_termios2) /* TCSETS2; behind it TCSETSW2, TCSETSF2 */

/* A plugged device, or hardware that is recorded: libc's own ioctls would not be seen. */
static const struct carrier *termios_carrier(int fd)
{
    return recording() ? known_carrier(fd) : carrier_of(fd);
}

/* ---- Speeds ------------------------------------------------------------------------------------------
 *
 * glibc's speed_t was the kernel's code for a speed up to 2.41, which c_cflag holds, too. From 2.42 on it is the speed itself,
 * any one, and c_cflag holds the codes that go with it (its NEWS; tcgetattr(3) in both is one function for old and new
 * programs). Codes: asm-generic/termbits.h. */

enum { OTHER = 0x1000, CODES = 0x100f, INPUT_SHIFT = 16 };

extern const char *gnu_get_libc_version(void) __attribute__((weak));

static bool speeds_are_numbers(void)
{
    const char *at = gnu_get_libc_version ? gnu_get_libc_version() : "";
    int minor = 0;

    if (at[0] != '2' || at[1] != '.')
        return false;
    for (at += 2; *at >= '0' && *at <= '9'; at++)
        minor = minor * 10 + (*at - '0');
    return minor >= 42;
}

static const speed_t speeds[] = { 0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
static const speed_t high_speeds[] = { 0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000,
                                       2000000, 2500000, 3000000, 3500000, 4000000 };

static speed_t speed_of(tcflag_t code, speed_t other)
{
    code &= CODES;
    return code == OTHER ? other : code & OTHER ? high_speeds[code & 15] : speeds[code];
}

static tcflag_t code_of(speed_t speed)
{
    for (tcflag_t i = 0; i < 16; i++) {
        if (speeds[i] == speed)
            return i;
        if (i && high_speeds[i] == speed)
            return OTHER | i;
    }
    return OTHER;
}

/* Codes count where there are some; an input speed of 0 is the output's. */
static void settle_speeds(struct kernel_termios2 *kernel)
{
    kernel->c_ospeed = speed_of(kernel->c_cflag, kernel->c_ospeed);
    kernel->c_ispeed = speed_of(kernel->c_cflag >> INPUT_SHIFT, kernel->c_ispeed);
    if (!kernel->c_ispeed)
        kernel->c_ispeed = kernel->c_ospeed;
    kernel->c_cflag &= ~((tcflag_t)CODES | (tcflag_t)CODES << INPUT_SHIFT);
    kernel->c_cflag |= code_of(kernel->c_ospeed) | code_of(kernel->c_ispeed) << INPUT_SHIFT;
}

static bool has_other_speeds(tcflag_t flags)
{
    return (flags & CODES) == OTHER || (flags >> INPUT_SHIFT & CODES) == OTHER;
}

/* As in older versions, which is what most recordings have, where that says all. */
static int get_settings(const struct carrier *carrier, int fd, struct kernel_termios2 *kernel)
{
    memset(kernel, 0, sizeof *kernel);
    int result = ioctl_on(carrier, fd, TCGETS, (uintptr_t)kernel);
    if (result < 0 || !speeds_are_numbers())
        return result;
    if (has_other_speeds(kernel->c_cflag) && (result = ioctl_on(carrier, fd, GET_WITH_SPEEDS, (uintptr_t)kernel)) < 0)
        return result;
    settle_speeds(kernel);
    return 0;
}

/* when: 0, 1, 2, as the requests follow each other. */
static int set_settings(const struct carrier *carrier, int fd, int when, struct kernel_termios2 *kernel)
{
    if (speeds_are_numbers()) {
        settle_speeds(kernel);
        if (kernel->c_ispeed == kernel->c_ospeed)
            kernel->c_cflag &= ~((tcflag_t)CODES << INPUT_SHIFT);
        if (kernel->c_ispeed != kernel->c_ospeed || has_other_speeds(kernel->c_cflag))
            return ioctl_on(carrier, fd, SET_WITH_SPEEDS + (unsigned)when, (uintptr_t)kernel);
    }
    return ioctl_on(carrier, fd, TCSETS + (unsigned)when, (uintptr_t)kernel);
}

INTERPOSE int tcgetattr(int fd, struct termios *out)
{
    const struct carrier *carrier = termios_carrier(fd);
    struct kernel_termios2 kernel;

    if (!carrier)
        return real.tcgetattr(fd, out);
    if (get_settings(carrier, fd, &kernel) < 0)
        return -1;
    memset(out, 0, sizeof *out);
    out->c_iflag = kernel.c_iflag;
    out->c_oflag = kernel.c_oflag;
    out->c_cflag = kernel.c_cflag;
    out->c_lflag = kernel.c_lflag;
    out->c_line = kernel.c_line;
    memcpy(out->c_cc, kernel.c_cc, sizeof kernel.c_cc);
    out->c_ispeed = out->c_ospeed = kernel.c_cflag & CODES;
    if (speeds_are_numbers()) {
        out->c_ispeed = kernel.c_ispeed;
        out->c_ospeed = kernel.c_ospeed;
    }
    return 0;
}

INTERPOSE int tcsetattr(int fd, int when, const struct termios *in)
{
    const struct carrier *carrier = termios_carrier(fd);
    struct kernel_termios2 kernel = { 0 };

    if (!carrier)
        return real.tcsetattr(fd, when, in);
    if (when != TCSANOW && when != TCSADRAIN && when != TCSAFLUSH) {
        errno = EINVAL;
        return -1;
    }
    kernel.c_iflag = in->c_iflag;
    kernel.c_oflag = in->c_oflag;
    kernel.c_cflag = in->c_cflag;
    kernel.c_lflag = in->c_lflag;
    kernel.c_line = in->c_line;
    memcpy(kernel.c_cc, in->c_cc, sizeof kernel.c_cc);
    kernel.c_ispeed = in->c_ispeed;
    kernel.c_ospeed = in->c_ospeed;
    return set_settings(carrier, fd, when - TCSANOW, &kernel);
}

INTERPOSE int tcdrain(int fd)
{
    const struct carrier *carrier = termios_carrier(fd);
    return carrier ? ioctl_on(carrier, fd, TCSBRK, 1) : real.tcdrain(fd);
}

INTERPOSE int tcflush(int fd, int queue)
{
    const struct carrier *carrier = termios_carrier(fd);
    return carrier ? ioctl_on(carrier, fd, TCFLSH, (uintptr_t)queue) : real.tcflush(fd, queue);
}

INTERPOSE int tcflow(int fd, int action)
{
    const struct carrier *carrier = termios_carrier(fd);
    return carrier ? ioctl_on(carrier, fd, TCXONC, (uintptr_t)action) : real.tcflow(fd, action);
}

/* As glibc: 0 is the driver's own length, else tenths of a second rounded up. */
INTERPOSE int tcsendbreak(int fd, int duration)
{
    const struct carrier *carrier = termios_carrier(fd);
    if (!carrier)
        return real.tcsendbreak(fd, duration);
    if (duration <= 0)
        return ioctl_on(carrier, fd, TCSBRK, 0);
    return ioctl_on(carrier, fd, TCSBRKP, (uintptr_t)((duration + 99) / 100));
}

/* Only recordings need to see these: elsewhere the kernel's terminal answers. */
INTERPOSE pid_t tcgetpgrp(int fd)
{
    pid_t group;
    if (!recorded(fd))
        return LATE(tcgetpgrp)(fd);
    return ioctl_on(recorded(fd), fd, TIOCGPGRP, (uintptr_t)&group) < 0 ? -1 : group;
}

INTERPOSE int tcsetpgrp(int fd, pid_t group)
{
    return recorded(fd) ? ioctl_on(recorded(fd), fd, TIOCSPGRP, (uintptr_t)&group) : LATE(tcsetpgrp)(fd, group);
}

INTERPOSE pid_t tcgetsid(int fd)
{
    pid_t session;
    if (!recorded(fd))
        return LATE(tcgetsid)(fd);
    return ioctl_on(recorded(fd), fd, TIOCGSID, (uintptr_t)&session) < 0 ? -1 : session;
}

INTERPOSE int isatty(int fd)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return real.isatty(fd);
    if (device_of(carrier)->flags & DEVICE_TTY)
        return 1;
    errno = ENOTTY;
    return 0;
}

INTERPOSE int ttyname_r(int fd, char *buf, size_t size)
{
    const struct carrier *carrier = carrier_of(fd);
    if (!carrier)
        return real.ttyname_r(fd, buf, size);
    if (!(device_of(carrier)->flags & DEVICE_TTY))
        return errno = ENOTTY;
    const char *path = registry_text(device_of(carrier)->path);
    if (strlen(path) >= size)
        return errno = ERANGE;
    memcpy(buf, path, strlen(path) + 1);
    return 0;
}

INTERPOSE char *ttyname(int fd)
{
    static char name[256];
    if (!carrier_of(fd))
        return real.ttyname(fd);
    return ttyname_r(fd, name, sizeof name) == 0 ? name : NULL;
}
