/* cosine.c: a library that asks another one. */
#include <math.h>

volatile double zero;

double cosine(void)
{
    return cos(zero);
}
