/* supervise.h: the supervisor of the engine `seccomp`: it does the caught system calls of programs without a shim, through
 * the shim's own wrappers, in a process of its own. There it may lock, allocate and print. */
#ifndef DEVSHIM_SUPERVISE_H
#define DEVSHIM_SUPERVISE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "registry.h"
#include "remote.h"

/* The machines whose system calls are known to filter.c and to the files beside this one. */
#if defined(__x86_64__) || defined(__aarch64__)
#define SUPERVISES 1
#endif

/* A caught call, and what its worker keeps from call to call. */
struct caught {
    struct remote remote;
    pid_t process;         /* of the thread that calls */
    long number;
    uint64_t arguments[6];
    uint64_t from;         /* the address of the instruction */
    bool elsewhere;        /* its name starts from a working directory of which the kernel does not know */
    pid_t known;           /* process of the pidfd; 0: none */
    int pidfd;
    char *room;            /* for data on its way */
    size_t room_size;
    struct iovec parts[IOV_MAX];
};

/* Answers besides a result and minus an errno. */
#define LEAVE INT64_MIN       /* the kernel shall do it */
#define SENT  (INT64_MIN + 1) /* answered already */

/* Serve the listener that comes over a socket, until nobody is left whose calls it gets; never returns.
 * (supervise_start.c) */
void supervise(int socket) __attribute__((noreturn));

/* Nobody is left. (supervise_start.c) */
void end_supervisor(void) __attribute__((noreturn));

/* Begin to answer the calls that come over a listener, in threads. (supervise.c) */
#define INTERRUPT SIGUSR1 /* what ends a wait; the only signal that is not blocked */
bool answer_calls_of(int listener);

/* Calls on names, those that change names, those on descriptors, those on where the caller is, and on watched directories;
 * LEAVE where it is none of them. (supervise_names.c, supervise_changes.c, supervise_files.c, supervise_places.c,
 * supervise_watches.c) */
int64_t call_on_name(struct caught *call);
int64_t call_on_changes(struct caught *call);
int64_t call_on_file(struct caught *call);
int64_t call_on_whereabouts(struct caught *call);
int64_t call_on_watch(struct caught *call);

/* A text in the caller's memory, with its NUL; room for ROUTE_PATH. False where it cannot be read. (supervise_names.c) */
bool read_name(uintptr_t at, char *name);

/* A name in the caller's memory, made absolute; room for ROUTE_PATH. False where it cannot be. (supervise_names.c) */
bool name_for(struct caught *call, int dirfd, uintptr_t path, char *name);

/* Whether "/" is another directory for the caller, so that its names are not ours. (supervise_names.c) */
bool has_other_root(const struct caught *call);

/* The text of a link of /proc, in room for ROUTE_PATH. (supervise_names.c) */
bool read_link(const char *link, char *text);

/* The caller's working directory where that is one of the run's tree, or was reached through one. (supervise_places.c) */
bool working_place(struct caught *call, char *path);

/* The caller's descriptor as one of ours, for close_loan(); -1 where it has none. *carrier: the plugged device's, or NULL. */
int borrow(struct caught *call, int fd, const struct carrier **carrier);
void close_loan(int fd);

/* Room for so many bytes, or NULL. */
void *room_for(struct caught *call, size_t size);

/* Who calls (supervise_who.c): the process of a thread, or 0 where that has gone. */
pid_t process_of(pid_t thread);

/* Whether the call came through a shim in the program itself, which has seen to it. */
bool came_through_shim(const struct caught *call);

/* A shim tells of itself. */
void note_presence(const struct caught *call);

/* A text of /proc, NUL-ended; its length, or -1. */
ssize_t read_text(const char *path, char *text, size_t size);

/* Why a call that waits must end: a signal is there for the thread. */
enum ending { GOES_ON, RESTARTS, INTERRUPTED };
enum ending ending_of(pid_t process, pid_t thread);

/* One line on stderr, marked as all that devshim says. */
void say(const char *text);

#endif
