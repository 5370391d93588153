"""A replayed device whose every call is answered from the trace: whatever is no terminal and no disk."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from devshim.model.description import Description
from devshim.model.device import Device, File, Link
from devshim.trace.course import Course, Rules
from devshim.trace.event import Event, Node
from devshim.trace.matching import INDIFFERENT, same_flags
from devshim.trace.replay_file import ReplayFile, error_of
from devshim.trace.requests import Requests
from devshim.trace.source import Feed

if TYPE_CHECKING:
    from devshim.trace.replay import Replay

#: Bytes of one record, of devices that give whole ones (struct input_event; an hidraw report drops what is not read).
RECORDS = {r"/dev/input/event\d+": 24}
#: Opens to come that are looked at.
MOST_OPENS = 32
PACKETS = r"/dev/(hidraw\d+|net/tun)"


class Replayed(Device):
    """What all replayed devices have: their node, and where they are in the trace."""

    if TYPE_CHECKING:
        replay: Replay
        requests: Requests
        path: str
        recorded_node: Node
        model: Device | None

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        self.replay = replay
        self.recorded_node = node
        self.path = node.path
        self.requests = Requests(replay.path, replay.trace.header, self.own_requests())
        self.model = None
        kind = stat.S_IFBLK if node.kind == "block" else stat.S_IFCHR
        self.mode = kind | node.mode  # type: ignore[misc]

    def own_requests(self) -> Iterable[Description]:
        """Requests that are known without the trace."""
        from devshim.known import for_node

        node = self.recorded_node
        return for_node(node.path, node.kind, node.rdev)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """As recorded."""
        major, minor = self.recorded_node.rdev
        return (major, minor) if major or minor else (None, None)

    def surroundings(self, node: str, major: int, minor: int) -> Mapping[str, bytes | Link]:
        """As recorded."""
        return self.recorded_node.surroundings

    def descriptions(self) -> Iterable[Description]:
        """Requests as far as they are known."""
        return self.requests.descriptions()

    def wake_in(self, seconds: float) -> None:
        """Let waiting calls ask again, so long from now."""
        self.after(seconds, self.wake)

    def open_other(self, flags: int) -> File | None:
        """Open the model that answers what the trace does not have; None where there is none."""
        if self.model is None:
            return None
        opened = self.model.open(flags)
        if not isinstance(opened, File):
            return None
        file: File = opened
        if file is not self.model:
            file.flags = flags
        return file


class Opens:
    """The recorded opens of one node, of which each open of the program is one."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._pending: list[Event] = []
        self._refusals: dict[int, Event] = {}

    def take(self, call: Event, rules: Rules) -> Event | None:
        """The recorded event of an open: one with the same flags, else the next that allows it; None for a mismatch."""
        events = [event for event in map(self._event, range(MOST_OPENS)) if event is not None]
        if rules.strict:
            events = events[:1]
        alike = [event for event in events if rules.same(event, call)]
        exact = [event for event in alike if same_flags(event, call)]
        if not alike:
            return self._refusals.get(call.flags & ~INDIFFERENT)
        event = (exact or alike)[0]
        self._pending.remove(event)
        if event.error is not None:
            self._refusals[call.flags & ~INDIFFERENT] = event
        return event

    def _event(self, index: int) -> Event | None:
        while len(self._pending) <= index:
            event = self._feed.next()
            if event is None:
                return None
            if event.name == "inherit":
                event.name = "open"
            self._pending.append(event)
        return self._pending[index]

    def left(self) -> list[Event]:
        """What nobody has opened, as far as it was looked at."""
        return [*self._pending, *self._feed.rest()]

    def near(self) -> list[Event]:
        """The opens that come next."""
        return self._pending[:4]


class ReplayDevice(Replayed):
    """Each open is a file of the recording."""

    carrier = "raw"
    seekable = True

    record = 0
    packets = False

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        super().begin(replay, node)
        self.record = next((size for path, size in RECORDS.items() if re.fullmatch(path, node.path)), 0)
        self.packets = re.fullmatch(PACKETS, node.path) is not None
        self.opens = Opens(replay.source.opens[node.path])

    def plugged(self) -> None:
        """The model that stands in for what is missing lives at the same node."""
        if self.model is not None and self._plug is not None:
            self.model.attached(self._plug)

    def open(self, flags: int) -> Any:
        """The file that was opened so at the recording."""
        self.replay.calls += 1
        call = Event("open", self.path, flags=flags)
        event = self.opens.take(call, self.replay.rules)
        if event is None:
            if self.replay.handed_over or self.model is not None:
                other = self.open_other(flags)
                if other is not None:
                    return other
            raise self.replay.refused(call, self.opens.near())
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        return self.file(event.file, event)

    def file(self, number: int, opened: Event) -> File:
        """A recorded file, opened by the program or made by an ioctl."""
        return ReplayFile(self, self.course_of(number, opened), number)

    def course_of(self, number: int, opened: Event) -> Course:
        """What is to come on it."""
        source, rules = self.replay.source, self.replay.rules
        course = Course(source, source.file(number), rules, self.requests.see)
        course.come_to(opened)
        self.replay.courses.append((number, course))
        return course
