"""-v: a line for each call on a device, in strace's manner."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING, Any

from devshim.host import wire
from devshim.host.files import Answering
from devshim.host.memory import unpack
from devshim.host.segments import SEGMENT, SEGMENT_NULL, SEGMENTS
from devshim.model.ioctl import find_handler

if TYPE_CHECKING:
    from devshim.host.host import Host

MOST_BYTES = 64


class LoggedFile:
    """Stands in front of a file in the host's list and tells what passes; only there where calls are logged."""

    def __init__(self, host: Host, inner: Answering) -> None:
        self.host = host
        self.inner = inner

    def _tell(self, call: str, answer: Any, copied: bool = False) -> Any:
        """copied: bytes are what an ioctl copies out, and its result is 0."""
        self.host.log.line(f"{call} = {0 if copied else outcome(answer)}")
        return answer

    def read(self, size: int, offset: int) -> Any:
        """read(2) and its kin, with the bytes that came."""
        answer = self.inner.read(size, offset)  # type: ignore[attr-defined]
        data = answer if isinstance(answer, bytes) else answer[4] if isinstance(answer, tuple) else None
        shown = show_bytes(data) if data is not None else "..."
        name, at = ("read", "") if offset < 0 else ("pread", f", {offset}")
        return self._tell(f"{name}({self.inner.plug.node}, {shown}, {size}{at})", answer)

    def write(self, data: bytes, offset: int) -> Any:
        """write(2) and its kin."""
        answer = self.inner.write(data, offset)  # type: ignore[attr-defined]
        name, at = ("write", "") if offset < 0 else ("pwrite", f", {offset}")
        return self._tell(f"{name}({self.inner.plug.node}, {show_bytes(data)}, {len(data)}{at})", answer)

    def ioctl(self, request: int, argument: int, data: bytes) -> Any:
        """ioctl(2), decoded where the model describes the request."""
        handler = find_handler(type(self.inner.file).ioctls, request)
        only_out = handler is not None and handler.access == "r"  # what was there before is the program's rubbish
        before = "" if only_out else decoded(self.inner, request, argument, data)
        answer = self.inner.ioctl(request, argument, data)
        out = answer if isinstance(answer, bytes) else answer[4] if isinstance(answer, tuple) else None
        after = decoded(self.inner, request, argument, as_asked(out)) if out is not None else before
        shown = before if before == after else f"{before} => {after}" if before else after
        return self._tell(
            f"ioctl({self.inner.plug.node}, {request_name(self.inner, request)}{comma(shown)})", answer, out is answer
        )

    def seek(self, offset: int, whence: int) -> Any:
        """lseek(2)."""
        answer = self.inner.seek(offset, whence)  # type: ignore[attr-defined]
        return self._tell(f"lseek({self.inner.plug.node}, {offset}, {whence})", answer)

    def lock(self, operation: int, process: int) -> Any:
        """flock(2)."""
        return self._tell(f"flock({self.inner.plug.node}, {operation})", self.inner.lock(operation, process))

    def poll(self) -> Any:
        """Readiness asked for anew; not a call of the program's."""
        return self.inner.poll()  # type: ignore[attr-defined]

    def report(self, op: int, result: int, data: bytes) -> Any:
        """A native call that is over."""
        name = {wire.OP_READ: "read", wire.OP_WRITE: "write"}.get(op, "call")
        answer = result if result >= 0 else (-1, -result, 0, 0, None, wire.NO_PLACE)
        self._tell(f"{name}({self.inner.plug.node}, {show_bytes(data)})", answer)
        return 0


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


def request_name(file: Answering, request: int) -> str:
    """A request as its model names it, or its number."""
    handler = find_handler(type(file.file).ioctls, request)
    return handler.label if handler is not None else f"{request:#x}"


def decoded(file: Answering, request: int, argument: int, data: bytes) -> str:
    """An ioctl's argument in words, as far as it is described."""
    handler = find_handler(type(file.file).ioctls, request)
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
        inner = ", ".join(f"{field[0]}={show_value(getattr(value, field[0]))}" for field in fields)
        return "{" + inner + "}"
    if hasattr(value, "value"):
        return show_value(value.value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return show_bytes(bytes(value))
    if isinstance(value, (list, tuple)) or hasattr(value, "_length_"):
        return "[" + ", ".join(show_value(item) for item in list(value)[:16]) + "]"
    return str(value)


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
