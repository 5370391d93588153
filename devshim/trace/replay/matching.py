"""Matching by meaning: what kind of call an event is, and whether a call of the program is the recorded one.

Pure functions; who may come before whom is the business of course.py.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence

from devshim.trace.event import Event, Segment

#: Whether a call is a recorded one.
Same = Callable[[Event, Event], bool]

#: What a call asks, whatever its place in the recording.
Key = tuple[int, int | None, tuple[Segment, ...] | None]


class Kind(enum.IntEnum):
    """What an event means for the order of the others.

    PASSIVE  nothing: the kernel answers it, or nobody asks for it again
    POLL     what poll and its kin were told; readiness follows from it
    READ     data that came; it waits for nobody but what the program did before
    QUERY    the program only asked, or was refused: it may do so more or less often, and earlier
    EXCHANGE it handed something in and got something back: it stays in its order, and may be done again
    COMMAND  it changed something, for all that can be seen
    """

    PASSIVE = 0
    POLL = 1
    READ = 2
    QUERY = 3
    EXCHANGE = 4
    COMMAND = 5


#: Looked up by these names, which is quicker than as an attribute of an enumeration.
PASSIVE, POLL, READ, QUERY, EXCHANGE, COMMAND = Kind


KINDS = {
    "open": PASSIVE, "inherit": PASSIVE, "close": PASSIVE, "mmap": PASSIVE,
    "flock": PASSIVE, "fcntl": PASSIVE, "fsync": PASSIVE, "fdatasync": PASSIVE,
    "ftruncate": PASSIVE, "poll": POLL, "read": READ, "pread": READ,
    "write": COMMAND, "pwrite": COMMAND, "lseek": EXCHANGE,
}  # fmt: skip

#: Open flags that are no concern of a device's.
INDIFFERENT = os.O_CLOEXEC | os.O_NOCTTY | os.O_LARGEFILE | os.O_NOFOLLOW | os.O_CREAT | os.O_TRUNC | 0o100000


def kind_of(event: Event) -> Kind:
    """What an event means for the order of the others."""
    if event.name != "ioctl":
        kind = KINDS.get(event.name, PASSIVE)
        return QUERY if kind == COMMAND and event.error is not None else kind
    if not event.finished:
        return PASSIVE
    if event.error is not None:
        return QUERY
    if event.new_file:
        return COMMAND
    told = event.after is not None or event.result != 0
    asked = event.before is not None or bool(event.argument)
    if told:
        return EXCHANGE if asked else QUERY
    return COMMAND


def same(recorded: Event, call: Event) -> bool:
    """Whether a call of the program is a recorded one: the same call with the same meaning of its arguments."""
    name = recorded.name
    if name != call.name:
        return False
    if name == "ioctl":
        return recorded.request == call.request and same_argument(recorded, call)
    if name == "write":
        return given(recorded) == call.data
    if name == "pwrite":
        return recorded.offset == call.offset and given(recorded) == call.data
    if name == "read":
        return recorded.size <= call.size or len(recorded.data) <= call.size
    if name == "pread":
        return recorded.offset == call.offset and recorded.size == call.size
    if name == "lseek":
        return recorded.offset == call.offset and recorded.operation == call.operation
    if name == "open":
        return same_open(recorded, call)
    return True


def same_on_input(same: Same) -> Same:
    """The comparison of calls, for an input device: the times of written events mean nothing (linux/input.h)."""

    def compare(recorded: Event, call: Event) -> bool:
        if same(recorded, call):
            return True
        return recorded.name == call.name == "write" and untimed(recorded.data) == untimed(call.data)

    return compare


def untimed(events: bytes) -> bytes:
    """Written input events (struct input_event: 16 bytes of time, 8 of what happened) without their times."""
    return b"".join(events[at + 16 : at + 24] for at in range(0, len(events), 24))


def same_open(recorded: Event, call: Event) -> bool:
    """Whether an open may be the recorded one: with the same access, or less where it was not refused."""
    if same_flags(recorded, call):
        return True
    access, wanted = recorded.flags & os.O_ACCMODE, call.flags & os.O_ACCMODE
    return recorded.error is None and access in (wanted, os.O_RDWR)


def same_flags(recorded: Event, call: Event) -> bool:
    """Whether two opens have the same flags, as far as these are a device's concern."""
    return recorded.flags & ~INDIFFERENT == call.flags & ~INDIFFERENT


def given(event: Event) -> bytes:
    """The bytes that a write handed in."""
    return event.data


def same_argument(recorded: Event, call: Event) -> bool:
    """Whether two ioctls hand in the same; what a trace does not know is not compared."""
    if recorded.argument is not None:
        if recorded.pointers or call.argument is None:
            return True
        return same_number(recorded.argument, call.argument)
    if recorded.before is None or call.before is None:
        return True
    if recorded.before == call.before:
        return True
    if len(recorded.before) != len(call.before):
        return False
    after = recorded.after or [None] * len(recorded.before)
    return all(
        same_segment(masked(one, offsets), masked(other, offsets), answer)
        for one, other, answer, offsets in zip(
            recorded.before, call.before, after, [recorded.pointers, *[()] * len(after)], strict=False
        )
    )


def same_number(one: int, other: int) -> bool:
    """Whether two arguments by value mean the same: an int leaves the upper half of its register undecided."""
    if one == other:
        return True
    narrow = all(number >> 32 in (0, 0xFFFFFFFF, -1) for number in (one, other))
    return narrow and (one ^ other) & 0xFFFFFFFF == 0


def same_segment(one: Segment, other: Segment, answer: Segment) -> bool:
    """Whether two runs of memory are equal, but for bytes that the device has overwritten.

    NULL is like nothing else, and an empty one says nothing.
    """
    if one == other:
        return True
    if one is None or other is None:
        return False
    if answer is None or len(one) != len(other):
        return one == b"" and not any(other)
    overwritten = all(a == b or a != c for a, b, c in zip(one, other, answer, strict=False))
    return overwritten and one[len(answer) :] == other[len(answer) :]


def masked(segment: Segment, offsets: Sequence[int]) -> Segment:
    """Memory without the words that look like pointers: they differ from run to run."""
    if not offsets or segment is None:
        return segment
    room = bytearray(segment)
    for offset in offsets:
        room[offset : offset + 8] = bytes(len(room[offset : offset + 8]))
    return bytes(room)


def key_of(event: Event) -> Key:
    """What an ioctl asks; equal keys ask the same."""
    argument, before, pointers = event.argument, event.before, event.pointers
    if pointers:
        argument = None
        before = before and [masked(before[0], pointers), *before[1:]]
    return event.request, argument, None if before is None else tuple(before)


def same_answer(one: Event, other: Event) -> bool:
    """Whether two events of one key were answered alike."""
    return (one.error, one.result, one.after) == (other.error, other.result, other.after)


def nearest(recorded: Sequence[Event], call: Event) -> Event | None:
    """Of events that came up next, the one that a call is most like; None where nothing is alike."""
    likely = [event for event in recorded if event.name == call.name]
    if call.name == "ioctl":
        likely = [event for event in likely if event.request == call.request] or likely
    return likely[0] if likely else None


def end_of(event: Event) -> float | None:
    """When a call returned, in seconds of the trace."""
    return None if event.time is None else event.time + (event.took or 0.0)


def time_out(poll: Event) -> float:
    """Seconds for which a poll waited in vain."""
    if poll.ready or not poll.timeout:
        return 0.0
    if poll.took is not None and poll.took < 0.9 * poll.timeout:
        return 0.0  # another file was ready
    return poll.timeout
