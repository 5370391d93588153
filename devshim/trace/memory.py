"""Memory of an ioctl in a trace: which of its segments each pointer leads to, and no address in it.

Segments stand as in traces/README.md: the argument, then, pointer by pointer in the order of the description, one for
each element of the segments that hold the pointer; None is a NULL.  In memory at the call's begin a segment that the
program does not hand in may be empty.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from devshim.model.argument import Place
from devshim.model.description import Description
from devshim.trace.event import Segment


class Lead:
    """One pointer in a segment: where its bytes are, and the number of the segment that it leads to (0: NULL)."""

    __slots__ = ("offset", "place", "target")

    def __init__(self, place: Place, offset: int, target: int) -> None:
        self.place = place
        self.offset = offset
        self.target = target


def leads(description: Description, memory: Sequence[Segment]) -> list[list[Lead]]:
    """The pointers of each segment.  memory is that of the call's begin.

    Raises ValueError where the memory has not as many segments as the description says.
    """
    found: list[list[Lead]] = [[] for _ in memory]
    if description.ctype is None or not memory:
        return found
    sizes = [ctypes.sizeof(description.ctype)]
    sizes += [ctypes.sizeof(step.place.pointer.element) for step in description.steps]
    groups = [range(1)]
    taken = 1
    for step in description.steps:
        first, size = taken, sizes[step.parent] or 1
        for parent in groups[step.parent]:
            held = memory[parent] or b""
            for at in range(0, len(held) // size * size, size):
                if taken >= len(memory):
                    raise ValueError(f"{description.label}: {len(memory)} segments are too few for its pointers")
                target = taken if memory[taken] is not None else 0
                if step.place.holds(held[at : at + size]):
                    found[parent].append(Lead(step.place, at + step.place.offset, target))
                taken += 1
        groups.append(range(first, taken))
    if taken != len(memory):
        raise ValueError(f"{description.label}: {len(memory)} segments instead of {taken}")
    return found


def without_addresses(
    description: Description, before: Sequence[Segment], after: Sequence[Segment] | None = None
) -> list[Segment]:
    """Memory as a trace has it: the bytes of each pointer are the number of its segment.

    before is the memory of the call's begin; after, where given, is what is changed and returned.
    """
    changed: list[Segment] = []
    for segment, pointers in zip(before if after is None else after, leads(description, before), strict=True):
        if segment and pointers:
            room = bytearray(segment)
            for lead in pointers:
                put(room, lead, lead.target.to_bytes(lead.place.width, "little"))
            segment = bytes(room)
        changed.append(segment)
    return changed


def with_addresses(
    description: Description, before: Sequence[Segment], answer: Sequence[Segment], given: Sequence[Segment]
) -> list[Segment]:
    """An answer from a trace as the program may get it: its pointers keep the bytes that the program gave.

    before is the recorded memory of the call's begin, given the program's own, of the same shape.
    """
    changed: list[Segment] = []
    for segment, pointers, own in zip(answer, leads(description, before), given, strict=True):
        if segment and pointers and own:
            room = bytearray(segment)
            for lead in pointers:
                put(room, lead, own[lead.offset : lead.offset + lead.place.width])
            segment = bytes(room)
        changed.append(segment)
    return changed


def put(room: bytearray, lead: Lead, data: bytes) -> None:
    """Write a pointer's bytes, as far as there is room for them."""
    if lead.place.width and len(data) == lead.place.width <= len(room) - lead.offset:
        room[lead.offset : lead.offset + lead.place.width] = data
