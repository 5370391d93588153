/* misses.h: nodes that the program asks for and nobody plugged. */
#ifndef DEVSHIM_MISSES_H
#define DEVSHIM_MISSES_H

/* --deny and --only-plugged: the errno with which the host refuses a real node, or 0. */
int refuse_unplugged(int dirfd, const char *path);

/* Tell the host, once for each path, that the program opened a real node or missed one (error). Keeps errno. */
void note_unplugged(const char *path, int error);

#endif
