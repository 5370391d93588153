"""Brings an ioctl's argument to its handler and the answer back, in the form of shim/wire.h: segments, heads, bytes.

Each handler gets a plan, made once: a flat structure goes the short way, whatever has pointers, a varying size or a run
of numbers the general one.  What comes from a program is hostile: a malformed argument raises ValueError.
"""

from __future__ import annotations

import ctypes

from devshim.host._channel import Way
from devshim.host.general import RESULT, General, Outcome, Plan
from devshim.host.returned import is_result, settle
from devshim.host.segments import FLAT_AT, SEGMENT, SEGMENT_WRITE, SEGMENTS, parse
from devshim.host.table import compile_table
from devshim.model.argument import Ctype
from devshim.model.device import REAL, WAIT, File, Special
from devshim.model.ioctl import Handler
from devshim.model.request import direction_of, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["RESULT", "Outcome", "call", "call_unknown", "compile_table", "unpack", "unpack_unknown"]

DONE: Outcome = (0, None, None, RESULT)


def call(file: File, handler: Handler, request: int, argument: int, data: bytes) -> Outcome:
    """Let a file's method answer one ioctl.

    argument is the raw third argument of ioctl(2), data what the shim collected behind it.  OSError from the method
    passes through; TypeError says that it returned what its description does not allow; ValueError that data is bad.
    """
    outcome: Outcome = plan_of(handler).call(file, request, argument, data)
    return outcome


def plan_of(handler: Handler) -> Plan:
    """The handler's plan, made when it is first needed."""
    plan: Plan | None = handler.plan
    if plan is None:
        plan = handler.plan = make_plan(handler)
    return plan


def unpack(handler: Handler, request: int, argument: int, data: bytes) -> Any:
    """The argument as the handler's method sees it; None where it has none.  Raises ValueError, OSError(EINVAL)."""
    if not handler.access:
        return None if handler.value is None else handler.value(argument).value
    plan = plan_of(handler)
    general = plan if isinstance(plan, General) else General(handler)
    return general.receive(request, data).shown


def make_plan(handler: Handler) -> Plan:
    """The shortest way for a handler's description."""
    if not handler.access:
        return ByValue(handler)
    if handler.keeps or handler.fills:
        from devshim.host.kept import Keeping

        return Keeping(handler)
    if handler.sized or handler.steps or handler.first is not None or handler.place is not None:
        return General(handler)
    return {"r": FlatRead, "w": FlatWrite, "rw": FlatBoth}[handler.access](handler)


class ByValue(Plan):
    """No argument, or one that is a number itself."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        if handler.first is None:
            self.way = way_of_value(handler)

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Hand over the number as the ctype says, with its sign."""
        handler = self.handler
        arguments = () if handler.first is None else (handler.index(request),)
        if handler.value is not None:
            arguments = (*arguments, handler.value(argument).value)
        return self.outcome(file, data, None, getattr(file, self.name)(*arguments))

    def outcome(self, file: File, data: bytes, given: Any, returned: Any) -> Outcome:
        """Nothing goes back but the result."""
        if returned is None:
            return DONE
        result, _, new = settle(file, self.handler, returned)
        return result, None, new, RESULT


def way_of_value(handler: Handler) -> Way | None:
    """How C code calls a method with a number, where the ctype is one of C's integers; or without an argument."""
    value = handler.value
    if value is None:
        return Way(handler, "", None, 0)
    code = getattr(value, "_type_", "")
    if value.__base__ is not ctypes.c_int.__base__ or not isinstance(code, str) or code not in "bBhHiIlLqQ":
        return None
    return Way(handler, "i" if code.islower() else "u", value, ctypes.sizeof(value))


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
        self.way = Way(handler, "b" if handler.access == "rw" else handler.access, self.ctype, size)


class FlatRead(Flat):
    """The program only reads: the method returns the structure."""

    def call(self, file: File, request: int, argument: int, data: bytes) -> Outcome:
        """Copy out what the method returns."""
        if not data.startswith(self.asked):
            return self.general.call(file, request, argument, data)
        return self.outcome(file, data, None, getattr(file, self.name)())

    def outcome(self, file: File, data: bytes, given: Any, returned: Any) -> Outcome:
        """The structure goes back."""
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
        given = self.ctype.from_buffer_copy(data, FLAT_AT)
        return self.outcome(file, data, given, getattr(file, self.name)(given))

    def outcome(self, file: File, data: bytes, given: Any, returned: Any) -> Outcome:
        """Nothing goes back but the result."""
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
        return self.outcome(file, data, given, getattr(file, self.name)(given))

    def outcome(self, file: File, data: bytes, given: Any, returned: Any) -> Outcome:
        """The structure goes back where it was changed; what was returned in its place goes back anyway."""
        result, out, new = (0, None, None) if returned is None else settle(file, self.handler, returned)
        if isinstance(result, Special):
            return result, None, None, RESULT
        if out is None and self.asked + given == data:
            return result, None, new, RESULT
        return result, self.answer + (given if out is None else out), new, RESULT


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
    """Let File.ioctl answer a request without a handler; bytes that it returns go back if the number allows.

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
        if len(returned) > len(given):
            raise TypeError(f"{type(file).__name__}.ioctl({request:#010x}) returned more than {len(given)} bytes")
        answer = bytearray(data)
        at = parse(data)[0].at
        answer[at : at + len(returned)] = returned
        SEGMENT.pack_into(answer, SEGMENTS.size, at, len(given), SEGMENT_WRITE, 0, len(returned), 0)
        return 0, bytes(answer), None, RESULT
    raise TypeError(
        f"{type(file).__name__}.ioctl({request:#010x}) returned {returned!r}: it may return None, an int of 0 or more, "
        f"a File, WAIT, REAL, or for a request that the program reads at most {size_of(request)} bytes"
    )
