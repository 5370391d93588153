/* multiply.c: multiplies two matrices with the BLAS routine dgemm and prints the result. */
#include <stdio.h>

extern void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
                   const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
                   const int *ldc, unsigned long transa_length, unsigned long transb_length);

int main(void)
{
    double a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 7, 8, 9, 10, 11, 12 }, c[4] = { 1, 1, 1, 1 };
    int m = 2, n = 2, k = 3;
    double one = 1, half = 0.5;

    dgemm_("N", "N", &m, &n, &k, &one, a, &m, b, &k, &half, c, &m, 1, 1);
    printf("%g %g %g %g\n", c[0], c[1], c[2], c[3]);
    return 0;
}
