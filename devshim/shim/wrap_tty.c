/* wrap_tty.c: the termios family, which libc makes of its own private ioctls. On a device each is the ioctl
 * that the kernel documents for it (tty_ioctl(4), termios(3)); elsewhere libc's own. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "calls.h"
#include "record.h"

/* The kernel's struct termios (asm-generic/termbits.h), which is shorter than libc's. */
struct kernel_termios {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    cc_t c_line, c_cc[19];
};

/* A plugged device, or hardware that is recorded: libc's own ioctls would not be seen. */
static const struct carrier *termios_carrier(int fd)
{
    return recording() ? known_carrier(fd) : carrier_of(fd);
}

INTERPOSE int tcgetattr(int fd, struct termios *out)
{
    const struct carrier *carrier = termios_carrier(fd);
    struct kernel_termios kernel;

    if (!carrier)
        return real.tcgetattr(fd, out);
    if (ioctl_on(carrier, fd, TCGETS, (uintptr_t)&kernel) < 0)
        return -1;
    memset(out, 0, sizeof *out);
    out->c_iflag = kernel.c_iflag;
    out->c_oflag = kernel.c_oflag;
    out->c_cflag = kernel.c_cflag;
    out->c_lflag = kernel.c_lflag;
    out->c_line = kernel.c_line;
    memcpy(out->c_cc, kernel.c_cc, sizeof kernel.c_cc);
    out->c_ispeed = out->c_ospeed = kernel.c_cflag & (CBAUD | CBAUDEX);
    return 0;
}

INTERPOSE int tcsetattr(int fd, int when, const struct termios *in)
{
    const struct carrier *carrier = termios_carrier(fd);
    unsigned long request = when == TCSANOW ? TCSETS : when == TCSADRAIN ? TCSETSW : TCSETSF;
    struct kernel_termios kernel = { 0 };

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
    return ioctl_on(carrier, fd, request, (uintptr_t)&kernel);
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
