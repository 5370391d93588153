/* wrap_process.h: what start.c needs of wrap_process.c. */
#ifndef DEVSHIM_WRAP_PROCESS_H
#define DEVSHIM_WRAP_PROCESS_H

/* Keep LD_PRELOAD and DEVSHIM_RUN as they are now, for programs to be started later. */
void remember_environment(void);

#endif
