"""Makes an event of each call on a device, where somebody wants to see them: -v, and the tests of a session.

Nothing of this is on the way of a call where nobody does.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host import wire
from devshim.host.callers import Callers
from devshim.host.general import General
from devshim.host.segments import SEGMENT, SEGMENT_WRITE, SEGMENTS, Segment, parse
from devshim.model.ioctl import Handler, find_handler
from devshim.trace.event import Event

if TYPE_CHECKING:
    from devshim.host.files import Answering, GoneFile
    from devshim.host.plugs import DevicePlug
    from devshim.model.device import File

WHENCE = {os.SEEK_SET: "SEEK_SET", os.SEEK_CUR: "SEEK_CUR", os.SEEK_END: "SEEK_END"}
LOCKS = {fcntl.LOCK_SH: "LOCK_SH", fcntl.LOCK_EX: "LOCK_EX", fcntl.LOCK_UN: "LOCK_UN"}


class Seen(NamedTuple):
    """One call that was answered.

    event    the call; finished is False where the answer is "nothing yet"
    plug     the device at its node
    file     the model's file that answered; None of an open that failed
    asked    of an ioctl, its argument as it travelled (shim/wire.h); else b""
    answer   what went back, as host/files.py has it
    """

    event: Event
    plug: DevicePlug
    file: File | None
    asked: bytes
    answer: Any


Observer = Callable[[Seen], object]


class Observers:
    """Those who want to see calls; told with the host's lock held."""

    def __init__(self, callers: Callers, caller: Callable[[], tuple[int, int]]) -> None:
        self.callers = callers
        self._caller = caller
        self._observers: list[Observer] = []
        self._opens = itertools.count(1)
        self.promised = 0  # the number of the last file that an ioctl made
        self._began = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._observers)

    def add(self, observer: Observer) -> None:
        """Tell it of every call; before the first device is plugged."""
        self._observers.append(observer)

    def next_file(self) -> int:
        """The number of the next open file."""
        return next(self._opens)

    def caller(self) -> tuple[int, int]:
        """Process and thread of the call that is being answered, by number."""
        return self.callers.of_channel(*self._caller())

    def tell(self, seen: Seen, began: float) -> None:
        """A call was answered that began at a time of time.monotonic()."""
        event = seen.event
        event.time, event.took = began - self._began, time.monotonic() - began
        for observer in self._observers:
            observer(seen)

    def opened(
        self, plug: DevicePlug, flags: int, file: ObservedFile | None, error: int, caller: tuple[int, int]
    ) -> None:
        """An open was answered; caller: process id and thread id."""
        process, thread = self.callers.of_process(*caller)
        if file is not None:  # a terminal's stands for all its opens: the last one gives the number
            file.number = self.next_file()
            file.opener = process, thread
        event = Event("open", plug.node, file.number if file is not None else 0)
        event.flags, event.process, event.thread = flags, process, thread
        if error:
            event.result, event.error = -1, errno.errorcode.get(error, str(error))
        self.tell(Seen(event, plug, file.file if file is not None else None, b"", None), time.monotonic())

    def closed(self, plug: DevicePlug, file: ObservedFile) -> None:
        """The last descriptor of a file has gone; nobody can tell by whose hand, so it counts as the opener's."""
        event = Event("close", plug.node, file.number)
        event.process, event.thread = file.opener
        self.tell(Seen(event, plug, file.file, b"", 0), time.monotonic())


class ObservedFile:
    """Stands in front of a file in the host's list, and makes an event of each call."""

    def __init__(self, observers: Observers, inner: Answering) -> None:
        self.observers = observers
        self.inner: Answering | GoneFile = inner
        self.plug = inner.plug
        self.file = inner.file
        self.number = 0
        self.opener = (1, 1)

    def _tell(self, event: Event, began: float, answer: Any, asked: bytes = b"") -> Any:
        understand(event, answer)
        event.process, event.thread = self.observers.caller()
        self.observers.tell(Seen(event, self.plug, self.file, asked, answer), began)
        return answer

    def read(self, size: int, offset: int) -> Any:
        """read(2) and its kin, with the bytes that came."""
        began = time.monotonic()
        event = self._at("read", offset)
        event.size = size
        answer = self.inner.read(size, offset)  # type: ignore[union-attr]
        data = data_of(answer)
        event.data = bytes(data) if data is not None else b""
        return self._tell(event, began, answer)

    def write(self, data: bytes, offset: int) -> Any:
        """write(2) and its kin."""
        began = time.monotonic()
        event = self._at("write", offset)
        event.data = data
        return self._tell(event, began, self.inner.write(data, offset))  # type: ignore[union-attr]

    def _at(self, name: str, offset: int) -> Event:
        if offset < 0:
            return Event(name, self.plug.node, self.number)
        return Event("p" + name, self.plug.node, self.number, offset=offset)

    def ioctl(self, request: int, argument: int, data: bytes) -> Any:
        """ioctl(2), with the memory behind its argument."""
        began = time.monotonic()
        handler = find_handler(type(self.file).ioctls, request)
        event = Event("ioctl", self.plug.node, self.number)
        event.request = request
        if handler is not None:
            event.label = handler.label
        if data:
            event.before = memory_before(handler, request, data)
        elif argument or (handler is not None and handler.value is not None):
            event.argument = argument
        answer = self.inner.ioctl(request, argument, data)
        out = data_of(answer)
        if out is not None:
            event.after = memory_after(handler, request, bytes(out))
        if event.before is not None and handler is not None and handler.access == "r":
            event.before = None  # what was there is the program's rubbish
        if isinstance(answer, tuple) and answer[2] & wire.ANSWER_FILE:
            event.new_file = self.observers.promised
            event.place = None if answer[5] == wire.NO_PLACE else answer[5]
        return self._tell(event, began, answer, data)

    def seek(self, offset: int, whence: int) -> Any:
        """lseek(2)."""
        began = time.monotonic()
        event = Event("lseek", self.plug.node, self.number, offset=offset, flags=whence)
        event.operation = WHENCE.get(whence, str(whence))
        return self._tell(event, began, self.inner.seek(offset, whence))  # type: ignore[union-attr]

    def lock(self, operation: int, process: int) -> Any:
        """flock(2) and its kin."""
        began = time.monotonic()
        event = Event("flock", self.plug.node, self.number, flags=operation)
        event.operation = LOCKS.get(operation & 0xFF & ~fcntl.LOCK_NB, str(operation))
        return self._tell(event, began, self.inner.lock(operation, process))

    def poll(self) -> Any:
        """Readiness asked for anew; not a call of the program's."""
        return self.inner.poll()  # type: ignore[union-attr]

    def waits(self, op: int) -> Any:
        """A call is about to wait; not a call of the program's."""
        return self.inner.waits(op)  # type: ignore[union-attr]

    def report(self, op: int, result: int, data: bytes) -> Any:
        """A native call that is over."""
        name = {wire.OP_READ: "read", wire.OP_WRITE: "write"}.get(op, "call")
        event = Event(name, self.plug.node, self.number)
        event.data = data
        self._tell(event, time.monotonic(), result if result >= 0 else (-1, -result, 0, 0, None, wire.NO_PLACE))
        return 0


def data_of(answer: Any) -> Any:
    """The bytes that go back to the program, or None."""
    return answer if isinstance(answer, bytes) else answer[4] if isinstance(answer, tuple) else None


def understand(event: Event, answer: Any) -> None:
    """Put into an event what the program gets."""
    if isinstance(answer, bytes):
        event.result = 0 if event.name == "ioctl" else len(answer)
    elif isinstance(answer, int):
        event.result = answer
    else:
        event.result, error, flags = answer[:3]
        event.error = errno.errorcode.get(error, str(error)) if error else None
        event.finished = not flags & wire.ANSWER_WAIT


def memory_before(handler: Handler | None, request: int, data: bytes) -> list[bytes | None]:
    """The segments of an argument on its way in, with the number of what it points to in place of each pointer."""
    try:
        segments = parse(data)
        room = with_numbers(handler, segments, data)
    except ValueError:
        return [data]  # malformed: the call fails, and this shows with what
    return [None if one.null else bytes(room[one.at : one.at + one.length]) for one in segments]


def memory_after(handler: Handler | None, request: int, data: bytes) -> list[bytes | None]:
    """The same of an answer; None for what stays as it was."""
    plain = bytearray(data)
    count, _ = SEGMENTS.unpack_from(plain)
    written = []
    for at in range(SEGMENTS.size, SEGMENTS.size + count * SEGMENT.size, SEGMENT.size):
        start, length, flags, *_ = SEGMENT.unpack_from(plain, at)
        SEGMENT.pack_into(plain, at, start, length, flags & ~SEGMENT_WRITE, 0, 0, 0)
        written.append(bool(flags & SEGMENT_WRITE))
    segments = parse(bytes(plain))
    room = with_numbers(handler, segments, bytes(plain))
    return [
        bytes(room[one.at : one.at + one.length]) if goes else None for one, goes in zip(segments, written, strict=True)
    ]


def with_numbers(handler: Handler | None, segments: list[Segment], data: bytes) -> bytearray:
    """The data with each pointer replaced by its segment's number, or 0 where it is NULL.  Raises ValueError."""
    room = bytearray(data)
    if handler is None or not handler.steps:
        return room
    general = General(handler)
    groups = general.group(segments, data)
    numbers = {id(segment): number for number, segment in enumerate(segments)}
    for step, group in zip(handler.steps, groups[1:], strict=True):
        size = general.sizes[step.parent] or 1
        elements = (at for one in groups[step.parent] for at in range(one.at, one.at + one.length, size))
        for at, segment in zip(elements, group, strict=True):
            where, width = at + step.place.offset, step.place.width
            number = 0 if segment.null else numbers[id(segment)]
            room[where : where + width] = number.to_bytes(width, "little")
    return room
