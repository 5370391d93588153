"""-v: a line for each call on a device, in strace's manner."""

from __future__ import annotations

import errno
import os
import struct
from ctypes import c_uint8

from devshim.host import wire
from devshim.host.kept import fills_of
from devshim.host.memory import unpack
from devshim.host.observed import data_of
from devshim.host.segments import SEGMENT, SEGMENT_NULL, SEGMENTS
from devshim.model.ioctl import find_handler
from devshim.model.termioswords import member_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.host.log import Log
    from devshim.host.observed import Seen
    from devshim.model.device import File

MOST_BYTES = 64


class Lines:
    """Writes a line into the log for each call that it is told of; not for closes, which come late."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, seen: Seen) -> None:
        if seen.event.name != "close":
            self._log.line(line_of(seen))


def line_of(seen: Seen) -> str:
    """One call as strace prints it."""
    event, answer = seen.event, seen.answer
    node, name = event.node, event.name
    if name == "open":
        failure = f" = -1 {error_text(event.error)}" if event.error else ""
        return f'open("{node}", {open_flags(event.flags)}){failure}'
    if name in ("read", "pread"):
        shown = show_bytes(event.data) if event.data or (event.result == 0 and event.finished) else "..."
        asked = f", {event.size}" if event.size else ""  # unknown of a native one
        return f"{name}({node}, {shown}{asked}{position(event.offset)}) = {outcome(answer)}"
    if name in ("write", "pwrite"):
        shown = f"{show_bytes(event.data)}, {len(event.data)}{position(event.offset)}"
        return f"{name}({node}, {shown}) = {outcome(answer)}"
    if name == "ioctl" and seen.kind is not None:
        copied = isinstance(answer, bytes)
        shown = show_argument(seen, seen.kind)
        result = 0 if copied else outcome(answer)
        return f"ioctl({node}, {event.label or hex(event.request)}{shown}) = {result}{filled(data_of(answer))}"
    if name == "lseek":
        return f"lseek({node}, {event.offset}, {event.flags}) = {outcome(answer)}"
    if name == "flock":
        return f"flock({node}, {event.flags}) = {outcome(answer)}"
    return f"{name}({node}) = {outcome(answer)}"


def show_argument(seen: Seen, kind: type[File]) -> str:
    """An ioctl's argument before the call and after it, decoded where the model describes the request."""
    request, answer = seen.event.request, seen.answer
    handler = find_handler(kind.ioctls, request)
    argument = seen.event.argument or 0
    only_out = handler is not None and handler.access == "r"  # what was there before is the program's rubbish
    before = "" if only_out else decoded(kind, request, argument, seen.asked)
    out = data_of(answer)
    after = decoded(kind, request, argument, as_asked(out)) if out is not None else before
    return comma(before if before == after else f"{before} => {after}" if before else after)


def filled(out: Any) -> str:
    """What an answer fills of memory that an earlier call named: the longest run of bytes, which is what came."""
    return f" (filled: {show_bytes(max(fills_of(out), key=len))})" if out is not None and fills_of(out) else ""


def position(offset: int | None) -> str:
    """The position of a pread, as a further argument."""
    return "" if offset is None else f", {offset}"


def error_text(name: str | None) -> str:
    """An errno as strace prints it."""
    number = getattr(errno, name or "", 0)
    return f"{name} ({os.strerror(number)})"


def open_flags(flags: int) -> str:
    """Open flags as strace prints them."""
    names = [("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")[flags & os.O_ACCMODE]]
    for name in ("O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_CLOEXEC"):
        if flags & getattr(os, name):
            names.append(name)
    return "|".join(names)


def outcome(answer: Any) -> str:
    """What the program gets, as strace prints it."""
    if isinstance(answer, bytes):
        return str(len(answer))
    if isinstance(answer, int):
        return str(answer)
    result, error, flags = answer[:3]
    if error:
        return f"-1 {errno.errorcode.get(error, error)} ({os.strerror(error)})"
    if flags & wire.ANSWER_WAIT:
        return "? (nothing yet)"
    if flags & wire.ANSWER_REAL:
        return "? (the kernel answers)"
    return f"{result} (a new file)" if flags & wire.ANSWER_FILE else str(result)


def decoded(kind: type[File], request: int, argument: int, data: bytes) -> str:
    """An ioctl's argument in words, as far as it is described."""
    handler = find_handler(kind.ioctls, request)
    if handler is None:
        return f"{argument:#x}"
    try:
        return show_value(unpack(handler, request, argument, data))
    except (ValueError, OSError):
        return "?"


def as_asked(answer: bytes) -> bytes:
    """An answer's segments without the marks that say what goes back, so that they decode as a request's do."""
    plain = bytearray(answer)
    (count,) = struct.unpack_from("<I", plain)
    for index in range(count):
        at = SEGMENTS.size + index * SEGMENT.size
        start, length, flags, *_ = SEGMENT.unpack_from(plain, at)
        SEGMENT.pack_into(plain, at, start, length, flags & SEGMENT_NULL, 0, 0, 0)
    return bytes(plain)


def show_value(value: Any) -> str:
    """A ctypes structure as {name=value, ...}; bytes and numbers as strace prints them."""
    if value is None:
        return ""
    fields = getattr(value, "_fields_", None)
    if fields is not None:
        inner = ", ".join(f"{field[0]}={show_member(field[0], getattr(value, field[0]))}" for field in fields)
        return "{" + inner + "}"
    if hasattr(value, "value"):
        return show_value(value.value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return show_bytes(bytes(value))
    if hasattr(value, "_length_") and value._type_ is c_uint8:
        return show_bytes(bytes(value))
    if isinstance(value, (list, tuple)) or hasattr(value, "_length_"):
        return "[" + ", ".join(show_value(item) for item in list(value)[:16]) + "]"
    return str(value)


def show_member(name: str, value: Any) -> str:
    """A member of a structure: in words where its bits have names."""
    return member_words(name, value) or show_value(value)


def show_bytes(data: bytes) -> str:
    """Bytes as strace prints them, shortened."""
    text = "".join(escape(byte) for byte in data[:MOST_BYTES])
    return f'"{text}"' + ("..." if len(data) > MOST_BYTES else "")


def escape(byte: int) -> str:
    """One byte of a C string."""
    known = {10: "\\n", 13: "\\r", 9: "\\t", 34: '\\"', 92: "\\\\"}
    return known.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")


def comma(text: str) -> str:
    """A further argument, if there is one."""
    return f", {text}" if text else ""
