"""Notes each call on a device, where somebody wants to see them: -v, and the tests of a session.

Nothing of this is on the way of a call where nobody does.  An event is made of a call when somebody looks at it.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host import wire
from devshim.host._channel import NotedFile
from devshim.host.callers import Callers
from devshim.host.memory import plan_of
from devshim.host.noted import Noted
from devshim.host.segments import SEGMENT, SEGMENT_WRITE, SEGMENTS, Segment, parse
from devshim.model.ioctl import Handler, find_handler
from devshim.trace.event import Event

if TYPE_CHECKING:
    from devshim.host.answering import Answering, GoneFile
    from devshim.host.plugs import DevicePlug
    from devshim.model.device import File

WHENCE = {os.SEEK_SET: "SEEK_SET", os.SEEK_CUR: "SEEK_CUR", os.SEEK_END: "SEEK_END"}
LOCKS = {fcntl.LOCK_SH: "LOCK_SH", fcntl.LOCK_EX: "LOCK_EX", fcntl.LOCK_UN: "LOCK_UN"}


class Seen(NamedTuple):
    """One call that was answered.

    event    the call; finished is False where the answer is "nothing yet"
    mark     of the device's plug: calls outlive the device, and do not hold it
    kind     the class of the model's file that answered; None of an open that failed
    asked    of an ioctl, its argument as it travelled (shim/wire.h); else b""
    answer   what went back, as host/answering.py has it
    """

    event: Event
    mark: object
    kind: type[File] | None
    asked: bytes
    answer: Any


class Observers:
    """What observed files have in common; used with the host's lock held.

    asking  tells the channel and the thread of the call that is being answered
    """

    def __init__(self, callers: Callers, asking: Callable[[], tuple[int, int]], noted: Noted) -> None:
        self.callers = callers
        self.asking = asking
        self.noted = noted
        self._opens = itertools.count(1)
        self.promised = 0  # the number of the last file that an ioctl made
        self.began = monotonic()

    def next_file(self) -> int:
        """The number of the next open file."""
        return next(self._opens)

    def caller(self) -> tuple[int, int]:
        """Process and thread of the call that is being answered, by number."""
        return self.callers.of_channel(*self.asking())

    def _tell(self, event: Event, mark: object, file: ObservedFile | None, answer: Any) -> None:
        event.time, event.took = monotonic() - self.began, 0.0
        self.noted.add(Seen(event, mark, file.kind if file is not None else None, b"", answer))

    def opened(
        self, plug: DevicePlug, flags: int, file: ObservedFile | None, error: int, caller: tuple[int, int]
    ) -> None:
        """An open was answered; caller: process id and thread id."""
        self.opened_at(plug.node, plug, flags, file, error, self.callers.of_process(*caller))

    def opened_at(
        self, path: str, plug: DevicePlug, flags: int, file: ObservedFile | None, error: int, caller: tuple[int, int]
    ) -> None:
        """The same by process and thread as numbered here, and by the path where a plug answers for many."""
        if file is not None:  # a terminal's stands for all its opens: the last one gives the number
            file.number = self.next_file()
            file.opener, file.node = caller, path
        event = Event("open", path, file.number if file is not None else 0)
        event.flags, (event.process, event.thread) = flags, caller
        if error:
            event.result, event.error = -1, errno.errorcode.get(error, str(error))
        self._tell(event, plug.mark, file, None)

    def closed(self, plug: DevicePlug, file: ObservedFile) -> None:
        """The last descriptor of a file has gone; nobody can tell by whose hand, so it counts as the opener's."""
        event = Event("close", file.node, file.number)
        event.process, event.thread = file.opener
        self._tell(event, plug.mark, file, 0)


class ObservedFile(NotedFile):
    """Stands in front of a file in the host's list; _facts.c hands each call on to it and notes what was answered."""

    inner: Answering | GoneFile
    observers: Observers

    def __init__(self, observers: Observers, inner: Answering) -> None:
        super().__init__(inner, observers.noted, observers, observers.callers.known)
        self.mark = inner.plug.mark
        self.kind = type(inner.file)
        self.node = inner.plug.node
        self.opener = (1, 1)

    # ---- What was noted

    def seen(
        self, name: str, first: int, second: int, data: bytes, answer: Any, number: int, promised: int,
        who: tuple[int, int], began: float, ended: float,
    ) -> Seen:  # fmt: skip
        """Make of the facts of a call, as _facts.c has noted them, all that can be told."""
        event = Event(name, self.node, number)
        event.process, event.thread = who
        event.time, event.took = began - self.observers.began, ended - began
        asked = b""
        if name == "ioctl":
            asked = data
            describe_ioctl(event, find_handler(self.kind.ioctls, first), (first, second, data), answer, promised)
        elif name == "lseek":
            event.offset, event.flags, event.operation = first, second, WHENCE.get(second, str(second))
        elif name == "flock":
            event.flags = first
            event.operation = LOCKS.get(first & 0xFF & ~fcntl.LOCK_NB, str(first))
        elif name == "report":
            event.name = {wire.OP_READ: "read", wire.OP_WRITE: "write"}.get(first, "call")
            event.data = data
        else:
            if second >= 0:
                event.name, event.offset = "p" + name, second
            out = data_of(answer) if name == "read" else data
            event.size, event.data = first, bytes(out) if out is not None else b""
        understand(event, answer)
        return Seen(event, self.mark, self.kind, asked, answer)


def describe_ioctl(
    event: Event, handler: Handler | None, call: tuple[int, int, bytes], answer: Any, promised: int
) -> None:
    """Put into an event what an ioctl was about: its request, argument and data, and what came of it."""
    event.request, argument, data = call
    if handler is not None:
        event.label = handler.label
    if handler is not None and handler.access == "r":
        pass  # what was there is the program's rubbish
    elif data:
        event.before = memory_before(handler, data)
    elif argument or (handler is not None and handler.value is not None):
        event.argument = argument
    out = data_of(answer)
    if out is not None:
        event.after = memory_after(handler, bytes(out))
    if isinstance(answer, tuple) and answer[2] & wire.ANSWER_FILE:
        event.new_file = promised
        event.place = None if answer[5] == wire.NO_PLACE else answer[5]


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


def memory_before(handler: Handler | None, data: bytes) -> list[bytes | None]:
    """The segments of an argument on its way in, with the number of what it points to in place of each pointer."""
    try:
        segments = parse(data)
        room = with_numbers(handler, segments, data)
    except ValueError:
        return [data]  # malformed: the call fails, and this shows with what
    return [None if one.null else bytes(room[one.at : one.at + one.length]) for one in segments]


def memory_after(handler: Handler | None, data: bytes) -> list[bytes | None]:
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
    general: Any = plan_of(handler)
    groups = general.group(segments, data)
    numbers = {id(segment): number for number, segment in enumerate(segments)}
    for step, group in zip(handler.steps, groups[1:], strict=True):
        size = general.levels[step.parent].stride
        elements = (at for one in groups[step.parent] for at in range(one.at, one.at + one.length, size))
        for at, segment in zip(elements, group, strict=True):
            where, width = at + step.place.offset, step.place.width
            number = 0 if segment.null else numbers[id(segment)]
            room[where : where + width] = number.to_bytes(width, "little")
    return room
