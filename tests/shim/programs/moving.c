/* moving.c: calls that move data between descriptors know nothing of devices that compute. moving NODE FILE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/sendfile.h>

#include "check.h"

int main(int argc, char **argv)
{
    int ends[2];
    (void)argc;
    int device = open(argv[1], O_RDWR), file = open(argv[2], O_RDWR | O_CREAT, 0600);
    CHECK(pipe(ends) == 0 && write(file, "ordinary", 8) == 8);
    CHECK(splice(device, NULL, ends[1], NULL, 8, 0) == -1 && errno == EINVAL);
    CHECK(splice(ends[0], NULL, device, NULL, 8, SPLICE_F_NONBLOCK) == -1 && errno == EINVAL);
    CHECK(sendfile(ends[1], device, NULL, 8) == -1 && errno == EINVAL);
    CHECK(copy_file_range(device, NULL, file, NULL, 8, 0) == -1 && errno == EINVAL);
    CHECK(copy_file_range(file, NULL, device, NULL, 8, 0) == -1 && errno == EINVAL);
    CHECK(tee(device, ends[1], 8, 0) == -1 && errno == EINVAL);
    CHECK(reads(device));
    off_t start = 0;
    CHECK(sendfile(ends[1], file, &start, 8) == 8); /* as ever */
    return 0;
}
