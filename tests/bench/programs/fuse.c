/* fuse.c: a file that a program of C answers through the kernel's FUSE: fuse FOLDER PROGRAM ARGS...
 *
 * Mounts on FOLDER, which needs CAP_SYS_ADMIN, a file system with one file, `file`; reads give "12345678", writes are taken,
 * and an ioctl is given zeros. Then runs PROGRAM and unmounts. Protocol: linux/fuse.h and the kernel's fs/fuse. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "timing.h"

enum { ROOT = 1, FILE_NODE = 2, ROOM = 1 << 17 };

static int device;

static void reply(uint64_t unique, int error, const void *data, size_t size)
{
    char room[4096];
    struct fuse_out_header head = { (uint32_t)(sizeof head + size), error, unique };
    memcpy(room, &head, sizeof head);
    memcpy(room + sizeof head, data, size);
    ssize_t written = write(device, room, head.len);
    (void)written; /* ENOENT: who asked has been interrupted */
}

static struct fuse_attr attributes(uint64_t node)
{
    return (struct fuse_attr){ .ino = node, .mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0666, .nlink = 1 };
}

static void answer(const struct fuse_in_header *head, const void *given)
{
    static const char zeros[256];
    switch (head->opcode) {
    case FUSE_INIT:
        reply(head->unique, 0, &(struct fuse_init_out){ .major = 7, .minor = 31, .max_write = 65536 }, sizeof(struct fuse_init_out));
        break;
    case FUSE_LOOKUP:
        reply(head->unique, 0, &(struct fuse_entry_out){ .nodeid = FILE_NODE, .entry_valid = 60, .attr_valid = 60,
                                                         .attr = attributes(FILE_NODE) }, sizeof(struct fuse_entry_out));
        break;
    case FUSE_GETATTR:
        reply(head->unique, 0, &(struct fuse_attr_out){ .attr_valid = 60, .attr = attributes(head->nodeid) },
              sizeof(struct fuse_attr_out));
        break;
    case FUSE_OPEN:
        reply(head->unique, 0, &(struct fuse_open_out){ .open_flags = FOPEN_DIRECT_IO }, sizeof(struct fuse_open_out));
        break;
    case FUSE_READ:
        reply(head->unique, 0, "12345678", 8);
        break;
    case FUSE_WRITE:
        reply(head->unique, 0, &(struct fuse_write_out){ .size = ((const struct fuse_write_in *)given)->size },
              sizeof(struct fuse_write_out));
        break;
    case FUSE_IOCTL: {
        struct { struct fuse_ioctl_out head; char data[sizeof zeros]; } out = { 0 };
        uint32_t size = ((const struct fuse_ioctl_in *)given)->out_size;
        reply(head->unique, 0, &out, sizeof out.head + (size < sizeof zeros ? size : sizeof zeros));
        break;
    }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        break;
    default:
        reply(head->unique, head->opcode == FUSE_RELEASE || head->opcode == FUSE_FLUSH ? 0 : -ENOSYS, NULL, 0);
    }
}

static void serve(void)
{
    static char room[ROOM];
    for (;;) {
        ssize_t got = read(device, room, sizeof room);
        if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
            continue;
        if (got < (ssize_t)sizeof(struct fuse_in_header))
            _exit(0); /* unmounted */
        answer((const struct fuse_in_header *)room, room + sizeof(struct fuse_in_header));
    }
}

int main(int count, char **words)
{
    char options[128];
    int status = 1;

    if (count < 3)
        return 2;
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    require(device >= 0, "/dev/fuse");
    /* In a name space of its own, so that nothing stays behind, whatever ends us. */
    require(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "unshare");
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    require(mount("bench", words[1], "fuse", MS_NOSUID | MS_NODEV, options) == 0, "mount");
    pid_t server = fork();
    if (server == 0)
        serve();
    pid_t program = fork();
    if (program == 0) {
        execv(words[2], words + 2);
        _exit(127);
    }
    waitpid(program, &status, 0);
    umount2(words[1], MNT_DETACH);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
