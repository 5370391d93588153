/* actors.h: what the director, its actors and the images that they execute share, in one mapped file. */
#ifndef SOAK_ACTORS_H
#define SOAK_ACTORS_H

#include <stdint.h>
#include <sys/types.h>

enum { MOST_ACTORS = 24, MOST_VARS = 16, MOST_STEPS = 600, MOST_WORDS = 6, PASSED = 200 };

enum state { ABSENT = 0, IDLE, ORDERED, DONE };

struct step {
    int actor, op;
    long words[MOST_WORDS];
};

struct actor {
    uint32_t state; /* futex word */
    int process;    /* index of the process it lives in, where its variables are */
    pid_t pid, tid;
    int handled[2]; /* signals taken: the ending kind, the restarting kind */
    int step;
    long result, extra;
    int error;
    uint32_t crc;
};

struct stage {
    struct actor actors[MOST_ACTORS];
    int vars[MOST_ACTORS][MOST_VARS]; /* of each process: descriptors */
    int steps;
    struct step script[MOST_STEPS];
    char image[4096], path[4096]; /* of the interpreter, and of this file: for those who execute themselves */
};

extern struct stage *stage;

/* operations.c: one step by the calling thread; result, errno, checksum and extra go into the actor. */
void perform(struct actor *self, const struct step *step);
int operation(const char *word);
const char *operation_name(int op);
void prepare_memory(void);

/* What requests.c needs of it: each thread's room for data, and what is done with it. */
extern __thread uint8_t *room, *edge;
uint8_t *address(long kind);
void fill(uint8_t *at, size_t size, long seed);
uint32_t crc_of(const uint8_t *data, size_t size);
int var(const struct actor *self, long index);
long keep(const struct actor *self, long index, long fd);

/* requests.c */
long do_ioctl(struct actor *self, const struct step *step);
long do_echo(struct actor *self, const struct step *step);

/* actors.c */
void act(int index) __attribute__((noreturn));
long bring_to_life(int index, int process, const char *how);

#endif
