/* arguments.c: carries an ioctl's argument, with all that its pointers point to, to the host and back.
 *
 * It knows no ioctl. The host compiled the model's descriptions into a table (wire.h), and this one loop
 * follows it. Addresses never leave the process: what comes back is only "write these bytes of segment n". */
#include "arguments.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "channel.h"
#include "memory.h"

static const struct ioctl_entry *entries_of(const struct ioctl_table *table)
{
    return (const struct ioctl_entry *)(table + 1);
}

static const struct ioctl_pointer *pointers_of(const struct ioctl_table *table)
{
    return (const struct ioctl_pointer *)(entries_of(table) + table->exact + table->patterns);
}

static const uint32_t *lengths_of(const struct ioctl_table *table)
{
    return (const uint32_t *)(pointers_of(table) + table->pointers);
}

static const struct ioctl_entry *find_entry(const struct ioctl_table *table, uint32_t request)
{
    const struct ioctl_entry *entries = entries_of(table);
    uint32_t low = 0, high = table->exact;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (entries[middle].request == request)
            return &entries[middle];
        if (entries[middle].request < request)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint32_t i = table->exact; i < table->exact + table->patterns; i++)
        if ((request & entries[i].mask) == entries[i].request)
            return &entries[i];
    return NULL;
}

/* _IOC_WRITE means that the program writes: the argument goes in. */
static struct ioctl_entry undescribed(uint32_t request)
{
    struct ioctl_entry entry = { .request = request, .size = _IOC_SIZE(request) };

    if (_IOC_DIR(request) & _IOC_WRITE)
        entry.flags |= IOCTL_IN;
    if (_IOC_DIR(request) & _IOC_READ)
        entry.flags |= IOCTL_OUT;
    if (entry.size == 0 || entry.flags == 0)
        entry.flags = IOCTL_VALUE;
    return entry;
}

bool describe_argument(struct argument *walk, const struct ioctl_table *table, uint32_t request,
                       uintptr_t address, bool described)
{
    const struct ioctl_entry *entry = described ? find_entry(table, request) : NULL;

    walk->table = table;
    walk->address = address;
    walk->described = entry != NULL;
    walk->entry = entry ? *entry : undescribed(request);
    walk->element = walk->entry.size;
    if (walk->entry.flags & IOCTL_SIZED)
        walk->entry.size = _IOC_SIZE(request);
    return !(walk->entry.flags & IOCTL_NATIVE);
}

static uint64_t number_at(const uint8_t *at, uint32_t width)
{
    uint64_t number = 0;
    memcpy(&number, at, width <= 8 ? width : 8); /* little-endian: the only byte order there is here so far */
    return number;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "number_at() reads little-endian members");

/* How many bytes a string has, with its NUL, at most limit; looked for page by page. */
static uint64_t string_length(uintptr_t address, uint64_t limit)
{
    char page[256];
    uint64_t length = 0;

    while (length < limit) {
        size_t piece = sizeof page - (address + length) % sizeof page;
        piece = piece < limit - length ? piece : (size_t)(limit - length);
        if (!copy_from_target(page, address + length, piece))
            return length + 1; /* so that collecting it answers EFAULT */
        const char *end = memchr(page, '\0', piece);
        if (end)
            return length + (uint64_t)(end - page) + 1;
        length += piece;
    }
    return limit;
}

static uint64_t bytes_behind(const struct argument *walk, const struct ioctl_pointer *pointer,
                             const uint8_t *element, uintptr_t address)
{
    uint64_t count = pointer->length;

    switch (pointer->length_kind) {
    case LENGTH_MEMBER:
        count = number_at(element + pointer->length_offset, pointer->length_width);
        break;
    case LENGTH_TABLE:
        count = number_at(element + pointer->length_offset, pointer->length_width);
        count = count < pointer->length_count ? lengths_of(walk->table)[pointer->length + count] : 0;
        break;
    case LENGTH_STRING:
        return address ? string_length(address, pointer->length) : 0;
    }
    return count > LARGE_DATA ? (uint64_t)LARGE_DATA + 1 : count * pointer->element;
}

/* Whether what lies there is a pointer at all: in a union another member may say that it is not. */
static bool is_pointer(const struct ioctl_pointer *pointer, const uint8_t *element)
{
    if (pointer->when_width == 0)
        return true;
    uint64_t number = number_at(element + pointer->when_offset, pointer->when_width);
    return number >= pointer->when_first && number <= pointer->when_last;
}

/* Where it leads; a flexible array lies where it stands. */
static uintptr_t address_in(const struct ioctl_pointer *pointer, const uint8_t *element, uintptr_t element_address)
{
    if (!is_pointer(pointer, element))
        return 0;
    if (pointer->width == 0)
        return element_address + pointer->offset;
    return (uintptr_t)number_at(element + pointer->offset, pointer->width);
}

/* The room in the slot: the heads of all segments first, then their bytes. Grown as the walk goes on; one without a
 * slot has a fixed size. */
struct room {
    struct slot *slot;
    uint8_t *base;
    uint32_t used, size;
};

/* Before the walk nobody knows how much it will be: what outgrows the slot moves to its large room. */
static bool grow(struct room *room, uint64_t more)
{
    if (room->used + more <= room->size)
        return true;
    if (!room->slot || room->slot->large || room->used + more > slot_limit(room->slot))
        return false;
    uint8_t *large = slot_data(room->slot, LARGE_DATA);
    memcpy(large, room->base, room->used);
    room->base = large;
    room->size = LARGE_DATA;
    return true;
}

static struct segment *head_at(const struct room *room, uint32_t index)
{
    return (struct segment *)(room->base + sizeof(struct segments)) + index;
}

/* Where the bytes begin: behind the heads, of which an argument without pointers has one. */
static uint32_t data_at(const struct ioctl_entry *entry)
{
    return (uint32_t)(sizeof(struct segments) + (entry->pointers ? MAX_SEGMENTS : 1) * sizeof(struct segment));
}

static int collect(struct argument *walk, struct room *room, uintptr_t address, uint64_t length, uint32_t access,
                   bool null)
{
    bool in = access & POINTER_IN;

    if (walk->count == MAX_SEGMENTS)
        return E2BIG;
    uint32_t at = (room->used + 7u) & ~7u;
    if (length > LARGE_DATA || !grow(room, at - room->used + length))
        return ENOMEM;
    if (in && !null && !copy_from_target(room->base + at, address, length))
        return EFAULT;
    if (!in)
        memset(room->base + at, 0, length);
    walk->segments[walk->count].address = address;
    walk->segments[walk->count].length = (uint32_t)length;
    walk->segments[walk->count].out = !null && (access & POINTER_OUT);
    *head_at(room, walk->count) = (struct segment){ .at = at, .length = (uint32_t)length,
                                                    .flags = null ? SEGMENT_NULL : 0 };
    walk->count++;
    room->used = at + (uint32_t)length;
    return 0;
}

/* One pointer of the description: a segment for each element of each of its parent's segments. */
static int collect_pointer(struct argument *walk, struct room *room, const struct ioctl_pointer *pointer,
                           uint32_t first_parent, uint32_t parents, uint32_t stride)
{
    for (uint32_t p = first_parent; p < first_parent + parents; p++) {
        uint32_t elements = stride ? head_at(room, p)->length / stride : 0;
        for (uint32_t e = 0; e < elements; e++) {
            const uint8_t *element = room->base + head_at(room, p)->at + (size_t)e * stride;
            uintptr_t address = address_in(pointer, element, walk->segments[p].address + (size_t)e * stride);
            uint64_t length = bytes_behind(walk, pointer, element, address);
            bool null = address == 0;

            if (null && length > 0 && !(pointer->flags & POINTER_OPTIONAL) && is_pointer(pointer, element))
                return EFAULT;
            int error = collect(walk, room, address, null ? 0 : length, pointer->flags, null);
            if (error)
                return error;
        }
    }
    return 0;
}

/* Room was left for as many heads as there can be: move the bytes up to those that there are. Returns the size of all. */
static uint32_t close_gap(struct room *room, uint32_t count, uint32_t data_at)
{
    uint32_t wanted = (uint32_t)(sizeof(struct segments) + count * sizeof(struct segment));

    memmove(room->base + wanted, room->base + data_at, room->used - data_at);
    for (uint32_t i = 0; i < count; i++)
        head_at(room, i)->at -= data_at - wanted;
    return room->used - (data_at - wanted);
}

/* All of an argument that is no value, into a room; 0 or the errno. after: the call has returned. */
static int collect_all(struct argument *walk, struct room *room, bool after)
{
    struct ioctl_entry shorter = walk->entry;
    const struct ioctl_entry *entry = &shorter;

    if (shorter.flags & IOCTL_FOLLOWS)
        shorter = (struct ioctl_entry){ .size = shorter.size, .first_pointer = shorter.first_pointer,
                                        .flags = after ? IOCTL_IN | IOCTL_OUT : shorter.flags,
                                        .pointers = after ? shorter.pointers : 0 };
    const struct ioctl_pointer *pointers = pointers_of(walk->table) + entry->first_pointer;
    uint32_t first[17] = { 0 }, count[17] = { 1 }, stride[17] = { walk->element };
    bool in = entry->flags & IOCTL_IN || entry->pointers > 0;
    uint32_t access = (in ? POINTER_IN : 0) | (entry->flags & IOCTL_OUT ? POINTER_OUT : 0);

    walk->count = 0;
    if (entry->pointers > 16)
        return E2BIG;
    int error = collect(walk, room, walk->address, entry->size, access, false);
    for (uint32_t i = 0; i < entry->pointers && !error; i++) {
        uint32_t parent = pointers[i].parent;
        first[i + 1] = walk->count;
        stride[i + 1] = pointers[i].element;
        error = collect_pointer(walk, room, &pointers[i], first[parent], count[parent], stride[parent]);
        count[i + 1] = walk->count - first[i + 1];
    }
    if (!error)
        *(struct segments *)room->base = (struct segments){ .count = walk->count };
    return error;
}

int collect_argument(struct argument *walk, struct slot *slot)
{
    walk->count = 0;
    slot->size = 0;
    if (walk->entry.flags & IOCTL_VALUE)
        return 0;

    struct room room = { .slot = slot, .used = data_at(&walk->entry), .size = SLOT_DATA };
    room.base = slot_data(slot, walk->entry.flags & IOCTL_FILLS ? slot_limit(slot) : 0);
    if (slot->large)
        room.size = LARGE_DATA;
    int error = collect_all(walk, &room, false);
    if (error)
        return error;
    slot->size = close_gap(&room, walk->count, data_at(&walk->entry));
    slot->room = slot->large ? LARGE_DATA : SLOT_DATA;
    return 0;
}

int64_t collect_argument_into(struct argument *walk, void *base, uint32_t size)
{
    struct room room = { .base = base, .used = data_at(&walk->entry), .size = size };

    if (room.used > size)
        return -ENOMEM;
    int error = collect_all(walk, &room, false);
    return error ? -error : (int64_t)close_gap(&room, walk->count, data_at(&walk->entry));
}

int64_t collect_followed_into(struct argument *walk, void *base, uint32_t size)
{
    struct room room = { .base = base, .used = data_at(&walk->entry), .size = size };

    if (room.used > size)
        return -ENOMEM;
    int error = collect_all(walk, &room, true);
    if (error)
        return -error;
    for (uint32_t i = 0; i < walk->count; i++)
        head_at(&room, i)->flags |= SEGMENT_WRITE;
    return close_gap(&room, walk->count, data_at(&walk->entry));
}

int64_t collect_results_into(const struct argument *walk, void *base, uint32_t size)
{
    struct room room = { .base = base, .size = size };
    bool any = false;

    room.used = (uint32_t)(sizeof(struct segments) + walk->count * sizeof(struct segment));
    if (room.used > size)
        return -ENOMEM;
    for (uint32_t i = 0; i < walk->count; i++) {
        bool out = walk->segments[i].out && walk->segments[i].length > 0;
        uint32_t length = out ? walk->segments[i].length : 0, at = (room.used + 7u) & ~7u;
        if (at + length > size)
            return -ENOMEM;
        if (!copy_from_target(room.base + at, walk->segments[i].address, length))
            return -EFAULT;
        *head_at(&room, i) = (struct segment){ .at = at, .length = length, .flags = out ? SEGMENT_WRITE : 0 };
        room.used = at + length;
        any |= out;
    }
    *(struct segments *)room.base = (struct segments){ .count = walk->count };
    return any ? room.used : 0;
}

/* Memory that earlier calls named. Each lies behind the one before, so that there is an end to them. */
static bool fill_kept(const uint8_t *base, uint32_t size)
{
    uint32_t next = ((const struct segments *)base)->kept;

    for (uint32_t at = 0; next > at;) {
        struct kept kept;
        at = next;
        if (at > size || size - at < sizeof kept)
            return false;
        memcpy(&kept, base + at, sizeof kept);
        if (kept.length > size - at - sizeof kept)
            return false;
        if (!copy_to_target((uintptr_t)kept.address, base + at + sizeof kept, kept.length))
            return false;
        next = kept.next;
    }
    return true;
}

bool return_argument(const struct argument *walk, const void *room, uint32_t size)
{
    const uint8_t *base = room;
    const struct segment *heads = (const struct segment *)(base + sizeof(struct segments));

    if (size < sizeof(struct segments) + walk->count * sizeof(struct segment))
        return false;
    for (uint32_t i = 0; i < walk->count; i++) {
        struct segment head = heads[i];
        if (!(head.flags & SEGMENT_WRITE))
            continue;
        if (head.from > head.to || head.to > walk->segments[i].length || head.at > size || head.to > size - head.at)
            return false;
        if (!copy_to_target(walk->segments[i].address + head.from, base + head.at + head.from, head.to - head.from))
            return false;
    }
    return fill_kept(base, size);
}
