"""Brings an ioctl's argument to its handler and the answer back, in the form of shim/wire.h: segments, heads, bytes.

Each handler gets a plan, made once: a flat structure goes the short way, whatever has pointers, a varying size or a run
of numbers the general one.  What comes from a program is hostile: a malformed argument raises ValueError.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Any, NamedTuple

from devshim.host.table import compile_table
from devshim.host.views import behind_pointer, sequence, single
from devshim.model.argument import Ctype, Place
from devshim.model.device import REAL, WAIT, File, Special
from devshim.model.ioctl import Handler, direction_of, size_of

__all__ = ["RESULT", "Outcome", "call", "call_unknown", "compile_table", "unpack", "unpack_unknown"]

SEGMENTS = struct.Struct("<2I")  # count, reserved
SEGMENT = struct.Struct("<6I")  # at, length, flags, from, to, reserved
SEGMENT_NULL, SEGMENT_WRITE = 1, 2
MOST_SEGMENTS = 256
FLAT_AT = SEGMENTS.size + SEGMENT.size

RESULT = 0xFFFFFFFF  #: the place of a new descriptor that is the call's result

#: result (or WAIT, or REAL), the bytes that go back, a new file, and the place of its descriptor in the argument.
Outcome = tuple[Any, bytes | None, File | None, int]
DONE: Outcome = (0, None, None, RESULT)


class Segment(NamedTuple):
    """One run of the program's bytes, as it lies in the data."""

    at: int
    length: int
    null: bool


def call(file: File, handler: Handler, request: int, argument: int, data: bytes) -> Outcome:
    """Let a file's method answer one ioctl.

    argument is the raw third argument of ioctl(2), data what the shim collected behind it.  OSError from the method
    passes through; TypeError says that it returned what its description does not allow; ValueError that data is malformed.
    """
    plan = handler.plan
    if plan is None:
        plan = handler.plan = make_plan(handler)
    outcome: Outcome = plan.call(file, request, argument, data)
    return outcome


def unpack(handler: Handler, request: int, argument: int, data: bytes) -> Any:
    """The argument as the handler's method sees it; None where it has none.  Raises ValueError, OSError(EINVAL)."""
    if not handler.access:
        return None if handler.value is None else handler.value(argument).value
    return General(handler).receive(request, data).shown


def make_plan(handler: Handler) -> Plan:
    """The shortest way for a handler's description."""
    if not handler.access:
        return ByValue(handler)
    if handler.sized or handler.steps or handler.first is not None or handler.place is not None:
        return General(handler)
    return {"r": FlatRead, "w": FlatWrite, "rw": FlatBoth}[handler.access](handler)


class Plan:
    """How one handler is called; `name` is looked up on the file each time, so that overriding works."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.name = handler.name

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Call the file's method; see call()."""
        raise NotImplementedError


class ByValue(Plan):
    """No argument, or one that is a number itself."""

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Hand over the number as the ctype says, with its sign."""
        handler = self.handler
        arguments = () if handler.first is None else (handler.index(request),)
        if handler.value is not None:
            arguments = (*arguments, handler.value(argument).value)
        returned = getattr(file, self.name)(*arguments)
        if returned is None:
            return DONE
        result, _, new = settle(file, handler, returned)
        return result, None, new, RESULT


class Flat(Plan):
    """A structure without pointers, alone in its one segment right behind the head."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        assert handler.ctype is not None
        self.ctype: Ctype = handler.ctype
        size = ctypes.sizeof(self.ctype)
        self.general = General(handler)
        self.asked = SEGMENTS.pack(1, 0) + SEGMENT.pack(FLAT_AT, size, 0, 0, 0, 0)
        self.answer = SEGMENTS.pack(1, 0) + SEGMENT.pack(FLAT_AT, size, SEGMENT_WRITE, 0, size, 0)


class FlatRead(Flat):
    """The program only reads: the method returns the structure."""

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Copy out what the method returns."""
        if not data.startswith(self.asked):
            return self.general.call(file, request, argument, data)
        returned = getattr(file, self.name)()
        if type(returned) is self.ctype:
            return 0, self.answer + returned, None, RESULT
        result, out, new = settle(file, self.handler, returned)
        return result, None if out is None else self.answer + out, new, RESULT


class FlatWrite(Flat):
    """The program only writes: nothing goes back."""

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Hand over a copy of the structure."""
        if not data.startswith(self.asked):
            return self.general.call(file, request, argument, data)
        returned = getattr(file, self.name)(self.ctype.from_buffer_copy(data, FLAT_AT))
        if returned is None:
            return DONE
        result, _, new = settle(file, self.handler, returned)
        return result, None, new, RESULT


class FlatBoth(Flat):
    """Both ways: the structure is changed in place, and goes back if it was."""

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Hand over a copy of the structure, and its new bytes back."""
        if not data.startswith(self.asked):
            return self.general.call(file, request, argument, data)
        given = self.ctype.from_buffer_copy(data, FLAT_AT)
        returned = getattr(file, self.name)(given)
        result, out, new = (0, None, None) if returned is None else settle(file, self.handler, returned)
        if isinstance(result, Special):
            return result, None, None, RESULT
        if out is None and self.asked + given == data:
            return result, None, new, RESULT
        return result, self.answer + (given if out is None else out), new, RESULT


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
        result, out, new = (0, None, None) if returned is None and handler.access != "r" else settle(file, handler, returned)
        if isinstance(result, Special):
            return result, None, None, RESULT
        place = RESULT if new is None or handler.place is None else handler.place
        if out is not None:
            out = self.store(received, out)
            if handler.sized and result is None:
                result = out
        return result or 0, self.send(received, data, out, place != RESULT), new, place

    def receive(self, request: int, data: bytes) -> Received:
        """Check the segments against the description and lay the argument out.

        Raises ValueError for what the shim cannot have sent, OSError(EINVAL) for a size that is no whole number of elements.
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
            kind = self.handler.ctype if step == 0 else self.handler.steps[step - 1].place.pointer.element
            segment, first, size = groups[step][index], starts[step][index], self.sizes[step]
            return tuple(
                single(kind, room, segment.at + number * size, behind(step, first + number))
                for number in range(segment.length // size)
            )

        def pointed(step: int, index: int) -> Any:
            segment, pointer = groups[step][index], self.handler.steps[step - 1].place.pointer
            if not self.children[step]:
                return behind_pointer(pointer, room, segment.at, segment.length, segment.null)
            if segment.null and pointer.optional:
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


def parse(data: bytes) -> list[Segment]:
    """The segments that data holds: at least one, in order, apart, and inside it.  Raises ValueError."""
    if len(data) < FLAT_AT:
        raise ValueError(f"an argument of {len(data)} bytes is shorter than its heads")
    count, _ = SEGMENTS.unpack_from(data)
    end = SEGMENTS.size + count * SEGMENT.size
    if not 0 < count <= MOST_SEGMENTS or end > len(data):
        raise ValueError(f"{count} segments in {len(data)} bytes")
    segments = []
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


def settle(file: File, handler: Handler, returned: Any) -> tuple[Any, bytes | None, File | None]:
    """Sort out what a method returned: the result (WAIT and REAL too), what is copied out, a new file.

    A result of None means that it follows from what is copied out.  Raises TypeError, named after the method, for
    anything that the description does not allow.
    """
    if returned is WAIT or returned is REAL:
        return returned, None, None
    if isinstance(returned, tuple) and len(returned) == 2 and "r" in handler.access:
        first, second = returned
        out = None if second is None else copied_out(file, handler, second)
        if isinstance(first, File):
            return 0, out, first
        if is_result(first):
            return first, out, None
        raise wrong(file, handler, returned)
    if isinstance(returned, File):
        return 0, None, returned
    if is_result(returned) and handler.access != "r":
        return returned, None, None
    if "r" in handler.access:
        return None if handler.sized else 0, copied_out(file, handler, returned), None
    if returned is None:
        return 0, None, None
    raise wrong(file, handler, returned)


def is_result(value: Any) -> bool:
    """Whether a value can be what ioctl(2) returns on success."""
    return isinstance(value, int) and 0 <= value < 1 << 31


def copied_out(file: File, handler: Handler, value: Any) -> bytes:
    """The bytes of a returned argument.  Raises TypeError where it is not of the declared type."""
    kind = handler.ctype
    assert kind is not None
    if handler.sized:
        if isinstance(value, (bytes, bytearray, memoryview, ctypes.Array, kind)):
            return bytes(value)
    elif isinstance(value, kind):
        if ctypes.sizeof(value) == ctypes.sizeof(kind):
            return bytes(value)
    elif isinstance(value, (bytes, bytearray)) and issubclass(kind, ctypes.Array) and len(value) == ctypes.sizeof(kind):
        return bytes(value)
    raise wrong(file, handler, value)


def wrong(file: File, handler: Handler, returned: Any) -> TypeError:
    """What to say about a returned value, with the way out."""
    kind = handler.ctype.__name__ if handler.ctype is not None else ""
    wanted = f"bytes for sized({kind})" if handler.sized else kind
    if isinstance(returned, int) and returned < 0:
        hint = "to fail, raise OSError(errno)"
    elif returned is None:
        hint = f"it must return {wanted}; is a return missing?"
    elif isinstance(returned, int) and handler.access == "r":
        hint = f"it must return {wanted}, or a pair (result, {wanted})"
    else:
        allowed = ["None", "an int", *([wanted] if "r" in handler.access else []), "a File", "WAIT or REAL"]
        hint = f"it may return {', '.join(allowed)}"
    return TypeError(f"{type(file).__name__}.{handler.name} ({handler.label}) returned {returned!r}: {hint}")


def unpack_unknown(request: int, argument: int, data: bytes) -> bytes | int:
    """What File.ioctl gets for a request without a handler: the bytes that its number claims, else the raw argument.

    Raises ValueError for a malformed argument.
    """
    if not data:
        return argument
    segments = parse(data)
    if len(segments) != 1 or segments[0].length != size_of(request):
        raise ValueError(f"ioctl {request:#010x}: an undescribed argument has one segment of {size_of(request)} bytes")
    return data[segments[0].at : segments[0].at + segments[0].length]


def call_unknown(file: File, request: int, argument: int, data: bytes) -> Outcome:
    """Let File.ioctl answer a request without a handler; bytes that it returns go back as the number's direction allows.

    Raises what the method raises, TypeError for another answer, ValueError for a malformed argument.
    """
    given = unpack_unknown(request, argument, data)
    returned = file.ioctl(request, given)
    if returned is None:
        return DONE
    if returned is WAIT or returned is REAL or is_result(returned):
        return returned, None, None, RESULT
    if isinstance(returned, File):
        return 0, None, returned, RESULT
    if isinstance(given, bytes) and isinstance(returned, (bytes, bytearray)) and "r" in direction_of(request):
        if len(returned) <= len(given):
            answer = bytearray(data)
            at = parse(data)[0].at
            answer[at : at + len(returned)] = returned
            SEGMENT.pack_into(answer, SEGMENTS.size, at, len(given), SEGMENT_WRITE, 0, len(returned), 0)
            return 0, bytes(answer), None, RESULT
    raise TypeError(
        f"{type(file).__name__}.ioctl({request:#010x}) returned {returned!r}: it may return None, an int of 0 or more, "
        f"a File, WAIT, REAL, or for a request that the program reads at most {size_of(request)} bytes"
    )
