/* own_lseek.c: a library with an lseek() that ends the program with 77; with -DOLD under a version which nobody gets who does
 * not ask for it. */
#include <sys/types.h>
#include <unistd.h>

#ifdef OLD
#define lseek old_lseek
__asm__(".symver old_lseek, lseek@OLD");
#endif

off_t lseek(int fd, off_t offset, int whence);
off_t lseek(int fd, off_t offset, int whence)
{
    (void)fd, (void)offset, (void)whence;
    _exit(77);
}
