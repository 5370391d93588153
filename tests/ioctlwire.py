"""Ioctls on a model's file without a shim: arguments in the form in which the shim sends them, answers taken apart."""

from __future__ import annotations

import errno
from types import TracebackType
from typing import Any

from devshim.host.memory import call, call_unknown
from devshim.host.segments import SEGMENT, SEGMENT_WRITE, SEGMENTS
from devshim.model.device import File
from devshim.model.ioctl import find_handler


def segments(*parts: bytes | None) -> bytes:
    """Segments as the shim sends them: the argument, then what each of its pointers leads to; None is a NULL."""
    end = SEGMENTS.size + SEGMENT.size * len(parts)
    heads, body = b"", b""
    for part in parts:
        body += bytes(-(end + len(body)) % 8)
        heads += SEGMENT.pack(end + len(body), len(part or b""), int(part is None), 0, 0, 0)
        body += part or b""
    return SEGMENTS.pack(len(parts), 0) + heads + body


def ioctl(file: File, request: int, *parts: bytes | None) -> tuple[Any, list[bytes | None]]:
    """Answer a request as the host does: its result, and the parts as the program finds them afterwards.

    Raises what the model raises; and ValueError where the host would take the shim for a liar.
    """
    data = segments(*parts) if parts else b""
    handler = find_handler(type(file).ioctls, request)
    if handler is None:
        result, out, _, _ = call_unknown(file, request, 0, data)
    else:
        result, out, _, _ = call(file, handler, request, 0, data)
    return result, [after(part, out, index) for index, part in enumerate(parts)]


def after(part: bytes | None, out: bytes | None, index: int) -> bytes | None:
    """One part with what was written back to it."""
    if part is None or out is None:
        return part
    at, _, flags, start, end, _ = SEGMENT.unpack_from(out, SEGMENTS.size + index * SEGMENT.size)
    return part[:start] + out[at + start : at + end] + part[end:] if flags & SEGMENT_WRITE else part


class MayFail:
    """with may_fail(EINVAL, EFAULT): what follows succeeds, or fails with one of these errnos."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def __enter__(self) -> MayFail:
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: TracebackType | None) -> bool:
        if not isinstance(problem, OSError):
            return False
        assert problem.errno in self.numbers, f"{errno.errorcode[problem.errno or 0]}: {problem}"
        return True


may_fail = MayFail
