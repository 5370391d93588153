/* _pattern.c: reads lines of a trace that differ from one that was read strictly in the values of some members alone.
 *
 * Pattern(parts, kept): the parts of a line in their order, each either bytes, which stand in every such line, or a pair
 * of an attribute and the kind of value that stands there:
 *
 *     t   what is between the quotes of a JSON string of printable ASCII and the escapes \n \r \t \" \\: bytes
 *     h   hexadecimal digits, two a byte: bytes                     m   the same, as a list of this one
 *     u   a whole number from 0, of at most 18 digits: int          i   the same, or a negative one
 *     s   seconds with six decimals: bytes, as they stand there
 *     [   segments of memory between brackets, each null or hexadecimal digits between quotes: a list; how many is the
 *         third of the pair
 *
 * read(line) gives a copy of kept with the values of the line at their attributes; None where it is another line, or says
 * the same in another way: then only the strict way can tell. Two values of one attribute come as a tuple. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MOST_PARTS = 64, MOST_DIGITS = 18, MOST_SECONDS_DIGITS = 9, DECIMALS = 6 };

struct part {
    char kind;         /* 0: bytes */
    Py_ssize_t count;  /* of the bytes, or of segments */
    PyObject *of;      /* the bytes, or the attribute */
};

/* Where a value stands in the line. */
struct span {
    const char *begin, *end;
    bool escaped;
};

typedef struct {
    PyObject_HEAD
    PyObject *kept;
    int count;
    struct part parts[MOST_PARTS];
} Pattern;

/* ---- Finding where values stand: each returns what is behind one, NULL where it is not of the kind ------------------- */

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Whether all bytes are from 0x20 to 0x7e, eight at a time. */
static bool all_printable(const char *begin, const char *end)
{
    const uint64_t tops = 0x8080808080808080, ones = 0x0101010101010101, spaces = 0x2020202020202020;
    uint64_t word, wrong = 0;

    for (; end - begin >= 8; begin += 8) {
        memcpy(&word, begin, sizeof word);
        wrong |= word | (word + ones) | (word - spaces); /* who carries or borrows is wrong itself */
    }
    for (; begin < end; begin++)
        if (*begin < 0x20 || *begin > 0x7e)
            return false;
    return !(wrong & tops);
}

/* The quote that ends a text is the first without a backslash before it that counts. */
static const char *end_of_text(const char *at, const char *end, bool *escaped)
{
    const char *quote = memchr(at, '"', (size_t)(end - at));

    *escaped = quote && memchr(at, '\\', (size_t)(quote - at));
    if (!*escaped)
        return quote && all_printable(at, quote) ? quote : NULL;
    while (at < end && *at != '"') {
        if (*at == '\\' && (++at == end || !strchr("nrt\"\\", *at) || !*at))
            return NULL;
        if (*at < 0x20 || *at > 0x7e)
            return NULL;
        at++;
    }
    return at < end ? at : NULL;
}

/* Between quotes. Whether all that stands there are digits is seen when they are made bytes. */
static const char *end_of_hex(const char *at, const char *end)
{
    const char *quote = memchr(at, '"', (size_t)(end - at));
    return quote && (quote - at) % 2 == 0 ? quote : NULL;
}

static const char *end_of_natural(const char *at, const char *end, int most)
{
    const char *begin = at;
    while (at < end && is_digit(*at))
        at++;
    return at > begin && at - begin <= most && (*begin != '0' || at - begin == 1) ? at : NULL;
}

static const char *end_of_number(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    const char *behind = end_of_natural(at + negative, end, MOST_DIGITS);
    return negative && behind && at[1] == '0' ? NULL : behind;
}

static const char *end_of_seconds(const char *at, const char *end)
{
    at = end_of_natural(at, end, MOST_SECONDS_DIGITS);
    if (!at || end - at < 1 + DECIMALS || *at != '.')
        return NULL;
    for (int i = 0; i < DECIMALS; i++)
        if (!is_digit(*++at))
            return NULL;
    return at + 1;
}

/* Behind one segment; its digits are between the quotes. */
static const char *end_of_segment(const char *at, const char *end)
{
    if (end - at >= 4 && memcmp(at, "null", 4) == 0)
        return at + 4;
    if (at == end || *at != '"')
        return NULL;
    at = end_of_hex(at + 1, end);
    return at && at < end && *at == '"' ? at + 1 : NULL;
}

static const char *end_of_segments(const char *at, const char *end, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; at && i < count; i++) {
        const char *before = i == 0 ? "[" : ", ";
        size_t length = strlen(before);
        if ((size_t)(end - at) < length || memcmp(at, before, length) != 0)
            return NULL;
        at = end_of_segment(at + length, end);
    }
    return at && at < end && *at == ']' ? at + 1 : NULL;
}

static const char *end_of_value(const struct part *part, const char *at, const char *end, struct span *span)
{
    switch (part->kind) {
    case 't': return end_of_text(at, end, &span->escaped);
    case 'h':
    case 'm': return end_of_hex(at, end);
    case 'u': return end_of_natural(at, end, MOST_DIGITS);
    case 'i': return end_of_number(at, end);
    case 's': return end_of_seconds(at, end);
    default: return end_of_segments(at, end, part->count);
    }
}

/* Whether the whole line is of this pattern, and where its values stand. */
static bool matches(const Pattern *self, const char *at, const char *end, struct span *spans)
{
    for (int i = 0; i < self->count; i++) {
        const struct part *part = &self->parts[i];
        if (part->kind == 0) {
            if (end - at < part->count || memcmp(at, PyBytes_AsString(part->of), (size_t)part->count) != 0)
                return false;
            at += part->count;
            continue;
        }
        spans[i].begin = at;
        if (!(at = end_of_value(part, at, end, &spans[i])))
            return false;
        spans[i].end = at;
    }
    return at == end;
}

/* ---- Values: NULL without an exception where it is none after all ---------------------------------------------------- */

/* One more than what a hexadecimal digit is worth. */
static const unsigned char from_hex[256] = {
    ['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ['a'] = 11, 12, 13, 14, 15, 16,
};

static PyObject *bytes_of_text(const struct span *span)
{
    if (!span->escaped)
        return PyBytes_FromStringAndSize(span->begin, span->end - span->begin);
    Py_ssize_t length = 0;
    for (const char *at = span->begin; at < span->end; at++, length++)
        at += *at == '\\';
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    char *to = bytes ? PyBytes_AsString(bytes) : NULL;
    for (const char *at = span->begin; to && at < span->end; at++)
        if (*at != '\\')
            *to++ = *at;
        else
            *to++ = *++at == 'n' ? '\n' : *at == 'r' ? '\r' : *at == 't' ? '\t' : *at;
    return bytes;
}

static PyObject *bytes_of_hex(const char *at, const char *end)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (end - at) / 2);
    char *to = bytes ? PyBytes_AsString(bytes) : NULL;
    unsigned wrong = 0;

    for (; to && at < end; at += 2) {
        unsigned high = from_hex[(unsigned char)at[0]] - 1u, low = from_hex[(unsigned char)at[1]] - 1u;
        *to++ = (char)(high << 4 | low);
        wrong |= high | low; /* has high bits where one was none */
    }
    if (wrong > 15)
        Py_CLEAR(bytes);
    return bytes;
}

static int64_t number_in(const struct span *span)
{
    bool negative = *span->begin == '-';
    int64_t number = 0;

    for (const char *at = span->begin + negative; at < span->end; at++)
        number = 10 * number + (*at - '0');
    return negative ? -number : number;
}

static PyObject *list_of_segments(const struct span *span, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    const char *at = span->begin + 1;

    for (Py_ssize_t i = 0; list && i < count; i++) {
        const char *behind = end_of_segment(at, span->end);
        PyObject *segment = *at == 'n' ? Py_NewRef(Py_None) : bytes_of_hex(at + 1, behind - 1);
        at = behind + 2;
        if (!segment || PyList_SetItem(list, i, segment) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *value_of(const struct part *part, const struct span *span)
{
    PyObject *bytes;

    switch (part->kind) {
    case 't': return bytes_of_text(span);
    case 'h': return bytes_of_hex(span->begin, span->end);
    case 'm':
        bytes = bytes_of_hex(span->begin, span->end);
        return bytes ? Py_BuildValue("[N]", bytes) : NULL;
    case 's': return PyBytes_FromStringAndSize(span->begin, span->end - span->begin);
    case '[': return list_of_segments(span, part->count);
    default: return PyLong_FromLongLong(number_in(span));
    }
}

/* The value of a part, or of two that follow each other with the same attribute and bytes between them. */
static PyObject *value_at(const Pattern *self, const struct span *spans, int *index)
{
    int i = *index;
    PyObject *value = value_of(&self->parts[i], &spans[i]);

    if (i + 2 >= self->count || self->parts[i + 2].kind == 0 || self->parts[i + 2].of != self->parts[i].of)
        return value;
    *index = i + 2;
    PyObject *second = value ? value_of(&self->parts[i + 2], &spans[i + 2]) : NULL;
    PyObject *both = second ? PyTuple_Pack(2, value, second) : NULL;
    Py_XDECREF(value);
    Py_XDECREF(second);
    return both;
}

static PyObject *Pattern_read(PyObject *object, PyObject *line)
{
    const Pattern *self = (const Pattern *)object;
    struct span spans[MOST_PARTS];
    Py_ssize_t size;
    char *text;

    if (PyBytes_AsStringAndSize(line, &text, &size) < 0)
        return NULL;
    if (!matches(self, text, text + size, spans))
        Py_RETURN_NONE;
    PyObject *members = PyDict_Copy(self->kept);
    for (int i = 0; members && i < self->count; i++) {
        if (self->parts[i].kind == 0)
            continue;
        PyObject *attribute = self->parts[i].of, *value = value_at(self, spans, &i);
        if (!value || PyDict_SetItem(members, attribute, value) < 0)
            Py_CLEAR(members);
        Py_XDECREF(value);
    }
    if (!members && !PyErr_Occurred())
        Py_RETURN_NONE;
    return members;
}

/* ---- The type -------------------------------------------------------------------------------------------------------- */

/* False with an exception where it is no part. */
static bool take_part(Pattern *self, PyObject *given)
{
    struct part part = { .kind = 0 };
    const char *kind = NULL;

    if (self->count == MOST_PARTS) {
        PyErr_SetString(PyExc_ValueError, "too many parts");
        return false;
    }
    if (PyBytes_Check(given)) {
        part.of = Py_NewRef(given);
        part.count = PyBytes_Size(given);
    } else if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a part is bytes or a tuple");
        return false;
    } else {
        if (!PyArg_ParseTuple(given, "Us|n", &part.of, &kind, &part.count))
            return false;
        if (strlen(kind) != 1 || !strchr("thmuis[", *kind) || part.count < (*kind == '[')) {
            PyErr_Format(PyExc_ValueError, "no kind of value: %s", kind);
            return false;
        }
        part.kind = *kind;
        Py_INCREF(part.of);
        PyUnicode_InternInPlace(&part.of);
    }
    self->parts[self->count++] = part;
    return true;
}

static int Pattern_init(PyObject *object, PyObject *args, PyObject *names)
{
    Pattern *self = (Pattern *)object;
    PyObject *parts, *kept;

    (void)names;
    if (!PyArg_ParseTuple(args, "OO!", &parts, &PyDict_Type, &kept))
        return -1;
    if (self->kept) {
        PyErr_SetString(PyExc_TypeError, "a pattern is made once");
        return -1;
    }
    self->kept = Py_NewRef(kept);
    PyObject *all = PySequence_Tuple(parts);
    bool well = all != NULL;
    for (Py_ssize_t i = 0; well && i < PyTuple_Size(all); i++)
        well = take_part(self, PyTuple_GetItem(all, i));
    Py_XDECREF(all);
    return well ? 0 : -1;
}

static void Pattern_dealloc(PyObject *object)
{
    Pattern *self = (Pattern *)object;
    PyTypeObject *type = Py_TYPE(object);

    Py_CLEAR(self->kept);
    while (self->count)
        Py_DECREF(self->parts[--self->count].of);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef Pattern_methods[] = {
    { "read", Pattern_read, METH_O, "read(line) -> kept, with what the line has; None where it is another." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot Pattern_slots[] = {
    { Py_tp_doc, "Pattern(parts, kept): lines that differ in some values alone." },
    { Py_tp_init, Pattern_init },
    { Py_tp_dealloc, Pattern_dealloc },
    { Py_tp_methods, Pattern_methods },
    { 0, NULL },
};

static PyType_Spec Pattern_spec = {
    "devshim.trace.format._pattern.Pattern", sizeof(Pattern), 0, Py_TPFLAGS_DEFAULT, Pattern_slots,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "devshim.trace.format._pattern", .m_size = -1,
    .m_doc = "Lines of a trace that are like others, read in C.",
};

PyMODINIT_FUNC PyInit__pattern(void);
PyMODINIT_FUNC PyInit__pattern(void)
{
    PyObject *module = PyModule_Create(&definition);
    PyObject *type = module ? PyType_FromSpec(&Pattern_spec) : NULL;

    if (!type || PyModule_AddObject(module, "Pattern", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(module);
        return NULL;
    }
    return module;
}
