"""What a program does with an open input device, called on the file itself: events read and written, and ioctls."""

from __future__ import annotations

import struct
from typing import Any

from ioctlwire import after, segments

from devshim.host.memory import call, call_unknown
from devshim.model.input import Input
from devshim.model.input_codes import EV_SYN
from devshim.model.input_file import InputFile
from devshim.model.ioctl import find_handler
from devshim.model.request import size_of

EVENT = struct.Struct("<qqHHi")


class Shelf:
    """The host's side of an open file whose program has read nothing: all that was sent lies here."""

    def __init__(self) -> None:
        self.unread = b""
        self.hung_up = False

    def feed(self, data: bytes) -> None:
        self.unread = self.unread + data if data else b""

    def feed_packet(self, data: bytes) -> bool:
        self.feed(data)
        return True

    def pending(self) -> int:
        return len(self.unread) // EVENT.size

    def take_back(self) -> bytes:
        data, self.unread = self.unread, b""
        return data

    def hang_up(self) -> None:
        self.hung_up = True


def opened(device: Input) -> InputFile:
    """One more open of a device."""
    file = device.open(0)
    file._feed = Shelf()
    return file


def with_times(file: InputFile) -> list[tuple[int, int, int, int]]:
    """All events that are there, read: microseconds, type, code, value."""
    data = file.take_back()
    return [(s * 1_000_000 + us, type, code, value) for s, us, type, code, value in EVENT.iter_unpack(data)]


def events(file: InputFile) -> list[tuple[int, int, int]]:
    """All events that are there: type, code, value."""
    return [event[1:] for event in with_times(file)]


def changes(file: InputFile) -> list[tuple[int, int, int]]:
    """All events that are there but the SYN_REPORTs."""
    return [event for event in events(file) if event[0] != EV_SYN]


def event(type: int, code: int, value: int) -> bytes:
    """One event as a program writes it."""
    return EVENT.pack(0, 0, type, code, value)


def ask(file: InputFile, request: int, *pieces: bytes | None, argument: int = 0) -> tuple[Any, list[bytes]]:
    """Call ioctl(2); return its result and the pieces as the program finds them afterwards.  Raises OSError."""
    data = segments(*pieces) if pieces else b""
    handler = find_handler(type(file).ioctls, request)
    if handler is None:
        result, out, *_ = call_unknown(file, request, argument, data)
    else:
        result, out, *_ = call(file, handler, request, argument, data)
    return result, [after(piece, out, index) or b"" for index, piece in enumerate(pieces)]


def told(file: InputFile, request: int, size: int | None = None) -> bytes:
    """What a request that only reads gives: as many bytes as its result says, or all where that is 0."""
    result, (data,) = ask(file, request, bytes(size_of(request) if size is None else size))
    return data[: result or None]


def of_size(request: int, size: int, nr: int = 0) -> int:
    """A request of a run, and whose number says the size: EVIOCGBIT(nr, size)."""
    return (request & ~(0x3FFF << 16)) + nr | size << 16


def bits(data: bytes) -> list[int]:
    """The bits that a bitmap has."""
    return [bit for bit in range(len(data) * 8) if data[bit // 8] >> bit % 8 & 1]
