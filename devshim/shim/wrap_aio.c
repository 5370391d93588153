/* wrap_aio.c: aio(7). glibc's threads call their own read and write, which know nothing of devices that compute or are
 * recorded: requests on those are carried out here, as glibc does it: one after the other for each descriptor, in a
 * thread of their own. All others are libc's. */
#include "wrap_aio.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "calls.h"
#include "record.h"

static bool ours(const struct aiocb *block)
{
    return answering(block->aio_fildes, DEVICE_READ | DEVICE_WRITE | DEVICE_STREAM | DEVICE_ASKS)
           || recorded(block->aio_fildes);
}

INTERPOSE int aio_read(struct aiocb *block)
{
    return ours(block) ? begin_request(block, REQUEST_READ, NULL) : LATE(aio_read)(block);
}
ALSO_CALLED(aio_read, aio_read64);

INTERPOSE int aio_write(struct aiocb *block)
{
    return ours(block) ? begin_request(block, REQUEST_WRITE, NULL) : LATE(aio_write)(block);
}
ALSO_CALLED(aio_write, aio_write64);

INTERPOSE int aio_fsync(int operation, struct aiocb *block)
{
    if (!ours(block) || (operation != O_SYNC && operation != O_DSYNC))
        return LATE(aio_fsync)(operation, block);
    return begin_request(block, operation == O_SYNC ? REQUEST_SYNC : REQUEST_DATASYNC, NULL);
}
ALSO_CALLED(aio_fsync, aio_fsync64);

INTERPOSE int aio_cancel(int fd, struct aiocb *block)
{
    int result = AIO_ALLDONE;
    if (!block || block->aio_fildes == fd)
        result = cancel_requests(fd, block);
    return result == AIO_ALLDONE ? LATE(aio_cancel)(fd, block) : result;
}
ALSO_CALLED(aio_cancel, aio_cancel64);

INTERPOSE int aio_suspend(const struct aiocb *const blocks[], int count, const struct timespec *timeout)
{
    for (int i = 0; i < count; i++)
        if (blocks[i] && is_under_way(blocks[i]))
            return wait_for_any(blocks, count, timeout);
    return LATE(aio_suspend)(blocks, count, timeout);
}
ALSO_CALLED(aio_suspend, aio_suspend64);

/* A list with one of ours is carried out here as a whole, because somebody has to know when its last one is done. */
static int list_of_requests(int mode, struct aiocb *const blocks[], int count, const struct sigevent *notify)
{
    struct request_group *group = begin_group(mode == LIO_NOWAIT ? notify : NULL);
    bool failed = false;

    if (!group)
        return -1; /* EAGAIN */
    for (int i = 0; i < count; i++) {
        if (!blocks[i] || blocks[i]->aio_lio_opcode == LIO_NOP)
            continue;
        bool reads = blocks[i]->aio_lio_opcode == LIO_READ, writes = blocks[i]->aio_lio_opcode == LIO_WRITE;
        if (!reads && !writes) {
            refuse_request(blocks[i], EINVAL);
            failed = true;
        } else if (begin_request(blocks[i], reads ? REQUEST_READ : REQUEST_WRITE, group) < 0) {
            failed = true;
        }
    }
    int error = end_group(group, mode == LIO_WAIT);
    if (!error && failed)
        error = EIO;
    if (error)
        errno = error;
    return error ? -1 : 0;
}

INTERPOSE int lio_listio(int mode, struct aiocb *const blocks[restrict], int count, struct sigevent *restrict notify)
{
    if (mode == LIO_WAIT || mode == LIO_NOWAIT)
        for (int i = 0; i < count; i++)
            if (blocks[i] && blocks[i]->aio_lio_opcode != LIO_NOP && ours(blocks[i]))
                return list_of_requests(mode, blocks, count, notify);
    return LATE(lio_listio)(mode, blocks, count, notify);
}
ALSO_CALLED(lio_listio, lio_listio64);
