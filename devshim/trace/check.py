"""Is a recording still true? Compares what a program has just done with a trace, call by call, as a replay would."""

from __future__ import annotations

from collections.abc import Iterator

from devshim.trace.course import Course
from devshim.trace.event import Event
from devshim.trace.matching import Kind, kind_of
from devshim.trace.mismatch import bytes_difference, message
from devshim.trace.reader import Trace
from devshim.trace.replay import Replay
from devshim.trace.replay_device import ReplayDevice
from devshim.trace.replay_storage import StorageCourse
from devshim.trace.source import OPENS

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

    def differences(self, run: Trace) -> Iterator[str]:
        """Each difference in words, in the order of the run; its events count as calls of the program."""
        for event in run:
            device = self.replay.devices.get(event.node)
            if device is None:
                continue
            if event.name in OPENS and isinstance(device, ReplayDevice):
                yield from self._opened(device, event)
                continue
            course = self._courses.get(event.file) or getattr(device, "course", None)
            if course is not None:
                yield from self._called(course, device, event)

    def _opened(self, device: ReplayDevice, event: Event) -> Iterator[str]:
        event.name = "open"
        found = device.opens.take(event, self.replay.rules)
        if found is None:
            yield message(self.replay.path, event, None, [], "such an open was not recorded", self.replay.told)
            return
        if found.error != event.error:
            yield self._differs(
                found, event, f"now {event.error or 'it succeeds'}, recorded {found.error or 'a success'}"
            )
        if found.file and event.file:
            self._courses[event.file] = device.course_of(found.file, found)

    def _called(self, course: Course, device: object, event: Event) -> Iterator[str]:
        kind = kind_of(event)
        if event.name in ("read", "pread") and event.error is None and not isinstance(course, StorageCourse):
            yield from self._read(course, event)
            return
        if isinstance(course, StorageCourse) and event.name in ("read", "pread", "write", "pwrite", "lseek"):
            return  # by content, which the disk's users have changed since
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
            yield self._differs(
                found, event, f"now {event.error or 'it succeeds'}, recorded {found.error or 'a success'}"
            )
        elif found.result != event.result and not event.new_file:
            yield self._differs(found, event, f"the result is {event.result}, recorded {found.result}")
        elif found.after != event.after and not self.replay.rules.loose and not event.new_file:
            yield self._differs(found, event, "another answer")

    def _wrote(self, course: Course, event: Event) -> Iterator[str]:
        taken, found = course.take_written(event.data[: event.result])
        if taken < event.result:
            near = [entry.event for _, entry in zip(range(4), course.entries(), strict=False)]
            yield message(self.replay.path, event, found, near, "", self.replay.told)

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


def check(replay: Replay, run: str) -> list[str]:
    """What is not true any more, in words; run: the path of the trace of the run.  Raises TraceError."""
    found = []
    for text in Check(replay).differences(Trace(run)):
        found.append(text)
        if len(found) > MOST_TOLD:
            found[-1] = f"{replay.path}: more differences follow that are not shown"
            break
    return found


def errors(found: Event, event: Event) -> str:
    """How two calls differ of which one failed, or each otherwise."""
    return f"now {event.error or 'it succeeds'}, recorded {found.error or 'a success'}"
