/* wrap_wide.c: wide characters on streams that know bytes alone. glibc's cookie streams, which stdio on a computed device
 * is made of, are such, and its wide functions crash on them: here they convert over the byte functions. */
#include "interposed.h"

#ifdef __GLIBC__

#include <errno.h>
#include <limits.h>
#include <wchar.h>

/* libio marks a stream without a wide side so (genops.c, _IO_no_init). */
static bool bytes_only(FILE *stream)
{
    return (intptr_t)stream->_wide_data == -1;
}

/* ---- Reading ---------------------------------------------------------------------------------------- */

static wint_t get(FILE *stream)
{
    mbstate_t state = { 0 };
    wchar_t wide;
    int byte;

    while ((byte = getc(stream)) != EOF) {
        char one = (char)byte;
        size_t used = mbrtowc(&wide, &one, 1, &state);
        if (used == (size_t)-1)
            return WEOF; /* EILSEQ */
        if (used != (size_t)-2)
            return (wint_t)wide;
    }
    if (!mbsinit(&state))
        errno = EILSEQ;
    return WEOF;
}

static wchar_t *get_line(wchar_t *line, int size, FILE *stream)
{
    int length = 0;
    wint_t wide = 0;

    while (length < size - 1 && wide != L'\n' && (wide = get(stream)) != WEOF)
        line[length++] = (wchar_t)wide;
    if (size <= 0 || (wide == WEOF && (length == 0 || ferror(stream))))
        return NULL;
    line[length] = L'\0';
    return line;
}

#define READS_ONE(name)                                                                            \
    INTERPOSE wint_t name(FILE *stream)                                                            \
    {                                                                                              \
        return bytes_only(stream) ? get(stream) : LATE(name)(stream);                              \
    }
READS_ONE(fgetwc)
READS_ONE(getwc)
READS_ONE(fgetwc_unlocked)
READS_ONE(getwc_unlocked)

#define READS_STDIN(name)                                                                          \
    INTERPOSE wint_t name(void)                                                                    \
    {                                                                                              \
        return bytes_only(stdin) ? get(stdin) : LATE(name)();                                      \
    }
READS_STDIN(getwchar)
READS_STDIN(getwchar_unlocked)

#define READS_LINE(name)                                                                           \
    INTERPOSE wchar_t *name(wchar_t *line, int size, FILE *stream)                                 \
    {                                                                                              \
        return bytes_only(stream) ? get_line(line, size, stream) : LATE(name)(line, size, stream); \
    }
READS_LINE(fgetws)
READS_LINE(fgetws_unlocked)

#define READS_LINE_CHECKED(name)                                                                   \
    INTERPOSE wchar_t *name(wchar_t *line, size_t room, int size, FILE *stream);                   \
    wchar_t *name(wchar_t *line, size_t room, int size, FILE *stream)                              \
    {                                                                                              \
        if (!bytes_only(stream) || (size > 0 && (size_t)size > room))                              \
            return LATE(name)(line, room, size, stream); /* it ends the program if it must */      \
        return get_line(line, size, stream);                                                       \
    }
READS_LINE_CHECKED(__fgetws_chk)
READS_LINE_CHECKED(__fgetws_unlocked_chk)

INTERPOSE wint_t ungetwc(wint_t wide, FILE *stream)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state = { 0 };

    if (!bytes_only(stream))
        return LATE(ungetwc)(wide, stream);
    if (wide == WEOF)
        return WEOF;
    size_t size = wcrtomb(bytes, (wchar_t)wide, &state);
    if (size == (size_t)-1)
        return WEOF;
    while (size > 0)
        if (ungetc((unsigned char)bytes[--size], stream) == EOF)
            return WEOF;
    return wide;
}

/* ---- Writing ---------------------------------------------------------------------------------------- */

static wint_t put(wchar_t wide, FILE *stream)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state = { 0 };
    size_t size = wcrtomb(bytes, wide, &state);

    return size != (size_t)-1 && fwrite(bytes, 1, size, stream) == size ? (wint_t)wide : WEOF;
}

static int put_all(const wchar_t *text, FILE *stream)
{
    for (; *text; text++)
        if (put(*text, stream) == WEOF)
            return -1;
    return 1;
}

#define WRITES_ONE(name)                                                                           \
    INTERPOSE wint_t name(wchar_t wide, FILE *stream)                                              \
    {                                                                                              \
        return bytes_only(stream) ? put(wide, stream) : LATE(name)(wide, stream);                  \
    }
WRITES_ONE(fputwc)
WRITES_ONE(putwc)
WRITES_ONE(fputwc_unlocked)
WRITES_ONE(putwc_unlocked)

#define WRITES_STDOUT(name)                                                                        \
    INTERPOSE wint_t name(wchar_t wide)                                                            \
    {                                                                                              \
        return bytes_only(stdout) ? put(wide, stdout) : LATE(name)(wide);                          \
    }
WRITES_STDOUT(putwchar)
WRITES_STDOUT(putwchar_unlocked)

#define WRITES_LINE(name)                                                                          \
    INTERPOSE int name(const wchar_t *text, FILE *stream)                                          \
    {                                                                                              \
        return bytes_only(stream) ? put_all(text, stream) : LATE(name)(text, stream);              \
    }
WRITES_LINE(fputws)
WRITES_LINE(fputws_unlocked)

/* ---- Formatted -------------------------------------------------------------------------------------- */

/* vswprintf does not say how much room it needs. */
static int put_formatted(FILE *stream, const wchar_t *format, va_list args)
{
    for (size_t room = 512; room <= 1 << 24; room *= 4) {
        wchar_t *text = malloc(room * sizeof *text);
        if (!text)
            return -1;
        va_list again;
        va_copy(again, args);
        int length = vswprintf(text, room, format, again);
        va_end(again);
        if (length >= 0 && put_all(text, stream) < 0)
            length = -2;
        free(text);
        if (length != -1)
            return length < 0 ? -1 : length;
    }
    return -1;
}

INTERPOSE int vfwprintf(FILE *stream, const wchar_t *format, va_list args)
{
    return bytes_only(stream) ? put_formatted(stream, format, args) : LATE(vfwprintf)(stream, format, args);
}

INTERPOSE int __vfwprintf_chk(FILE *stream, int flag, const wchar_t *format, va_list args);
int __vfwprintf_chk(FILE *stream, int flag, const wchar_t *format, va_list args)
{
    return bytes_only(stream) ? put_formatted(stream, format, args)
                              : LATE(__vfwprintf_chk)(stream, flag, format, args);
}

INTERPOSE int vwprintf(const wchar_t *format, va_list args)
{
    return vfwprintf(stdout, format, args);
}

INTERPOSE int __vwprintf_chk(int flag, const wchar_t *format, va_list args);
int __vwprintf_chk(int flag, const wchar_t *format, va_list args)
{
    return __vfwprintf_chk(stdout, flag, format, args);
}

/* The same with arguments that begin after `last`. */
#define WITH_ARGUMENTS(last, call)                                                                 \
    va_list args;                                                                                  \
    va_start(args, last);                                                                          \
    int length = call;                                                                             \
    va_end(args);                                                                                  \
    return length;

INTERPOSE int fwprintf(FILE *stream, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(format, vfwprintf(stream, format, args))
}

INTERPOSE int wprintf(const wchar_t *format, ...)
{
    WITH_ARGUMENTS(format, vfwprintf(stdout, format, args))
}

INTERPOSE int __fwprintf_chk(FILE *stream, int flag, const wchar_t *format, ...);
int __fwprintf_chk(FILE *stream, int flag, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(format, __vfwprintf_chk(stream, flag, format, args))
}

INTERPOSE int __wprintf_chk(int flag, const wchar_t *format, ...);
int __wprintf_chk(int flag, const wchar_t *format, ...)
{
    WITH_ARGUMENTS(format, __vfwprintf_chk(stdout, flag, format, args))
}

#endif
