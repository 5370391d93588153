/* wrap_aio.h: requests of aio(7) that are carried out by threads of ours. */
#ifndef DEVSHIM_WRAP_AIO_H
#define DEVSHIM_WRAP_AIO_H

#include <aio.h>
#include <stdbool.h>

enum request_kind { REQUEST_READ, REQUEST_WRITE, REQUEST_SYNC, REQUEST_DATASYNC };

/* Requests whose common end somebody waits for, or is to be told of. */
struct request_group;

/* Put a request behind those on the same descriptor; group: NULL, or what it belongs to. Returns 0, or -1 with errno. */
int begin_request(struct aiocb *block, enum request_kind kind, struct request_group *group);

/* Let fork children begin without the requests of their parents. */
void forget_requests_in_children(void);

/* The request has failed before it began. */
void refuse_request(struct aiocb *block, int error);

/* Whether a request was begun here and is not over yet. */
bool is_under_way(const struct aiocb *block);

/* aio_cancel(3) for requests begun here: AIO_CANCELED, AIO_NOTCANCELED, or AIO_ALLDONE where there are none. */
int cancel_requests(int fd, const struct aiocb *block);

/* aio_suspend(3), where at least one request was begun here. */
int wait_for_any(const struct aiocb *const blocks[], int count, const struct timespec *timeout);

/* A group of requests to come; notify: NULL, or what to do at its end. NULL with errno where there is no memory. */
struct request_group *begin_group(const struct sigevent *notify);

/* No more requests will join. wait: until all are over; returns 0, EIO if one has failed, or EINTR. */
int end_group(struct request_group *group, bool wait);

#endif
