"""The real node behind a replayed one: it answers what the trace does not have (--on-miss real), and is asked by us.

A call that blocks does so in a thread of its own, and the program waits until it is over.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select

from devshim.model.device import WAIT, Device, File
from devshim.model.raw import RawAnswer
from devshim.trace.event import Event, Segment
from devshim.trace.memory import leads, put
from devshim.trace.replay.aside import Aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devshim.trace.replay.requests import Requests

    Note = Callable[[Event], object]

#: Seconds between two looks at whether a real node has something to read.
LOOK_EVERY = 0.01
MOST_AT_ONCE = 65536
FOR_NEW_FILES = os.O_CREAT | os.O_EXCL | os.O_TRUNC


class RealFile(File):
    """One open of a real node.

    note    is told of each call that was made, as an event
    """

    def __init__(self, device: Device, path: str, flags: int, requests: Requests, note: Note | None) -> None:
        self.device = device
        self._looking = False
        self._path = path
        self._requests = requests
        self._note = note
        self._fd = os.open(path, flags & ~FOR_NEW_FILES | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        os.set_blocking(self._fd, not flags & os.O_NONBLOCK)
        self._aside = Aside(self._woken)
        self.number = 0

    def _moved(self, event: Event, make: Callable[[], Any], ready: int) -> Any:
        """Make a call that moves data, once the node is ready for it, and note what came of it."""
        key = (event.name, event.offset, event.size, event.data)
        now = ready | select.POLLERR | select.POLLHUP | select.POLLNVAL
        if not self._aside.has(key) and not self._ready() & now:
            self._look_again()
            return WAIT
        try:
            moved = self._aside.ask(key, make)
        except BlockingIOError:
            self._look_again()
            return WAIT
        except OSError as problem:
            raise self._failed(event, problem) from None
        if moved is WAIT:
            return WAIT
        event.data, event.result = (moved, len(moved)) if isinstance(moved, bytes) else (event.data, moved)
        self._tell(event)
        return moved

    def read(self, size: int) -> Any:
        """What comes; looked for again and again while nothing does."""
        event = Event("read", self._path, size=size)
        return self._moved(event, lambda: os.read(self._fd, size), select.POLLIN)

    def pread(self, size: int, offset: int) -> Any:
        """What is there."""
        event = Event("pread", self._path, size=size, offset=offset)
        return self._moved(event, lambda: os.pread(self._fd, size, offset), select.POLLIN)

    def write(self, data: bytes) -> Any:
        """Hand it over."""
        event = Event("write", self._path, data=data)
        return self._moved(event, lambda: os.write(self._fd, data), select.POLLOUT)

    def pwrite(self, data: bytes, offset: int) -> Any:
        """Hand it over."""
        event = Event("pwrite", self._path, data=data, offset=offset)
        return self._moved(event, lambda: os.pwrite(self._fd, data, offset), select.POLLOUT)

    def poll(self) -> int:
        """What is ready; looked at again and again while nothing is."""
        found = self._ready()
        if not found & select.POLLIN:
            self._look_again()
        return found

    def _ready(self) -> int:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN | select.POLLOUT)
        return next((bits for _, bits in poll.poll(0)), 0)

    def _woken(self) -> None:
        if self._fd >= 0 and self.device._plug is not None:
            self.device.after(0, self.device.wake)

    def _look_again(self) -> None:
        if not self._looking:
            self._looking = True
            self.device.after(LOOK_EVERY, self._look)

    def _look(self) -> None:
        self._looking = False
        self.device.wake()

    def raw_ioctl(self, request: int, argument: int, memory: list[Segment] | None) -> Any:
        """The real ioctl, on a copy of the program's memory."""
        key = (request, argument, None if memory is None else tuple(memory))
        event = self._requests.call(self._path, request, argument, memory)
        try:
            done = self._aside.ask(key, lambda: self._ioctl(event, request, argument, memory))
        except OSError as problem:
            raise self._failed(event, problem) from None
        if done is WAIT:
            return WAIT
        event, answer = done
        self._tell(event)
        return answer

    def _ioctl(
        self, event: Event, request: int, argument: int, memory: list[Segment] | None
    ) -> tuple[Event, RawAnswer]:
        """The call itself, which may take its time."""
        if memory is None:
            event.result = real_ioctl(self._fd, request, argument)
            return event, RawAnswer(event.result)
        rooms: list[Any] = [one and ctypes.create_string_buffer(one, len(one)) for one in memory]
        given: list[Segment] = list(memory)
        known = self._requests.find(request)
        for number, pointers in enumerate(leads(known, memory) if known is not None else []):
            room = bytearray(given[number] or b"")
            for lead in pointers:
                target = rooms[lead.target] if lead.target else None
                address = ctypes.addressof(target) if target is not None else 0
                put(room, lead, address.to_bytes(lead.place.width, "little"))
            if pointers:
                ctypes.memmove(rooms[number], bytes(room), len(room))
                given[number] = bytes(room)
        event.result = real_ioctl(self._fd, request, ctypes.addressof(rooms[0]) if rooms[0] is not None else 0)
        after = [changed(room, one, own) for room, one, own in zip(rooms, given, memory, strict=True)]
        if any(one is not None for one in after):
            event.after = self._requests.without_addresses(request, memory, after)
        return event, RawAnswer(event.result, after)

    def _failed(self, event: Event, problem: OSError) -> OSError:
        """Note a call that failed, unless it depends on the moment."""
        if problem.errno not in (errno.EINTR, errno.EAGAIN):
            event.error, event.result = errno.errorcode.get(problem.errno or errno.EIO, "EIO"), -1
            self._tell(event)
        return problem

    def _tell(self, event: Event) -> None:
        event.file = self.number
        if self._note is not None:
            self._note(event)

    def close(self) -> None:
        """The program is done with it."""
        os.close(self._fd)
        self._fd = -1


def changed(room: Any, given: Segment, own: Segment) -> Segment:
    """What a call left in a room, where that is not what was in it; the program's own pointers stay."""
    if room is None or given is None or own is None:
        return None
    now = bytes(room)[: len(given)]
    if now == given:
        return None
    return bytes(mine if new == before else new for new, before, mine in zip(now, given, own, strict=True))


def real_ioctl(fd: int, request: int, argument: int) -> int:
    """ioctl(2).  Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.ioctl(fd, ctypes.c_ulong(request), ctypes.c_void_p(argument)))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class RealDevice(Device):
    """A real node, opened when it is first needed; of a terminal, all that comes is sent on."""

    path: str = ""

    def prepare(self, requests: Requests, note: Note | None) -> None:
        """What is known of its ioctls, and who hears of the calls; before it is plugged."""
        self._requests = requests
        self._note = note
        self.records = note is not None
        self._file: RealFile | None = None
        self.number = 0

    def open(self, flags: int) -> File:
        """Open it.  Raises OSError."""
        return RealFile(self, self.path, flags, self._requests, self._note)

    def file(self) -> RealFile:
        """The one open of a terminal."""
        if self._file is None:
            self._file = RealFile(self, self.path, os.O_RDWR | os.O_NONBLOCK, self._requests, self._note)
            self.after(0, self._look)
        self._file.number = self.number
        return self._file

    def write(self, data: bytes) -> Any:
        """Of a terminal: hand it over."""
        return self.file().write(data)

    def raw_ioctl(self, request: int, argument: int, memory: list[Segment] | None) -> Any:
        """Of a terminal: the real ioctl."""
        return self.file().raw_ioctl(request, argument, memory)

    def _look(self) -> None:
        try:
            while (data := self.file().read(MOST_AT_ONCE)) is not WAIT and data:
                if self._plug is not None:
                    self._plug.send(data)
        except OSError:
            return  # it has hung up: nothing comes any more
        self.after(LOOK_EVERY, self._look)
