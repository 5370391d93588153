/* supervised.h: what a program with the shim in it says to the supervisor of a run with the engine `seccomp`, where there is
 * one: its calls through libc are the shim's business. */
#ifndef DEVSHIM_SUPERVISED_H
#define DEVSHIM_SUPERVISED_H

#include <stdbool.h>
#include <stdint.h>

/* fstat() of this: EBADF from the kernel, 0 from a supervisor. The buffer is a struct presence, empty where it only asks. */
#define PRESENCE_DESCRIPTOR (-0x64765368)

/* Fork children have it at the same place; what is executed next has not. */
struct presence {
    uint64_t mark[2];
    uint64_t low, high; /* libc's code: system calls from there went by the shim's wrappers */
    uint64_t room[32];  /* as much as fstat() could write, for those who look on */
};

#define PRESENCE_MARK { 0x8d3f5ae19c274b60u, 0x70616d6968737644u }

/* Where the supervisor keeps a caller's working directory that only the run has, and by what it is known there: the signal of
 * F_SETSIG, which stays with an open file. */
enum { PLACE_DESCRIPTOR = 1023, PLACE_SIGNAL = 33 };

/* Tell it, if there is one. Called once, by start(). */
void announce_presence(void);

/* Whether there is one: then it sees to all that this process executes. */
bool is_supervised(void);

#endif
