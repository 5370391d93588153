/* wrap_wordexp.c: wordexp. Inside libc it never calls an exported glob, so what of the words is a pattern is kept from it,
 * and goes to ours once the words are known. Patterns in the values of variables, and beside commands, are libc's. */
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

#include "interposed.h"
#include "registry.h"

/* A pattern's characters while libc has the words, and as they are. */
static const char hidden[] = "\1\2\3", special[] = "*?[";

struct text {
    char *bytes;
    size_t length, room;
    bool failed;
};

static void append(struct text *text, char c)
{
    if (text->length + 1 >= text->room) {
        size_t more = 2 * text->room + 64;
        char *grown = text->failed ? NULL : realloc(text->bytes, more);
        text->failed = !grown;
        if (!grown)
            return;
        text->bytes = grown;
        text->room = more;
    }
    text->bytes[text->length++] = c;
    text->bytes[text->length] = '\0';
}

/* Whether it takes more than a look to tell what is a pattern: commands, braces, $[1+2], $*, $?. */
static bool is_involved(const char *words)
{
    for (const char *at = strchr(words, '$'); at; at = strchr(at + 1, '$'))
        if (at[1] && strchr("({[*?", at[1]))
            return true;
    return strpbrk(words, hidden) || strchr(words, '`');
}

/* Copy words with their pattern's characters hidden where they are not quoted. False where there are none, or where that
 * cannot be told. */
static bool hide(struct text *to, const char *words)
{
    char quote = 0;
    bool any = false;

    if (is_involved(words))
        return false;
    for (const char *at = words; *at; at++) {
        const char *found = quote ? NULL : strchr(special, *at);
        any |= found != NULL;
        append(to, found ? hidden[found - special] : *at);
        if (*at == '\\' && quote != '\'' && at[1])
            append(to, *++at);
        else if (*at == quote)
            quote = 0;
        else if (!quote && (*at == '\'' || *at == '"'))
            quote = *at;
    }
    return any && !to->failed;
}

/* Append a word to others so that wordexp() takes it for what it is. */
static void quote(struct text *to, const char *word)
{
    if (to->length)
        append(to, ' ');
    append(to, '\'');
    for (; *word; word++) {
        if (*word == '\'') {
            append(to, '\'');
            append(to, '\\');
            append(to, '\'');
        }
        append(to, *word);
    }
    append(to, '\'');
}

/* Append what a word stands for: the paths that match it, or itself. */
static void quote_matches(struct text *to, char *word)
{
    struct text pattern = { .bytes = NULL };
    bool any = false;
    glob_t found;

    for (char *at = word; *at; at++) {
        const char *is = strchr(hidden, *at);
        if (is)
            *at = special[is - hidden];
        else if (*at == '\\' || strchr(special, *at))
            append(&pattern, '\\');
        append(&pattern, *at);
        any |= is != NULL;
    }
    if (!any || pattern.failed || glob(pattern.bytes, 0, NULL, &found) != 0) {
        quote(to, word);
        to->failed |= pattern.failed;
    } else {
        for (size_t i = 0; i < found.gl_pathc; i++)
            quote(to, found.gl_pathv[i]);
        globfree(&found);
    }
    free(pattern.bytes);
}

INTERPOSE int wordexp(const char *restrict words, wordexp_t *restrict expanded, int flags)
{
    struct text masked = { .bytes = NULL }, quoted = { .bytes = NULL };
    wordexp_t known;

    START_ONCE();
    if (!registry || !hide(&masked, words)) {
        free(masked.bytes);
        return LATE(wordexp)(words, expanded, flags);
    }
    int result = LATE(wordexp)(masked.bytes, &known, flags & (WRDE_NOCMD | WRDE_SHOWERR | WRDE_UNDEF));
    if (result == 0) {
        for (size_t i = 0; i < known.we_wordc; i++)
            quote_matches(&quoted, known.we_wordv[i]);
        wordfree(&known);
    }
    if (result == 0)
        result = quoted.failed ? WRDE_NOSPACE : LATE(wordexp)(quoted.bytes ? quoted.bytes : "", expanded, flags);
    free(masked.bytes);
    free(quoted.bytes);
    return result;
}
