/* wrap_ptmx.c: pseudo-terminals, which libc opens past every wrapper. Where /dev/ptmx is recorded or plugged, they are made
 * of the calls that the manual names (pts(4), ioctl_tty(2)); elsewhere by libc as ever. */
#include <errno.h>
#include <pty.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utmp.h>

#include "calls.h"
#include "record.h"
#include "wrap_open.h"

static const char multiplexer[] = "/dev/ptmx";

static bool ours(void)
{
    struct route route;
    START_ONCE();
    return registry && (device_to_record(AT_FDCWD, multiplexer, O_RDWR) || leads_to_device(multiplexer, &route));
}

INTERPOSE int posix_openpt(int flags)
{
    return ours() ? open(multiplexer, flags) : LATE(posix_openpt)(flags);
}

INTERPOSE int getpt(void)
{
    return ours() ? open(multiplexer, O_RDWR) : LATE(getpt)();
}

/* Linux gives the other end to whoever opened this one. */
INTERPOSE int grantpt(int fd)
{
    return known_carrier(fd) ? 0 : LATE(grantpt)(fd);
}

INTERPOSE int unlockpt(int fd)
{
    int unlocked = 0;
    return known_carrier(fd) ? ioctl(fd, TIOCSPTLCK, &unlocked) : LATE(unlockpt)(fd);
}

/* 0, or the errno. */
static int name_of(int fd, char *name, size_t size)
{
    static const char folder[] = "/dev/pts/";
    char digits[10];
    unsigned number, count = 0;

    if (ioctl(fd, TIOCGPTN, &number) < 0)
        return errno;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    if (size < sizeof folder + count)
        return ERANGE;
    memcpy(name, folder, sizeof folder);
    name += sizeof folder - 1;
    while (count)
        *name++ = digits[--count];
    *name = '\0';
    return 0;
}

INTERPOSE int ptsname_r(int fd, char *name, size_t size)
{
    return known_carrier(fd) ? (errno = name_of(fd, name, size)) : LATE(ptsname_r)(fd, name, size);
}

INTERPOSE char *ptsname(int fd)
{
    static char name[32];
    if (!known_carrier(fd))
        return LATE(ptsname)(fd);
    return ptsname_r(fd, name, sizeof name) == 0 ? name : NULL;
}

/* The two ends, or -1 with nothing open. */
static int open_pair(int *master, int *slave, char *name)
{
    *slave = -1;
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0)
        return -1;
    if (unlockpt(*master) == 0 && ptsname_r(*master, name, 32) == 0)
        *slave = open(name, O_RDWR | O_NOCTTY);
    if (*slave >= 0)
        return 0;
    int error = errno;
    close(*master);
    errno = error;
    return -1;
}

INTERPOSE int openpty(int *master, int *slave, char *name, const struct termios *settings, const struct winsize *size)
{
    char room[32];

    if (!ours())
        return LATE(openpty)(master, slave, name, settings, size);
    if (open_pair(master, slave, room) < 0)
        return -1;
    if (settings)
        tcsetattr(*slave, TCSAFLUSH, settings);
    if (size)
        ioctl(*slave, TIOCSWINSZ, size);
    if (name)
        strcpy(name, room);
    return 0;
}

INTERPOSE int forkpty(int *master, char *name, const struct termios *settings, const struct winsize *size)
{
    int slave;

    if (!ours())
        return LATE(forkpty)(master, name, settings, size);
    if (openpty(master, &slave, name, settings, size) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        close(*master);
        if (LATE(login_tty)(slave) < 0)
            _exit(1);
        return 0;
    }
    close(slave);
    if (child < 0)
        close(*master);
    return child;
}
