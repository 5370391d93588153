/* picture.c: what is plugged is laid out below /sys and /run only once somebody looks there: most programs never do, and
 * a device on USB has some ninety files and links around it. */
#include "picture.h"

#include <errno.h>
#include <sys/syscall.h>

#include "asking.h"
#include "direct.h"
#include "interposed.h"

bool tells_of_drivers(const char *name, size_t length)
{
    static const char *const names[] = { "devices", "misc", "tty", "tty/drivers" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (length == strlen(names[i]) && memcmp(name, names[i], length) == 0)
            return true;
    return false;
}

void ask_for_picture(void)
{
    struct hello_request request = { .what = HELLO_PICTURE };
    struct hello_answer answer;
    int before = errno;

    if (stands_aside())
        return;
    int fd = ask_for_descriptor(&request, NULL, &answer, NULL);
    if (fd >= 0)
        real.syscall(SYS_close, fd);
    errno = before;
}
