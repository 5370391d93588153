"""Is a recording still true? Compares what a program has just done with a trace, call by call, as a replay would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy

from devshim.trace.event import Event
from devshim.trace.format.reader import TraceError
from devshim.trace.replay.course import Course
from devshim.trace.replay.device import ReplayDevice
from devshim.trace.replay.matching import Kind, kind_of
from devshim.trace.replay.mismatch import bytes_difference, message
from devshim.trace.replay.replay import Replay
from devshim.trace.replay.source import OPENS
from devshim.trace.replay.storage import ReplayStorage, StorageCourse

#: Differences that are told.
MOST_TOLD = 20


class Check:
    """The comparison of one run with one trace.

    replay  of the trace, whose devices are plugged nowhere
    """

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self._courses: dict[int, Course] = {}
        self._unread: dict[int, bytes] = {}
        self._positions: dict[int, int] = {}

    def differences(self, event: Event) -> Iterator[str]:
        """What is other than recorded in a call that the program has just done, in words.  Raises TraceError."""
        device = self.replay.devices.get(event.node)
        if device is None:
            return
        event = copy(event)
        if event.name in OPENS and isinstance(device, (ReplayDevice, ReplayStorage)):
            yield from self._opened(device, event)
            return
        course = self._courses.get(event.file) or getattr(device, "course", None)
        if course is not None:
            yield from self._called(course, device, event)

    def _opened(self, device: ReplayDevice | ReplayStorage, event: Event) -> Iterator[str]:
        event.name = "open"
        found = device.opens.take(event, self.replay.rules)
        if found is None:
            yield message(self.replay.path, event, None, [], "such an open was not recorded", self.replay.told)
            return
        if found.error != event.error:
            yield self._differs(found, event, errors(found, event))
        if found.file and event.file and isinstance(device, ReplayDevice):
            self._courses[event.file] = device.course_of(found.file, found)

    def _called(self, course: Course, device: object, event: Event) -> Iterator[str]:
        kind = kind_of(event)
        if isinstance(course, StorageCourse) and event.name in ("read", "pread", "write", "pwrite", "lseek"):
            if event.error is None:
                yield from self._moved(course, event)
            return
        if event.name in ("read", "pread") and event.error is None:
            yield from self._read(course, event)
            return
        if kind < Kind.QUERY and event.name not in OPENS:
            return
        if event.name == "ioctl":
            course.see(event)
        if event.name == "write":
            if event.error is None:
                yield from self._wrote(course, event)
            return
        found = course.take(event)
        if found is None:
            near = [entry.event for _, entry in zip(range(4), course.entries(), strict=False)]
            yield message(self.replay.path, event, near[0] if near else None, near, "", self.replay.told)
            return
        if found.new_file and event.new_file and isinstance(device, ReplayDevice):
            self._courses[event.new_file] = device.course_of(found.new_file, found)
        yield from self._answers(found, event)

    def _answers(self, found: Event, event: Event) -> Iterator[str]:
        if found.error != event.error:
            yield self._differs(found, event, errors(found, event))
        elif found.result != event.result and not event.new_file:
            yield self._differs(found, event, f"the result is {event.result}, recorded {found.result}")
        elif found.after != event.after and not self.replay.rules.loose and not event.new_file:
            yield self._differs(found, event, "another answer")

    def _wrote(self, course: Course, event: Event) -> Iterator[str]:
        taken, found = course.take_written(event.data[: event.result])
        if taken < event.result:
            near = [entry.event for _, entry in zip(range(4), course.entries(), strict=False)]
            yield message(self.replay.path, event, found, near, "", self.replay.told)

    def _moved(self, course: StorageCourse, event: Event) -> Iterator[str]:
        """A disk by its content, wherever calls begin and end; what the trace does not know of it cannot differ."""
        if event.name == "lseek":
            self._positions[event.file] = event.result
            return
        if event.name in ("read", "write"):
            event.offset = self._positions.get(event.file, 0)
            self._positions[event.file] = event.offset + event.result
        offset = event.offset or 0
        if event.name in ("write", "pwrite"):
            data = event.data[: event.result]
            taken, found = course.write(offset, data)
            if taken < len(data):
                yield message(self.replay.path, event, found, [], "", self.replay.told)
            return
        known = course.read(offset, event.size)
        found, data = (known, known.data) if isinstance(known, Event) else (None, known or b"")
        length = min(len(data), len(event.data))
        if not self.replay.rules.loose and (data[:length] != event.data[:length] or (found and len(data) != length)):
            yield self._differs(found, event, bytes_difference(data, event.data))

    def _read(self, course: Course, event: Event) -> Iterator[str]:
        """Data as a stream: what comes may be cut otherwise."""
        held = self._unread.pop(event.file, b"")
        last = None
        while len(held) < len(event.data) and (found := course.next_data(at_once=False)) is not None:
            last = course.take_data(found[0])
            held += last.data
        if not self.replay.rules.loose and held[: len(event.data)] != event.data:
            if last is None and not held:
                yield self._differs(None, event, "the trace has no such data here")
            else:
                yield self._differs(last, event, bytes_difference(held[: len(event.data)], event.data))
        self._unread[event.file] = held[len(event.data) :]

    def _differs(self, found: Event | None, event: Event, why: str) -> str:
        place = f"{self.replay.path}:{found.line}" if found is not None else self.replay.path
        lines = [f"{place}: not true any more: {why}", f"  now:      {self.replay.told(event)}"]
        if found is not None:
            lines.append(f"  recorded: {self.replay.told(found)}")
        return "\n".join(lines)


class Checking:
    """Compares while the program runs; say hears of each difference.

    found  how many there were
    """

    def __init__(self, replay: Replay, say: Callable[[str], object]) -> None:
        self.found = 0
        self._replay = replay
        self._check = Check(replay)
        self._say = say
        self._damaged = False

    def event(self, event: Event) -> None:
        """The program has done a call."""
        if self._damaged:
            return
        try:
            for text in self._check.differences(event):
                self._tell(text)
        except TraceError as problem:
            self._damaged = True
            self._tell(str(problem))

    def _tell(self, text: str) -> None:
        self.found += 1
        if self.found <= MOST_TOLD:
            self._say(text)
        elif self.found == MOST_TOLD + 1:
            self._say(f"{self._replay.path}: more differences follow that are not shown")

    def end(self) -> list[str]:
        """The program has ended: say whether the recording is true, and return what failed."""
        if self.found:
            return [f"{self._replay.path} is not true any more"]
        rest = list(self._replay.rest()) if not self._damaged else []
        self._say(f"{self._replay.path} is still true{', as far as the program went' if rest else ''}")
        for text, _ in rest:
            self._say(text)
        return [text for text, failed in rest if failed]


def errors(found: Event, event: Event) -> str:
    """How two calls differ of which one failed, or each otherwise."""
    return f"now {event.error or 'it succeeds'}, recorded {found.error or 'a success'}"
