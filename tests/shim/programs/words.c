/* words.c: says what wordexp() makes of words, alone and after two that were there before. words WORDS... */
#include <wordexp.h>

#include "check.h"

static void expand(const char *words, wordexp_t *found, int flags)
{
    int result = wordexp(words, found, flags | WRDE_UNDEF);

    printf("%s: %d", words, result);
    for (size_t i = 0; result == 0 && i < found->we_wordc; i++)
        printf(" <%s>", found->we_wordv[found->we_offs + i]);
    putchar('\n');
    CHECK(result != 0 || !found->we_wordv[found->we_offs + found->we_wordc]);
    if (result == 0)
        wordfree(found);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        wordexp_t found = { .we_offs = 0 }, more = { .we_offs = 1 }; /* after an error of one that appends glibc's are void */
        expand(argv[i], &found, 0);
        if (wordexp(argv[i], &found, WRDE_UNDEF) != 0)
            continue;
        wordfree(&found);
        CHECK(wordexp("before '*'", &more, WRDE_DOOFFS) == 0);
        expand(argv[i], &more, WRDE_DOOFFS | WRDE_APPEND);
    }
    return 0;
}
