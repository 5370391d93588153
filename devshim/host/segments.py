"""The form in which an ioctl's argument travels: struct segments, heads, bytes (shim/wire.h).

What comes from a program is hostile: whatever the shim cannot have sent raises ValueError.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from devshim.model.argument import Place

SEGMENTS = struct.Struct("<2I")  # count, reserved
SEGMENT = struct.Struct("<6I")  # at, length, flags, from, to, reserved
SEGMENT_NULL, SEGMENT_WRITE = 1, 2
MOST_SEGMENTS = 256
FLAT_AT = SEGMENTS.size + SEGMENT.size


class Segment(NamedTuple):
    """One run of the program's bytes, as it lies in the data."""

    at: int
    length: int
    null: bool


def parse(data: bytes) -> list[Segment]:
    """The segments that data holds: at least one, in order, apart, and inside it.  Raises ValueError."""
    if len(data) < FLAT_AT:
        raise ValueError(f"an argument of {len(data)} bytes is shorter than its heads")
    count, _ = SEGMENTS.unpack_from(data)
    end = SEGMENTS.size + count * SEGMENT.size
    if not 0 < count <= MOST_SEGMENTS or end > len(data):
        raise ValueError(f"{count} segments in {len(data)} bytes")
    segments: list[Segment] = []
    for at, length, flags, *_ in SEGMENT.iter_unpack(data[SEGMENTS.size : end]):
        if at < end or at + length > len(data):
            raise ValueError(f"segment {len(segments)}: {length} bytes at {at} of {len(data)}")
        if flags & ~SEGMENT_NULL or (flags and length):
            raise ValueError(f"segment {len(segments)}: flags {flags:#x} with {length} bytes")
        segments.append(Segment(at, length, bool(flags)))
        end = at + length
    return segments


def check_segment(segment: Segment, place: Place, size: int, at: int, data: bytes) -> None:
    """Raise ValueError where a pointer's segment is not as long as its parent's element, at at, says."""
    pointer = place.pointer
    if pointer.is_string:
        if segment.length > pointer.most:
            raise ValueError(f"{place.path}: text of {segment.length} bytes, {pointer.most} at most")
        return
    if segment.null and pointer.optional:
        return
    if pointer.when is not None and not place.holds(data[at:]):
        if segment.length:
            raise ValueError(f"{place.path}: {segment.length} bytes behind what is no pointer there")
        return
    count = 1 if pointer.length is None else pointer.length
    if isinstance(count, (str, tuple)):
        where = at + place.length_offset
        value = int.from_bytes(data[where : where + place.length_width], "little")
        count = count[1].get(value, 0) if isinstance(count, tuple) else value
    if segment.length != count * size:
        raise ValueError(f"{place.path}: {segment.length} bytes instead of {count} elements of {size}")


def element_numbers(group: list[Segment], size: int) -> list[int]:
    """For each segment of a step, how many elements the ones before it have."""
    numbers, count = [], 0
    for segment in group:
        numbers.append(count)
        count += segment.length // size
    return numbers


def changed(data: bytes, room: bytearray, segment: Segment) -> tuple[int, int]:
    """The range [from, to) of a segment in which room differs from data; (0, 0) where it does not."""
    before = data[segment.at : segment.at + segment.length]
    after = bytes(room[segment.at : segment.at + segment.length])
    if before == after:
        return 0, 0
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
