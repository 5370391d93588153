"""The general way of an ioctl's argument: pointers, sizes in the number, runs of numbers, new descriptors inside."""

from __future__ import annotations

import ctypes
import errno
import os

from devshim.host._channel import Way
from devshim.host.returned import settle
from devshim.host.segments import SEGMENT, SEGMENT_WRITE, SEGMENTS, Segment, changed, checker, parse
from devshim.host.views import sequence, view_class, viewer
from devshim.host.wire import NO_PLACE
from devshim.model.argument import Ctype, Place
from devshim.model.device import File, Special
from devshim.model.ioctl import Handler
from devshim.model.request import size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

RESULT = NO_PLACE  #: the place of a new descriptor that is the call's result

#: result (or WAIT, or REAL), the bytes that go back, a new file, and the place of its descriptor in the argument.
Outcome = tuple["Any", bytes | None, File | None, int]


class Plan:
    """How one handler is called; `name` is looked up on the file each time, so that overriding works."""

    way: Way | None = None  # how it can be called in C

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.name = handler.name

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Call the file's method; see call()."""
        raise NotImplementedError

    def outcome(self, file: File, data: bytes, given: Any, returned: Any) -> Outcome:
        """What comes of a value that the method returned.  Raises TypeError as settle() does."""
        raise NotImplementedError


class Received:
    """An argument laid out in a room of its own: views into room are what the model changes.

    groups: the segments of the argument, then of each step
    """

    def __init__(self, room: bytearray, groups: list[list[Segment]], shown: Any) -> None:
        self.room = room
        self.groups = groups
        self.shown = shown


class Level:
    """Elements of one ctype, as compiled from the description: the argument's own, or those behind one pointer."""

    def __init__(self, ctype: Ctype | None, access: str, parent: int, place: Place | None) -> None:
        self.ctype: Any = ctype
        self.access = access
        self.parent = parent
        self.place = place
        self.size = ctypes.sizeof(ctype) if ctype is not None else 0
        self.stride = self.size or 1
        self.check = checker(place, self.size) if place is not None else None
        self.children: list[int] = []
        self.view: Any = ctype
        self.leaf = viewer(place.pointer) if place is not None else None
        self.alone = place is not None and place.pointer.length is None

    def holds(self, child: int) -> None:
        """Another level is behind pointers in this one's elements."""
        self.children.append(child)
        self.view, self.leaf = view_class(self.ctype), None

    def elements(self, room: bytearray, segment: Segment, behind: Iterator[tuple[Any, ...]]) -> tuple[Any, ...]:
        """The elements of one segment; behind: for each, what its pointers lead to."""
        starts = range(segment.at, segment.at + segment.length, self.stride)
        return tuple([self.one(room, at, behind) for at in starts])

    def one(self, room: bytearray, at: int, behind: Iterator[tuple[Any, ...]]) -> Any:
        """The element that lies at so many bytes of the room."""
        view = self.view.from_buffer(room, at)
        if self.children:
            view._behind = next(behind)
        return view


class General(Plan):
    """Any argument: pointers, sizes in the number, runs of numbers, new descriptors inside."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        self.levels = [Level(handler.ctype, handler.access, 0, None)]
        for number, step in enumerate(handler.steps, 1):
            pointer = step.place.pointer
            self.levels.append(Level(pointer.element, pointer.access, step.parent, step.place))
            self.levels[step.parent].holds(number)
        self.below = [(number, self.levels[number]) for number in range(len(self.levels) - 1, 0, -1)]
        self.answered = any("r" in level.access for level in self.levels)
        self._request, self._data = 0, b""  # what was received last, and how it was grouped
        self._groups: list[list[Segment]] = []

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Call the method with views of all segments, then mark what it changed."""
        received = self.receive(request, data)
        return self.answer(file, received, data, getattr(file, self.name)(*self.arguments(request, received)))

    def arguments(self, request: int, received: Received) -> tuple[Any, ...]:
        """What the method is called with."""
        arguments = () if self.handler.first is None else (self.handler.index(request),)
        return arguments if self.handler.access == "r" else (*arguments, received.shown)

    def answer(self, file: File, received: Received, data: bytes, returned: Any) -> Outcome:
        """What comes of a value that the method returned."""
        handler = self.handler
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
        if data == self._data and request == self._request:  # as programs do that poll: checked a moment ago
            room = bytearray(data)
            return Received(room, self._groups, self.show(room, self._groups))
        segments = parse(data)
        size = size_of(request) if self.handler.sized else self.levels[0].size
        if self.handler.sized and size % self.levels[0].size:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if segments[0].null or segments[0].length != size:
            raise ValueError(f"the argument has {segments[0].length} bytes instead of {size}")
        groups = self.group(segments, data)
        self._request, self._data, self._groups = request, data, groups
        room = bytearray(data)
        return Received(room, groups, self.show(room, groups))

    def group(self, segments: list[Segment], data: bytes) -> list[list[Segment]]:
        """Deal the segments out to the steps: one for each element of each segment of the step's parent."""
        groups = [segments[:1]]
        taken, count, levels = 1, len(segments), self.levels
        for level in levels[1:]:
            mine: list[Segment] = []
            stride, check = levels[level.parent].stride, level.check
            assert check is not None
            for parent in groups[level.parent]:
                for at in range(parent.at, parent.at + parent.length, stride):
                    if taken == count:
                        raise ValueError(f"{count} segments are too few")
                    segment = segments[taken]
                    check(segment, at, data)
                    mine.append(segment)
                    taken += 1
            groups.append(mine)
        if taken != count:
            raise ValueError(f"{count} segments instead of {taken}")
        return groups

    def show(self, room: bytearray, groups: list[list[Segment]]) -> Any:
        """The views through which the model sees the argument, made from the innermost pointers outwards."""
        seen: list[list[Any]] = [[] for _ in groups]
        for number, level in self.below:
            leaf = level.leaf
            if leaf is not None:
                seen[number] = [leaf(room, segment) for segment in groups[number]]
                continue
            behind = zip(*[seen[child] for child in level.children], strict=False)
            for segment in groups[number]:
                elements = level.elements(room, segment, behind)
                if segment.null and (level.alone or level.place.pointer.may_be_null):  # type: ignore[union-attr]
                    seen[number].append(None)
                else:
                    seen[number].append(elements[0] if level.alone else elements)
        whole, handler, top = groups[0][0], self.handler, self.levels[0]
        if handler.sized and not top.children:
            return sequence(top.ctype, room, whole.at, whole.length // top.size, "r" in handler.access)
        behind = zip(*[seen[child] for child in top.children], strict=False)
        return top.elements(room, whole, behind) if handler.sized else top.one(room, whole.at, behind)

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
        if not self.answered:
            return None
        room, at, any_goes = received.room, SEGMENTS.size, False
        for number, (level, group) in enumerate(zip(self.levels, received.groups, strict=True)):
            if "r" not in level.access:
                at += SEGMENT.size * len(group)
                continue
            compared = level.access == "rw" and not (number == 0 and (whole or stored is not None))
            for segment in group:
                start, end = 0, segment.length
                if number == 0 and stored is not None and self.handler.sized:
                    end = stored
                elif compared:
                    start, end = changed(data, room, segment)
                    # A driver copies its argument back as a whole; only where nothing changed may that be left out.
                    start, end = (0, segment.length) if number == 0 and start < end else (start, end)
                if start < end and not segment.null:
                    SEGMENT.pack_into(room, at, segment.at, segment.length, SEGMENT_WRITE, start, end, 0)
                    any_goes = True
                at += SEGMENT.size
        return bytes(room) if any_goes else None
