/* looked_up.c: reads a device with functions that it looks up in libc by name, as run-time systems of many languages do.
 * looked_up NODE */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>

#include "check.h"

static void in(void *library, const char *node)
{
    int (*opens)(const char *, int, ...) = (void *)dlsym(library, "open64");
    ssize_t (*looks)(int, void *, size_t) = (void *)dlsym(library, "read");
    int (*closes)(int) = (void *)dlsym(library, "close");
    char text[16] = "";

    CHECK(opens && looks && closes);
    int fd = opens(node, O_RDWR);
    CHECK(fd >= 0 && looks(fd, text, 8) == 8 && memcmp(text, "12345678", 8) == 0);
    CHECK(closes(fd) == 0);
}

int main(int argc, char **argv)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);

    CHECK(argc == 2);
    in(libc, argv[1]);
    in(dlopen(NULL, RTLD_NOW), argv[1]);
    in(RTLD_DEFAULT, argv[1]);
    CHECK(dlsym(libc, "open") == (void *)open);
    CHECK(dlsym(libc, "strlen") == dlsym(RTLD_DEFAULT, "strlen"));
    CHECK(!dlsym(libc, "no_such_function") && dlerror());
    CHECK(!dlsym(RTLD_NEXT, "no_such_function") && strstr(dlerror(), "no_such_function"));
    return 0;
}
