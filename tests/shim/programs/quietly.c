/* quietly.c: descriptors that change their file behind everybody's back, by system calls that no library sees. quietly ONE TWO:
 * devices whose reads differ. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"

static long quietly(long number, long first, long second, long third)
{
#ifdef __x86_64__
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = first, x1 __asm__("x1") = second, x2 __asm__("x2") = third;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#else
#error "how does a system call go here?"
#endif
}

static char first_byte(int fd)
{
    char byte = '?';
    return pread(fd, &byte, 1, 0) == 1 ? byte : '!';
}

static void check_descriptors(const char *one, const char *two)
{
    int a = open(one, O_RDWR), b = open(two, O_RDWR), kept = dup(a);
    CHECK(first_byte(a) == '1' && first_byte(b) == '2' && first_byte(a) == '1');

    CHECK(quietly(SYS_dup3, b, a, 0) == a);
    CHECK(first_byte(a) == '2' && first_byte(kept) == '1' && first_byte(a) == '2');
    CHECK(quietly(SYS_dup3, kept, a, 0) == a);
    CHECK(first_byte(a) == '1');

    CHECK(quietly(SYS_close, a, 0, 0) == 0);
    CHECK(first_byte(a) == '!' && errno == EBADF);
    int file = open("/proc/self/cmdline", O_RDONLY);
    CHECK(file == a && first_byte(a) != '1');
    CHECK(quietly(SYS_close, a, 0, 0) == 0);
    CHECK(quietly(SYS_close, kept, 0, 0) == 0);
    CHECK(open(two, O_RDWR) == a && first_byte(a) == '2');
}

/* What the child does with its descriptors happens in its parent's memory. */
static void check_vfork(const char *one, const char *two)
{
    int a = open(one, O_RDWR), b = open(two, O_RDWR), status;
    CHECK(first_byte(a) == '1' && first_byte(b) == '2');
    pid_t child = vfork();
    if (child == 0) {
        char byte = '?';
        _exit(dup2(b, a) == a && pread(a, &byte, 1, 0) == 1 && byte == '2' ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(first_byte(a) == '1' && first_byte(b) == '2');
}

/* More than there are tags. */
static void check_many(const char *one, const char *two)
{
    enum { MANY = 80 };
    int fds[MANY];

    for (int i = 0; i < MANY; i++)
        fds[i] = open(i & 1 ? two : one, O_RDWR);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++)
            CHECK(first_byte(fds[i]) == (i & 1 ? '2' : '1'));
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

/* A tag must not become a signal. */
static void check_signals(const char *one, const char *two)
{
    int a = open(one, O_RDWR), b = open(two, O_RDWR), on = 1;

    CHECK(fcntl(a, F_GETSIG) == 0 && fcntl(b, F_GETSIG) == 0);
    CHECK(fcntl(a, F_SETFL, fcntl(a, F_GETFL) | O_NONBLOCK) == 0 && fcntl(a, F_GETSIG) == 0);
    CHECK(fcntl(a, F_SETSIG, SIGRTMIN) == 0 && fcntl(a, F_GETSIG) == SIGRTMIN && first_byte(a) == '1');
    CHECK(fcntl(a, F_SETSIG, 0) == 0 && fcntl(a, F_GETSIG) == 0 && first_byte(a) == '1');
    CHECK(ioctl(b, FIOASYNC, &on) == 0);
    CHECK(quietly(SYS_fcntl, b, F_GETSIG, 0) == 0 && first_byte(b) == '2');
    b = open(two, O_RDWR);
    CHECK(fcntl(b, F_SETFL, O_ASYNC) == 0);
    CHECK(quietly(SYS_fcntl, b, F_GETSIG, 0) == 0 && fcntl(b, F_GETSIG) == 0 && first_byte(b) == '2');
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    check_descriptors(argv[1], argv[2]);
    check_vfork(argv[1], argv[2]);
    check_many(argv[1], argv[2]);
    check_signals(argv[1], argv[2]);
    return 0;
}
