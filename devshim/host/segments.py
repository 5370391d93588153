"""The form in which an ioctl's argument travels: struct segments, heads, bytes (shim/wire.h).

What comes from a program is hostile: whatever the shim cannot have sent raises ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import itemgetter

from devshim.model.argument import Place

SEGMENTS = struct.Struct("<2I")  # count, kept
SEGMENT = struct.Struct("<6I")  # at, length, flags, from, to, reserved
KEPT = struct.Struct("<Q2I")  # address, length, next
SEGMENT_NULL, SEGMENT_WRITE = 1, 2
MOST_SEGMENTS = 256
FLAT_AT = SEGMENTS.size + SEGMENT.size


class Segment(tuple[int, int, bool]):
    """One run of the program's bytes: where it lies in the data, how long it is, and whether it is a NULL's."""

    at: int = property(itemgetter(0))  # type: ignore[assignment]
    length: int = property(itemgetter(1))  # type: ignore[assignment]
    null: bool = property(itemgetter(2))  # type: ignore[assignment]


def parse(data: bytes) -> list[Segment]:
    """The segments that data holds: at least one, in order, apart, and inside it.  Raises ValueError."""
    total = len(data)
    if total < FLAT_AT:
        raise ValueError(f"an argument of {total} bytes is shorter than its heads")
    count, _ = SEGMENTS.unpack_from(data)
    end = SEGMENTS.size + count * SEGMENT.size
    if not 0 < count <= MOST_SEGMENTS or end > total:
        raise ValueError(f"{count} segments in {total} bytes")
    segments: list[Segment] = []
    make = tuple.__new__  # what Segment() does, in a third of the time
    for at, length, flags, _, _, _ in SEGMENT.iter_unpack(data[SEGMENTS.size : end]):
        if at < end or at + length > total:
            raise ValueError(f"segment {len(segments)}: {length} bytes at {at} of {total}")
        if flags and (flags != SEGMENT_NULL or length):
            raise ValueError(f"segment {len(segments)}: flags {flags:#x} with {length} bytes")
        segments.append(make(Segment, (at, length, flags != 0)))
        end = at + length
    return segments


#: Bytes that are compared as one number; of more, memcmp() is faster.
SHORT = 256

UNSIGNED = {width: struct.Struct(code) for width, code in ((1, "<B"), (2, "<H"), (4, "<I"), (8, "<Q"))}

#: Raises ValueError where a pointer's segment is not as long as its parent's element says, which lies at so many bytes
#: of the data.
Check = Callable[[Segment, int, bytes], None]


def checker(place: Place, size: int) -> Check:
    """How to check the segments of one pointer, to elements of so many bytes."""
    pointer = place.pointer
    optional, conditional, counted = pointer.optional, pointer.when is not None, counter(place)

    def check_text(segment: Segment, at: int, data: bytes) -> None:
        if segment.length > pointer.most:
            raise ValueError(f"{place.path}: text of {segment.length} bytes, {pointer.most} at most")

    def check(segment: Segment, at: int, data: bytes) -> None:
        if optional and segment.null:
            return
        if conditional and not place.holds(data[at:]):
            if segment.length:
                raise ValueError(f"{place.path}: {segment.length} bytes behind what is no pointer there")
            return
        count = counted(data, at)
        if segment.length != count * size:
            raise ValueError(f"{place.path}: {segment.length} bytes instead of {count} elements of {size}")

    return check_text if pointer.is_string else check


def counter(place: Place) -> Callable[[bytes, int], int]:
    """How many elements there are behind a pointer of the parent's element at so many bytes of the data."""
    length, where = place.pointer.length, place.length_offset
    if not isinstance(length, (str, tuple)) or place.pointer.is_string:
        fixed = length if isinstance(length, int) else 1
        return lambda data, at: fixed
    read = UNSIGNED[place.length_width].unpack_from
    if isinstance(length, str):
        return lambda data, at: int(read(data, at + where)[0])
    table = length[1]
    return lambda data, at: table.get(read(data, at + where)[0], 0)


def changed(data: bytes, room: bytearray, segment: Segment) -> tuple[int, int]:
    """The range [from, to) of a segment in which room differs from data; (0, 0) where it does not."""
    at, length, _ = segment
    before = data[at : at + length]
    changed_to = room[at : at + length]
    if before == changed_to:
        return 0, 0
    if length <= SHORT:
        different = int.from_bytes(before, "big") ^ int.from_bytes(changed_to, "big")
        start = length - (different.bit_length() + 7) // 8
        return start, length - ((different & -different).bit_length() - 1) // 8
    after = bytes(changed_to)
    start = common(before, after)
    return start, len(before) - common(before[start:][::-1], after[start:][::-1])


def common(one: bytes, other: bytes) -> int:
    """How many leading bytes two different runs of one length have in common; halving, for memcmp is fast."""
    low, high = 0, len(one)
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low
