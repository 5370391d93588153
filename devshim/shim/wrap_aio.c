/* wrap_aio.c: aio(7). glibc's threads call their own read, which would find readiness tokens where a device computes:
 * there it is refused, as by a kernel without it. On a carrier that holds the data itself it works as ever. */
#include <aio.h>
#include <errno.h>

#include "calls.h"
#include "record.h"

static bool refused(const struct aiocb *request)
{
    if (!request)
        return false;
    if (recorded(request->aio_fildes) && is_hardware(recorded(request->aio_fildes)))
        lose_recording(recorded(request->aio_fildes), "aio");
    if (!answering(request->aio_fildes, DEVICE_READ | DEVICE_WRITE))
        return false;
    errno = ENOSYS;
    return true;
}

INTERPOSE int aio_read(struct aiocb *request)
{
    return refused(request) ? -1 : LATE(aio_read)(request);
}
ALSO_CALLED(aio_read, aio_read64);

INTERPOSE int aio_write(struct aiocb *request)
{
    return refused(request) ? -1 : LATE(aio_write)(request);
}
ALSO_CALLED(aio_write, aio_write64);

INTERPOSE int lio_listio(int mode, struct aiocb *const requests[restrict], int count, struct sigevent *restrict notify)
{
    for (int i = 0; i < count; i++)
        if (refused(requests[i]))
            return -1;
    return LATE(lio_listio)(mode, requests, count, notify);
}
ALSO_CALLED(lio_listio, lio_listio64);
