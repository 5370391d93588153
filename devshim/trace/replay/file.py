"""One open file of a replayed device: each call is looked for in the file's course, and answered as it was."""

from __future__ import annotations

import errno
import os

from devshim.model.device import POLLIN, POLLOUT, WAIT, File
from devshim.model.raw import AGAIN, Elsewhere, RawAnswer
from devshim.trace.event import Event
from devshim.trace.replay.course import Course
from devshim.trace.replay.patience import Patience
from devshim.trace.replay.rebinding import MOST_PAST, rebind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.replay.device import ReplayDevice

#: The verdict on a reader that the other file answers.
OTHER = object()

WHENCE = ("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE")


def error_of(event: Event) -> OSError:
    """The exception that gives the program the errno of an event."""
    number = getattr(errno, event.error or "EIO")
    return OSError(number, os.strerror(number))


class ReplayFile(File):
    """Answers one open file's calls from a course.

    opened  the recorded open, where it was one
    past    what was done with it, as long as it may be another recorded file than it was taken for; else None
    """

    def __init__(self, recorded: ReplayDevice, course: Course, number: int, opened: Event | None = None) -> None:
        self.device = recorded
        self.recorded = recorded
        self.replay = recorded.replay
        self.course = course
        self.number = number
        self.opened = opened
        self.past: list[Event] | None = [] if opened is not None else None
        self.instead: File | None = None
        self._rest = b""
        self._verdict: Any = None
        self._patience = Patience(recorded, recorded.replay, course, self._may_come, self._let_go)

    # ---- What is asked

    def raw_ioctl(self, request: int, argument: int, memory: list[bytes | None] | None) -> Any:
        """The recorded answer of an ioctl."""
        recorded, course = self.recorded, self.course
        requests, replay = recorded.requests, self.replay
        replay.calls += 1
        if requests.unsettled(request):
            course.look_for(request)
            if requests.settle(request):
                return AGAIN
        if replay.handed_over and (instead := self.other()) is not None:
            return self._elsewhere(instead, request, argument, memory)
        call = requests.call(recorded.path, request, argument, memory, self.number)
        event = course.take(call) or rebind(self, call)
        if event is None:
            if (instead := self.other()) is not None:
                return self._elsewhere(instead, request, argument, memory)
            raise replay.missed(course, call)
        course = self.course
        if self.past is not None:
            self._remember(call, event)
        replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        new = recorded.file(event.new_file, event) if event.new_file else None
        steady = course.steady if course.repeated else None
        return RawAnswer(event.result, requests.memory_after(event, memory), new, event.place, steady)

    def _remember(self, call: Event, event: Event) -> None:
        """Keep what was done, until it is too much, or has led somewhere."""
        if self.past is not None:
            self.past.append(call)
            if len(self.past) > MOST_PAST or event.new_file:
                self.past = None

    def _elsewhere(self, instead: Any, request: int, argument: int, memory: list[bytes | None] | None) -> Any:
        """Let another file answer."""
        if hasattr(instead, "raw_ioctl"):
            return instead.raw_ioctl(request, argument, memory)
        return AGAIN if self.recorded.requests.add(type(instead).ioctls.values()) else Elsewhere(instead)

    def write(self, data: bytes) -> Any:
        """What a recorded write of the same bytes returned."""
        return self._written(Event("write", self.recorded.path, self.number, data=data), data)

    def pwrite(self, data: bytes, offset: int) -> Any:
        """The same at an offset."""
        return self._written(Event("pwrite", self.recorded.path, self.number, data=data, offset=offset), data)

    def _written(self, call: Event, data: bytes) -> Any:
        self.replay.calls += 1
        if self.replay.handed_over and (instead := self.other()) is not None:
            return instead.write(data) if call.offset is None else instead.pwrite(data, call.offset)
        event = self.course.take(call) or rebind(self, call)
        if event is not None and self.past is not None:
            self._remember(call, event)
        if event is None:
            if (instead := self.other()) is not None:
                return instead.write(data) if call.offset is None else instead.pwrite(data, call.offset)
            raise self.replay.missed(self.course, call)
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        return min(event.result, len(data))

    def seek(self, offset: int, whence: int) -> int:
        """Where a recorded lseek led; ESPIPE where none was recorded."""
        call = Event("lseek", self.recorded.path, self.number, offset=offset, operation=WHENCE[whence])
        event = self.course.take(call)
        self.past = None
        if event is None:
            if self.course.rules.strict:
                raise self.replay.missed(self.course, call)
            raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))
        if event.error is not None:
            raise error_of(event)
        return event.result

    # ---- What comes

    def read(self, size: int) -> Any:
        """The next data, if the program has done what it had done before that came."""
        self.replay.calls += 1
        if self._rest:
            return self._part(self._rest, size)
        if self.replay.handed_over and (instead := self.other()) is not None:
            return instead.read(size)
        found = self.course.next_data()
        if found is None:
            return self._nothing(size)
        index, entry = found
        event = entry.event
        if event.error == "EAGAIN":
            self.course.take_data(index)
            self.recorded.wake_in(0)
            return WAIT  # who will not wait gets EAGAIN, and who does is woken at once
        wait = self.course.wait(entry)
        if wait > 0:
            self.recorded.wake_in(wait)
            return WAIT
        asked = Event("read", self.recorded.path, self.number, size=size)
        if self.course.rules.strict and not (self.course.rules.same(event, asked) and self.course.may_come(event)):
            raise self.replay.missed(self.course, asked)
        self.course.take_data(index)
        self.past = None
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        return self._part(event.data, size)

    def pread(self, size: int, offset: int) -> Any:
        """The data that was recorded for the same size at the same offset, in its turn."""
        self.replay.calls += 1
        call = Event("pread", self.recorded.path, self.number, size=size, offset=offset)
        event = self.course.take_at(call)
        self.past = None
        if event is None:
            if (instead := self.other()) is not None:
                return instead.pread(size, offset)
            raise self.replay.missed(self.course, call)
        if event.error is not None:
            raise error_of(event)
        return event.data[:size]

    def _part(self, data: bytes, size: int) -> bytes:
        """So much of a message as the program has room for; the rest comes next, unless the driver drops it."""
        if size >= len(data):
            self._rest = b""
            return data
        record = self.recorded.record
        if record and size < record:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        size = size // record * record if record else size
        self._rest = b"" if self.recorded.packets else data[size:]
        return data[:size]

    def _nothing(self, size: int) -> Any:
        """No data may come now: wait for what the program does, or end as the recording ended."""
        verdict, self._verdict = self._verdict, None
        if verdict is None and self._ended():
            verdict = self.course.last_read
        if verdict is None and self.course.exhausted and (instead := self.other()) is not None:
            return instead.read(size)
        if verdict is None:
            return WAIT
        if verdict is OTHER:
            assert self.instead is not None
            return self.instead.read(size)
        if isinstance(verdict, OSError):
            raise verdict
        if verdict.error is not None:
            raise error_of(verdict)
        return b""

    def _ended(self) -> bool:
        """Whether the last thing that was read was an end of file, or an error, which come again and again."""
        last = self.course.last_read
        return last is not None and not last.data and last.error != "EAGAIN" and self.course.exhausted

    def waiting(self, call: str, how: int) -> None:
        """The program is about to wait in the kernel: let it, unless nothing can ever come."""
        self._patience.waiting(how)

    def _may_come(self) -> bool:
        """Whether there is something to read, or will be after a while."""
        return bool(self._rest) or self._verdict is not None or self.course.next_data() is not None

    def _let_go(self, since: str) -> None:
        """End a call that waits for what cannot come."""
        if self.other() is not None:
            self._verdict = OTHER
        else:
            call = Event("read", self.recorded.path, self.number)
            self._verdict = self.replay.starved(self.course, call, since)
        self.recorded.wake_in(0)

    def poll(self) -> int:
        """Ready as it was recorded, and readable where there is data."""
        if self._rest or self._verdict is not None:
            return POLLIN | POLLOUT
        if (self.replay.handed_over or self.instead is not None) and self._is_others():
            assert self.instead is not None
            return self.instead.poll()
        found = self.course.next_data(at_once=False)
        if found is None:
            return POLLOUT | (POLLIN if self._ended() else self.course.ready())
        wait = self.course.wait(found[1])
        if wait > 0:
            self.recorded.wake_in(wait)
            return POLLOUT
        return POLLIN | POLLOUT

    def _is_others(self) -> bool:
        """Whether the other file answers from now on."""
        return self.other() is not None and (self.replay.handed_over or self.course.exhausted)

    def close(self) -> None:
        """The program is done with this file."""
        self.recorded.left_alone(self)
        if self.instead is not None:
            self.instead.close()

    # ---- Who answers what the trace does not have

    def other(self) -> File | None:
        """The file of the model that answers misses; None where there is no such model."""
        if self.instead is None:
            self.instead = self.recorded.open_other(self.flags, self.number)
        return self.instead
