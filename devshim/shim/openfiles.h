/* openfiles.h: while a run is recorded: which open file a descriptor stands for, by the number that it has in the trace. */
#ifndef DEVSHIM_OPENFILES_H
#define DEVSHIM_OPENFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define LONGEST_FILES_TEXT 2048

/* The number of the file behind a descriptor of this device, or 0 where it was not seen to be opened. */
uint32_t file_number(int fd, uint32_t device);

/* A number for a file that is met for the first time. */
uint32_t new_file_number(void);

/* A descriptor stands for a file of a device. inode: 0, or what an anonymous one must have to be it. */
void enter_file(int fd, uint32_t number, uint32_t device, uint64_t inode);

/* Another run has begun: forget all files of the last one. */
void forget_files(void);

/* dup and its kin. */
void copy_file(int to, int from);

/* The descriptor is about to be closed. */
void forget_file(int fd);

/* The carrier that stands for an anonymous inode behind a descriptor, if an ioctl on a recorded device opened that. */
const struct carrier *anonymous_carrier(int fd, uint64_t inode);

/* All that is known, as the text that an exec hands on; false where there is nothing. And back. */
bool write_files(char text[LONGEST_FILES_TEXT], uint32_t process, long pid);
void read_files(const char *text, uint32_t *process, long *pid);

#endif
