/* record_ioctl.c: writes into the ring what passes in an ioctl: the memory behind its argument before and after. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "arguments.h"
#include "calls.h"
#include "memory.h"
#include "openfiles.h"
#include "record_parts.h"

enum { FIRST_ROOM = 8192 - sizeof(struct record), PROBED_WORDS = 64 };

#define LOWEST_ADDRESS 0x10000u /* nothing is mapped below it (vm.mmap_min_addr) */
#define NO_SMALL_NUMBER (1ull << 32) /* what a driver answers may well be the address of something by chance */

static uint8_t *data_of(struct record *record)
{
    return (uint8_t *)(record + 1);
}

/* By the model, or by the kernel. */
static int ioctl_as_ever(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument)
{
    return is_hardware(carrier) ? real.ioctl(fd, request, argument) : device_ioctl(carrier, fd, request, argument);
}

static void describe(struct argument *walk, const struct carrier *carrier, unsigned long request, uintptr_t argument)
{
    uint32_t ioctls = device_of(carrier)->ioctls;

    describe_argument(walk, registry_text(ioctls), (uint32_t)request, argument, ioctls != 0);
    if (walk->entry.flags == IOCTL_NATIVE) /* the carrier's own, of which nothing is known but its number */
        describe_argument(walk, registry_text(ioctls), (uint32_t)request, argument, false);
}

/* In a function of its own, because the walk is large and a signal handler's stack small. */
static __attribute__((noinline)) struct ioctl_entry entry_of(const struct carrier *carrier, unsigned long request,
                                                             uintptr_t argument, bool *described)
{
    struct argument walk;

    describe(&walk, carrier, request, argument);
    *described = walk.described;
    return walk.entry;
}

/* ---- What looks like a pointer ------------------------------------------------------------------------ */

static bool is_mapped(uint64_t word)
{
    char byte;
    return word >= LOWEST_ADDRESS && word < 1ull << 47 && copy_from_target(&byte, (uintptr_t)word, 1);
}

/* A bit for each of the first words that are addresses of something. */
static uint64_t pointers_in(const uint8_t *bytes, size_t size, uint64_t lowest)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < PROBED_WORDS && (i + 1) * sizeof(uint64_t) <= size; i++) {
        uint64_t word;
        memcpy(&word, bytes + i * sizeof word, sizeof word);
        if (word >= lowest && is_mapped(word))
            found |= 1ull << i;
    }
    return found;
}

/* ---- Files that it opened ----------------------------------------------------------------------------- */

/* The new descriptor gets a number: a model's has a carrier of its own, the kernel's an anonymous inode. */
static uint32_t enter_new_file(const struct carrier *carrier, const struct ioctl_entry *entry, uintptr_t argument, int result)
{
    struct stat status;
    int fd = result;

    if (!(entry->flags & IOCTL_OPENS) || result < 0)
        return 0;
    if (entry->place != RESULT_PLACE && !copy_from_target(&fd, argument + entry->place, sizeof fd))
        return 0;
    if (fd < 0 || status_of_carrier(fd, &status) < 0)
        return 0;
    const struct carrier *own = find_carrier(status.st_dev, status.st_ino);
    uint32_t number = new_file_number();
    enter_file(watch(fd), number, own ? own->device : carrier->device, own ? 0 : status.st_ino);
    return number;
}

/* ---- Arguments without pointers ----------------------------------------------------------------------- */

static bool begin_flat(struct recording *call, const struct ioctl_entry *entry, bool described, unsigned long request,
                       uintptr_t argument)
{
    bool value = entry->flags & IOCTL_VALUE, in = !value && entry->flags & IOCTL_IN;
    uint32_t size = in ? entry->size : 0, heads = sizeof(struct segments) + sizeof(struct segment);
    uint32_t length = up_to_eight(sizeof(struct record) + (in ? heads + size : 0));
    struct record model = { .kind = RECORD_BEGIN, .first = (int64_t)(uint32_t)request, .second = (int64_t)argument };
    uint64_t position;

    if (value) {
        model.flags = RECORD_VALUE;
        model.third = !described && is_mapped(argument);
    } else if (entry->flags & IOCTL_OUT) {
        model.flags = RECORD_OUT;
    }
    struct record *record = begin_record(call, &model, length, &position);
    if (!record)
        return false;
    record->number = call->number = position;
    if (in) {
        struct segments *segments = (struct segments *)data_of(record);
        *segments = (struct segments){ .count = 1 };
        *(struct segment *)(segments + 1) = (struct segment){ .at = heads, .length = size };
        record->data = heads + size;
        if (!copy_in_use(data_of(record) + heads, argument, size)) {
            record->data = 0;
            record->flags |= RECORD_INCOMPLETE;
        } else if (!described) {
            record->third = (int64_t)pointers_in(data_of(record) + heads, size, LOWEST_ADDRESS);
        }
    }
    commit(record, position, length, length);
    return true;
}

static void end_flat(const struct recording *call, const struct ioctl_entry *entry, bool described, uintptr_t argument,
                     int result, uint32_t new_file)
{
    bool out = !(entry->flags & IOCTL_VALUE) && entry->flags & IOCTL_OUT && entry->size > 0;
    uint32_t heads = sizeof(struct segments) + sizeof(struct segment);
    uint32_t length = up_to_eight(sizeof(struct record) + (out ? heads + entry->size : 0));
    struct record model = { .kind = RECORD_END, .first = result, .second = entry->place, .error = result < 0 ? errno : 0,
                            .new_file = new_file };
    uint64_t position;
    struct record *record = begin_record(call, &model, length, &position);

    if (!record)
        return;
    if (out) {
        struct segments *segments = (struct segments *)data_of(record);
        *segments = (struct segments){ .count = 1 };
        *(struct segment *)(segments + 1)
            = (struct segment){ .at = heads, .length = entry->size, .flags = SEGMENT_WRITE };
        record->data = heads + entry->size;
        if (!copy_in_use(data_of(record) + heads, argument, entry->size)) {
            record->data = 0;
            record->flags |= result < 0 ? 0 : RECORD_INCOMPLETE;
        } else if (!described && !(entry->flags & IOCTL_IN)) { /* what was on the stack, where the driver wrote less */
            record->third = (int64_t)pointers_in(data_of(record) + heads, entry->size, NO_SMALL_NUMBER);
        }
    }
    commit(record, position, length, length);
}

/* ---- Arguments with pointers -------------------------------------------------------------------------- */

/* How much it will be is known only after the walk: what was reserved too much is given back. */
enum moment { BEFORE, AFTER, FOLLOWED };

static struct record *walk_into(const struct recording *call, const struct record *model, struct argument *walk,
                                enum moment moment, uint64_t *position, uint32_t *length, int64_t *used)
{
    uint32_t room = FIRST_ROOM;

    for (;;) {
        *length = up_to_eight(sizeof(struct record) + room);
        struct record *record = begin_record(call, model, *length, position);
        if (!record)
            return NULL;
        *used = moment == BEFORE  ? collect_argument_into(walk, data_of(record), room)
                : moment == AFTER ? collect_results_into(walk, data_of(record), room)
                                  : collect_followed_into(walk, data_of(record), room);
        uint32_t most = largest_record() - (uint32_t)sizeof(struct record) - 8;
        if (*used != -ENOMEM || room >= most)
            return record;
        record->kind = RECORD_PAD; /* too small: once more with all that there can be */
        commit(record, *position, *length, *length);
        room = most < LARGE_DATA + FIRST_ROOM ? most : LARGE_DATA + FIRST_ROOM;
    }
}

static bool append_walk(struct recording *call, const struct record *model, struct argument *walk, enum moment moment)
{
    uint64_t position;
    uint32_t length;
    int64_t used;
    struct record *record = walk_into(call, model, walk, moment, &position, &length, &used);

    if (!record)
        return false;
    if (moment == BEFORE)
        record->number = call->number = position;
    if (used < 0)
        record->flags |= RECORD_INCOMPLETE;
    record->data = used > 0 ? (uint32_t)used : 0;
    commit(record, position, length, up_to_eight(sizeof *record + record->data));
    return true;
}

static __attribute__((noinline)) int record_walked(struct recording *call, const struct carrier *carrier, int fd,
                                                   unsigned long request, uintptr_t argument)
{
    struct argument walk;
    struct record model = { .kind = RECORD_BEGIN, .flags = RECORD_OUT, .first = (int64_t)(uint32_t)request };

    describe(&walk, carrier, request, argument);
    bool begun = append_walk(call, &model, &walk, BEFORE);
    int result = ioctl_as_ever(carrier, fd, request, argument);
    uint32_t new_file = enter_new_file(carrier, &walk.entry, argument, result);
    if (begun) {
        model = (struct record){ .kind = RECORD_END, .first = result, .second = walk.entry.place,
                                 .error = result < 0 ? errno : 0, .new_file = new_file };
        append_walk(call, &model, &walk, AFTER);
    }
    return result;
}

/* The driver answers with an address: what lies there by now is part of its answer. */
static __attribute__((noinline)) int record_followed(struct recording *call, const struct carrier *carrier, int fd,
                                                     unsigned long request, uintptr_t argument)
{
    struct argument walk;

    describe(&walk, carrier, request, argument);
    bool begun = begin_flat(call, &walk.entry, true, request, argument);
    int result = ioctl_as_ever(carrier, fd, request, argument);
    struct record model = { .kind = RECORD_END, .first = result, .second = RESULT_PLACE, .error = result < 0 ? errno : 0 };
    if (!begun)
        return result;
    if (result < 0)
        end_flat(call, &(struct ioctl_entry){ .flags = IOCTL_VALUE, .place = RESULT_PLACE }, true, argument, result, 0);
    else
        append_walk(call, &model, &walk, FOLLOWED);
    return result;
}

int record_ioctl(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument)
{
    struct recording call = start_call(carrier, fd, CALL_IOCTL);
    bool described;
    struct ioctl_entry entry = entry_of(carrier, request, argument, &described);

    if (entry.flags & IOCTL_FOLLOWS)
        return record_followed(&call, carrier, fd, request, argument);
    if (entry.pointers && !(entry.flags & IOCTL_VALUE))
        return record_walked(&call, carrier, fd, request, argument);
    bool begun = begin_flat(&call, &entry, described, request, argument);
    int result = ioctl_as_ever(carrier, fd, request, argument);
    uint32_t new_file = enter_new_file(carrier, &entry, argument, result);
    if (begun)
        end_flat(&call, &entry, described, argument, result, new_file);
    return result;
}

int ioctl_on(const struct carrier *carrier, int fd, unsigned long request, uintptr_t argument)
{
    return is_recorded(carrier) && ring ? record_ioctl(carrier, fd, request, argument)
                                        : ioctl_as_ever(carrier, fd, request, argument);
}
