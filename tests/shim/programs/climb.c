/* climb: goes from the root to PATH name by name, as systemd's libraries do, with descriptors of O_PATH. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (char *name = count > 1 ? strtok(arguments[1], "/") : NULL; name; name = strtok(NULL, "/")) {
        struct stat status;
        char text[256];
        int there = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (there < 0 || fstat(there, &status)) {
            printf("%s: %s\n", name, strerror(errno));
            return 1;
        }
        ssize_t length = S_ISLNK(status.st_mode) ? readlinkat(there, "", text, sizeof text) : 0;
        printf("%s %o %.*s\n", name, status.st_mode & S_IFMT, length > 0 ? (int)length : 0, text);
        close(at);
        at = there;
    }
}
