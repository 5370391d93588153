"""The general way of an ioctl's argument: pointers, sizes in the number, runs of numbers, new descriptors inside."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any, NamedTuple

from devshim.host.returned import settle
from devshim.host.segments import (
    SEGMENT,
    SEGMENT_WRITE,
    SEGMENTS,
    Segment,
    changed,
    check_segment,
    element_numbers,
    parse,
)
from devshim.host.views import behind_pointer, sequence, single
from devshim.host.wire import NO_PLACE
from devshim.model.device import File, Special
from devshim.model.ioctl import Handler
from devshim.model.request import size_of

RESULT = NO_PLACE  #: the place of a new descriptor that is the call's result

#: result (or WAIT, or REAL), the bytes that go back, a new file, and the place of its descriptor in the argument.
Outcome = tuple[Any, bytes | None, File | None, int]


class Plan:
    """How one handler is called; `name` is looked up on the file each time, so that overriding works."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.name = handler.name

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Call the file's method; see call()."""
        raise NotImplementedError


class Received(NamedTuple):
    """An argument laid out in a room of its own: views into room are what the model changes."""

    room: bytearray
    groups: list[list[Segment]]  # of the argument, then of each step
    shown: Any


class General(Plan):
    """Any argument: pointers, sizes in the number, runs of numbers, new descriptors inside."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        self.sizes = [ctypes.sizeof(handler.ctype) if handler.ctype is not None else 0]
        self.sizes += [ctypes.sizeof(step.place.pointer.element) for step in handler.steps]
        self.children = [
            [child for child, step in enumerate(handler.steps, 1) if step.parent == parent]
            for parent in range(len(handler.steps) + 1)
        ]
        self.accesses = [handler.access, *(step.place.pointer.access for step in handler.steps)]

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Call the method with views of all segments, then mark what it changed."""
        handler = self.handler
        received = self.receive(request, data)
        arguments = () if handler.first is None else (handler.index(request),)
        if handler.access != "r":
            arguments = (*arguments, received.shown)
        returned = getattr(file, self.name)(*arguments)
        result, out, new = settle(file, handler, returned)
        if isinstance(result, Special):
            return result, None, None, RESULT
        place = RESULT if new is None or handler.place is None else handler.place
        stored = None if out is None else self.store(received, out)
        if result is None:
            result = stored
        return result, self.send(received, data, stored, place != RESULT), new, place

    def receive(self, request: int, data: bytes) -> Received:
        """Check the segments against the description and lay the argument out.

        Raises ValueError for what the shim cannot have sent, OSError(EINVAL) for a size that is no
        whole number of elements.
        """
        segments = parse(data)
        size = size_of(request) if self.handler.sized else self.sizes[0]
        if self.handler.sized and size % self.sizes[0]:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if segments[0].null or segments[0].length != size:
            raise ValueError(f"the argument has {segments[0].length} bytes instead of {size}")
        groups = self.group(segments, data)
        room = bytearray(data)
        return Received(room, groups, self.show(room, groups))

    def group(self, segments: list[Segment], data: bytes) -> list[list[Segment]]:
        """Deal the segments out to the steps: one for each element of each segment of the step's parent."""
        groups = [segments[:1]]
        taken = 1
        for number, step in enumerate(self.handler.steps, 1):
            mine: list[Segment] = []
            for parent in groups[step.parent]:
                for at in range(parent.at, parent.at + parent.length, self.sizes[step.parent] or 1):
                    if taken == len(segments):
                        raise ValueError(f"{len(segments)} segments are too few")
                    check_segment(segments[taken], step.place, self.sizes[number], at, data)
                    mine.append(segments[taken])
                    taken += 1
            groups.append(mine)
        if taken != len(segments):
            raise ValueError(f"{len(segments)} segments instead of {taken}")
        return groups

    def show(self, room: bytearray, groups: list[list[Segment]]) -> Any:
        """The views through which the model sees the argument."""
        starts = [element_numbers(group, size) for group, size in zip(groups, self.sizes, strict=True)]

        def behind(step: int, element: int) -> tuple[Any, ...]:
            return tuple(pointed(child, element) for child in self.children[step])

        def elements(step: int, index: int) -> tuple[Any, ...]:
            kind: Any = self.handler.ctype if step == 0 else self.handler.steps[step - 1].place.pointer.element
            segment, first, size = groups[step][index], starts[step][index], self.sizes[step]
            return tuple(
                single(kind, room, segment.at + number * size, behind(step, first + number))
                for number in range(segment.length // size)
            )

        def pointed(step: int, index: int) -> Any:
            segment, pointer = groups[step][index], self.handler.steps[step - 1].place.pointer
            if not self.children[step]:
                return behind_pointer(pointer, room, segment.at, segment.length, segment.null)
            if segment.null and pointer.may_be_null:
                return None
            seen = elements(step, index)
            return seen[0] if pointer.length is None else seen

        whole, handler = groups[0][0], self.handler
        assert handler.ctype is not None
        if not handler.sized:
            return single(handler.ctype, room, whole.at, behind(0, 0))
        if handler.steps:
            return elements(0, 0)
        count = whole.length // self.sizes[0]
        return sequence(handler.ctype, room, whole.at, count, "r" in handler.access)

    def store(self, received: Received, out: bytes) -> int:
        """Put returned bytes into the argument, as many as fit, but never over the program's pointers."""
        whole = received.groups[0][0]
        length = min(len(out), whole.length)
        kept = bytes(received.room[whole.at : whole.at + whole.length])
        received.room[whole.at : whole.at + length] = out[:length]
        for step in self.handler.steps:
            if step.parent == 0 and not self.handler.sized:
                start, end = step.place.offset, step.place.offset + step.place.width
                received.room[whole.at + start : whole.at + end] = kept[start:end]
        return length

    def send(self, received: Received, data: bytes, stored: int | None, whole: bool) -> bytes | None:
        """Mark the segments that go back to the program; None where none does."""
        room, index, any_goes = received.room, 0, False
        for step, group in enumerate(received.groups):
            for segment in group:
                start, end = 0, segment.length
                if step == 0 and stored is not None and self.handler.sized:
                    end = stored
                elif self.accesses[step] == "rw" and not (step == 0 and (whole or stored is not None)):
                    start, end = changed(data, room, segment)
                    # A driver copies its argument back as a whole; only where nothing changed may that be left out.
                    start, end = (0, segment.length) if step == 0 and start < end else (start, end)
                if "r" in self.accesses[step] and start < end and not segment.null:
                    write = (segment.at, segment.length, SEGMENT_WRITE, start, end, 0)
                    SEGMENT.pack_into(room, SEGMENTS.size + index * SEGMENT.size, *write)
                    any_goes = True
                index += 1
        return bytes(room) if any_goes else None
