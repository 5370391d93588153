/* aio.c: aio(7) on what answers at once: alone, in lists beside an ordinary file, with both kinds of notice. aio NODE FILE */
#define _GNU_SOURCE
#include <aio.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>

#include "check.h"

static atomic_int by_signal, by_thread;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    by_signal += info->si_code == SI_ASYNCIO && info->si_value.sival_int == 7;
}

static void on_thread(union sigval value)
{
    by_thread += value.sival_int;
}

static void wait_for(const struct aiocb *block)
{
    const struct aiocb *const list[] = { NULL, block };
    while (aio_error(block) == EINPROGRESS)
        CHECK(aio_suspend(list, 2, NULL) == 0 || errno == EINTR);
}

int main(int argc, char **argv)
{
    char bytes[8], others[8], ordinary[8];
    CHECK(argc == 3);
    int device = open(argv[1], O_RDWR), reader = open(argv[1], O_RDONLY), file = open(argv[2], O_RDWR | O_CREAT, 0600);
    CHECK(device >= 0 && reader >= 0 && write(file, "ordinary", 8) == 8);
    CHECK(sigaction(SIGUSR1, &(struct sigaction){ .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO }, NULL) == 0);

    struct aiocb read_one = { .aio_fildes = device, .aio_buf = bytes, .aio_nbytes = 8 };
    read_one.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    read_one.aio_sigevent.sigev_signo = SIGUSR1;
    read_one.aio_sigevent.sigev_value.sival_int = 7;
    CHECK(aio_read(&read_one) == 0);
    wait_for(&read_one);
    CHECK(aio_error(&read_one) == 0 && aio_return(&read_one) == 8);
    UNTIL(by_signal == 1);

    struct aiocb write_one = { .aio_fildes = reader, .aio_buf = bytes, .aio_nbytes = 4 };
    write_one.aio_sigevent.sigev_notify = SIGEV_THREAD;
    write_one.aio_sigevent.sigev_notify_function = on_thread;
    write_one.aio_sigevent.sigev_value.sival_int = 3;
    CHECK(aio_write(&write_one) == 0);
    wait_for(&write_one);
    CHECK(aio_error(&write_one) == EBADF && aio_return(&write_one) == -1); /* open for reading alone */
    UNTIL(by_thread == 3);

    struct aiocb in = { .aio_fildes = device, .aio_buf = others, .aio_nbytes = 8, .aio_lio_opcode = LIO_READ };
    struct aiocb out = { .aio_fildes = device, .aio_buf = bytes, .aio_nbytes = 5, .aio_lio_opcode = LIO_WRITE };
    struct aiocb from = { .aio_fildes = file, .aio_buf = ordinary, .aio_nbytes = 8, .aio_lio_opcode = LIO_READ };
    struct aiocb nothing = { .aio_lio_opcode = LIO_NOP }, *all[] = { &in, NULL, &out, &nothing, &from };
    CHECK(lio_listio(LIO_WAIT, all, 5, NULL) == 0);
    CHECK(aio_return(&in) == 8 && aio_return(&out) == 5 && aio_return(&from) == 8 && memcmp(ordinary, "ordinary", 8) == 0);
    CHECK(memcmp(bytes, others, 8) == 0);

    struct sigevent end = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 7 };
    CHECK(lio_listio(LIO_NOWAIT, all, 5, &end) == 0);
    UNTIL(by_signal == 2);
    CHECK(aio_error(&in) == 0 && aio_error(&out) == 0 && aio_error(&from) == 0);
    out.aio_fildes = reader;
    CHECK(lio_listio(LIO_WAIT, all, 5, NULL) == -1 && errno == EIO && aio_error(&out) == EBADF && aio_error(&in) == 0);

    in.aio_reqprio = -1;
    CHECK(aio_read(&in) == -1 && errno == EINVAL);
    CHECK(aio_cancel(device, NULL) == AIO_ALLDONE && aio_cancel(device, &out) == -1 && errno == EINVAL);
    CHECK(aio_fsync(77, &in) == -1 && errno == EINVAL);
    return 0;
}
