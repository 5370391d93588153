"""Order between nodes: data of one waits for what the program had done on others before it came, but not for ever."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from devshim.trace.replay.matching import Kind, kind_of
from devshim.trace.replay.opens import MOST_OPENS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.event import Event
    from devshim.trace.replay.course import Course
    from devshim.trace.replay.replay import Replay


class Order:
    """Between the courses of one replay.

    A line that is set on one node may be why a port speaks; the recording tells no more than what came first.  So data
    is held until the commands are done that were recorded before it on other nodes.  As that may be chance (a watchdog
    is fed all the time), data of a node is held for another's sake no longer than the program is patient, all in all.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._courses: dict[str, list[Course]] = {}
        self._held: dict[str, float] = {}  # nodes whose data is held, since when
        self._spent: dict[tuple[str, str], float] = {}  # seconds for which data of one was held for another
        self._apart: dict[tuple[str, str], Event | None] = {}  # nodes that are not waited for: what was not done there

    def add(self, node: str, course: Course) -> None:
        """Let the course of a node, or of one of its files, take part."""
        self._courses.setdefault(node, []).append(course)
        course.order = self
        course.node = node

    def remove(self, node: str, course: Course) -> None:
        """A course is another file's by now."""
        self._courses[node] = [one for one in self._courses.get(node, ()) if one is not course]

    def hold(self, course: Course, event: Event) -> float:
        """Seconds for which data that could come is held yet."""
        replay = self._replay
        if len(replay.devices) < 2 or replay.handed_over:
            return 0.0
        node, now = course.node, time.monotonic()
        since = self._held.pop(node, None)
        before = event.number if event.since is None else event.since + 1
        cause = next(self._undone(node, before), None)
        if cause is None:
            return 0.0
        pair = cause.node, node
        spent = self._spent.get(pair, 0.0) + (now - since if since is not None else 0.0)
        if spent >= replay.patience:
            self._apart[pair] = cause
            return self.hold(course, event)
        self._spent[pair] = spent
        self._held[node] = now
        return replay.patience - spent

    def _undone(self, node: str, before: int) -> Iterator[Event]:
        """The commands on other nodes that come before an event, and that the program has not done."""
        for other, courses in self._courses.items():
            if other == node or (other, node) in self._apart:
                continue
            courses[:] = [course for course in courses if not course.over]
            for course in courses:
                event = course.command_before(before)
                if event is not None:
                    yield event
        for other, device in self._replay.devices.items():
            if other != node and (other, node) not in self._apart:
                yield from self._unopened(device, before)

    def _unopened(self, device: Any, before: int) -> Iterator[Event]:
        """Those of files that the program has not opened; a terminal's or a disk's course has its opens itself."""
        opens = getattr(device, "opens", None)
        if opens is None or hasattr(device, "course"):
            return
        for opened in itertools.islice(opens.known(), MOST_OPENS):
            if opened.number >= before:
                return
            event = self._replay.source.file(opened.file).next_kept(before, commands) if opened.file else None
            if event is not None:
                yield event

    def moved(self) -> None:
        """The program has done a command: perhaps somebody's data was held for that."""
        for node in list(self._held):
            device: Any = self._replay.devices[node]
            device.come()

    def release(self, node: str) -> None:
        """Nobody else can do what data of a node is held for, because the only thread of the program waits for it."""
        if node in self._held:
            del self._held[node]
            self._apart.update(((other, node), None) for other in self._replay.devices if other != node)
            device: Any = self._replay.devices[node]
            device.come()

    def report(self) -> Iterator[str]:
        """Which data was held in vain."""
        for (_, node), cause in self._apart.items():
            if cause is not None:
                what = self._replay.told(cause).rpartition(" = ")[0]
                yield (
                    f"{self._replay.path}:{cause.line}: data of {node} came after this, {what}, which was not done for "
                    f"{self._replay.patience:g} s; it waits for {cause.node} no more (--patience)"
                )


def commands(event: Event) -> bool:
    """Whether an event is a command that was done."""
    return event.finished and kind_of(event) == Kind.COMMAND
