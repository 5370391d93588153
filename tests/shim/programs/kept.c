/* kept.c: what one call names, the answer to a later one fills.
 * kept NODE: ORDER names a buffer, FETCH waits until one is filled and gives back the order's address. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

struct order {
    unsigned length;
    unsigned done;
    unsigned char *data;
};
#define ORDER _IOW('K', 1, struct order)
#define FETCH _IOR('K', 2, struct order *)

enum { MANY = 3 << 20 };

static int fd;
static unsigned char buffer[MANY + 8];

static int is_filled(const struct order *order)
{
    for (unsigned i = 0; i < order->length; i++)
        if (order->data[i] != (order->length + i) % 251)
            return 0;
    return order->done == order->length;
}

static void *fetch(void *unused)
{
    struct order *fetched = NULL;
    (void)unused;
    return ioctl(fd, FETCH, &fetched) == 0 ? fetched : NULL;
}

static void in_order(void)
{
    unsigned char first[5], second[300];
    struct order orders[] = { { sizeof first, 0, first }, { sizeof second, 0, second } };

    memset(second, 9, sizeof second);
    CHECK(ioctl(fd, ORDER, &orders[0]) == 0 && ioctl(fd, ORDER, &orders[1]) == 0);
    CHECK(orders[0].done == 0 && second[7] == 9);
    CHECK(fetch(NULL) == &orders[0] && is_filled(&orders[0]) && orders[1].done == 0 && second[7] == 9);
    CHECK(fetch(NULL) == &orders[1] && is_filled(&orders[1]));
}

static void by_another_thread(void)
{
    unsigned char data[64];
    struct order order = { sizeof data, 0, data };
    pthread_t thread;
    void *fetched;

    CHECK(pthread_create(&thread, NULL, fetch, NULL) == 0);
    CHECK(ioctl(fd, ORDER, &order) == 0);
    CHECK(pthread_join(thread, &fetched) == 0 && fetched == &order && is_filled(&order));
}

static void large(void)
{
    struct order order = { MANY, 0, buffer };

    buffer[MANY] = 77;
    CHECK(ioctl(fd, ORDER, &order) == 0);
    CHECK(fetch(NULL) == &order && is_filled(&order) && buffer[MANY] == 77);
}

/* The memory of who fetches is filled, at the same address. */
static void by_a_child(void)
{
    unsigned char data[10] = "unchanged";
    struct order order = { sizeof data, 0, data };
    int status;

    CHECK(ioctl(fd, ORDER, &order) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(fetch(NULL) == &order && is_filled(&order) ? 0 : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(order.done == 0 && strcmp((char *)data, "unchanged") == 0);
}

static void gone(void)
{
    unsigned char here[8];
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct order first = { 100, 0, page }, second = { sizeof here, 0, here }, *fetched;

    CHECK(ioctl(fd, ORDER, &first) == 0 && ioctl(fd, ORDER, &second) == 0);
    CHECK(munmap(page, 4096) == 0);
    CHECK(ioctl(fd, FETCH, &fetched) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, FETCH, &fetched) == 0 && fetched == &second && is_filled(&second));
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 && (fd = open(argv[1], O_RDWR)) >= 0);
    in_order();
    by_another_thread();
    large();
    by_a_child();
    gone();
    return 0;
}
