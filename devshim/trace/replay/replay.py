"""A trace that answers instead of the devices it was recorded from: its nodes, its place, and what went wrong."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator

from devshim.errors import SpecError
from devshim.known.names import is_like
from devshim.model.device import Device
from devshim.trace.event import Event
from devshim.trace.format.reader import Trace, TraceError
from devshim.trace.replay.ahead import Rules
from devshim.trace.replay.course import Course
from devshim.trace.replay.matching import nearest
from devshim.trace.replay.nodes import nodes_of
from devshim.trace.replay.order import Order
from devshim.trace.replay.patience import PATIENCE
from devshim.trace.replay.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.described import Described
    from devshim.trace.replay.additions import Additions

#: Nodes of USB devices.
USB = "/dev/bus/usb/#/#"
#: Mismatches that are told in full.
MOST_TOLD = 10
#: Unused events that are counted.
MOST_COUNTED = 1000


def class_for(kind: str, path: str = "") -> type[Device]:
    """The class of a node's device.  Each is imported where a trace has such a node: a terminal's takes a while."""
    if kind == "tty":
        from devshim.trace.replay.tty import ReplayTty

        return ReplayTty
    if kind == "block":
        from devshim.trace.replay.storage import ReplayStorage

        return ReplayStorage
    if kind == "sysfs":
        from devshim.trace.replay.around import ReplayFolder

        return ReplayFolder
    if is_like(path, USB):
        from devshim.trace.replay.usb import ReplayUsb

        return ReplayUsb
    from devshim.trace.replay.device import ReplayDevice

    return ReplayDevice


class Replay:
    """One trace being replayed.

    again       by file, the courses of those that were opened again: the one that came furthest, and the latest
    opened_more by node, how often it was opened beyond the recording, and the recorded open that this was last
    later       opens that were left for later, each with the one that was made again in its place
    calls       made by the program so far on its nodes
    handed_over whether others answer from now on (--until)
    due         until when something may come by itself, on time.monotonic()
    patience    seconds without a call after which waits for what cannot come are ended
    complaints  mismatches as they were told; quiet: they stand there alone, for whoever asks
    """

    def __init__(self, path: str, rules: Rules | None = None, until: int = 0, fail_on_unused: bool = False) -> None:
        self.path = path
        self.rules = rules or Rules()
        self.trace = Trace(path)
        self.source = Source(self.trace)
        self.source.damaged = self._damaged
        self.nodes = nodes_of(self.trace)
        self.courses: list[tuple[int, Course]] = []
        self.again: dict[int, list[Course]] = {}
        self.opened_more: dict[str, tuple[Event, int]] = {}
        self.later: list[tuple[Event, Event]] = []
        self.devices: dict[str, Device] = {}
        self.order = Order(self)
        self.calls = 0
        self.due = 0.0
        self.patience = PATIENCE
        self.handed_over = False
        self.mismatches = 0
        self._additions: Additions | None = None
        self._not_added = ""
        self._opens_added = 0
        self.complaints: list[str] = []
        self.quiet = False
        self._until = until
        self._fail_on_unused = fail_on_unused
        self._told_end = False
        self._described: Described | None = None

    def device(self, node: str, at: str | None = None) -> Device:
        """The device that answers as a node of the trace; at: where it is plugged, for messages.

        Raises SpecError for a node that the trace does not have.
        """
        found = self.nodes.get(node)
        if found is None:
            raise SpecError(f"{self.path} has no node {node}; it has {', '.join(self.nodes) or 'none'}")
        self.source.serve(node, together=found.kind in ("tty", "block", "sysfs") or is_like(found.path, USB))
        device: Any = class_for(found.kind, found.path)()
        device.begin(self, found)
        self.devices[node] = device
        return device  # type: ignore[no-any-return]

    def add_course(self, number: int, course: Course, node: str) -> None:
        """Let a course take part: that of one recorded file of a node, or (0) of all its files."""
        self.courses.append((number, course))
        if not (self.rules.strict or self.rules.loose):
            self.order.add(node, course)
        if self.rules.strict:
            course.may_come = self._may_come

    def add_again(self, number: int, course: Course) -> None:
        """Let the course of a file that is opened once more take part."""
        known = self.again.setdefault(number, [])
        known[:] = [*sorted(known, key=lambda one: one.reached)[-1:], course]

    def opened_again(self, event: Event) -> None:
        """The program opens a node once more than was recorded, and gets what a recorded open got."""
        _, count = self.opened_more.get(event.node, (event, 0))
        self.opened_more[event.node] = event, count + 1

    def left_for_later(self, opened: Event, instead: Event) -> None:
        """The program's file is no new one, as it was taken for, but one that it had opened before."""
        if len(self.later) < MOST_TOLD:
            self.later.append((opened, instead))

    def _may_come(self, event: Event) -> bool:
        """Whether no other file has something before an event that is not done; what overlapped it does not count."""
        before = event.number if event.since is None else event.since + 1
        firsts = (course.first for _, course in self.courses)
        return not any(first is not None and first.number < before for first in firsts)

    def fall_back(self, node: str, model: Device) -> None:
        """Let a model answer what the trace does not have of a node; before that is plugged."""
        device: Any = self.devices[node]
        device.model = model

    def hand_over(self, node: str, real: str, record: bool) -> None:
        """Let the real node answer what the trace does not have; record: and add that to the trace."""
        from devshim.trace.replay.real import RealDevice

        device: Any = self.devices[node]
        device.model = RealDevice(path=real)
        device.model.prepare(device.requests, self.add if record else None)

    def add(self, event: Event) -> None:
        """Extend the trace by what the real device has answered."""
        from devshim.trace.replay.additions import Additions

        if self._not_added:
            return
        try:
            if self._additions is None:
                self._additions = Additions(self.path)
                self.source.last = self._additions.before
            self._additions.add(event)
        except (OSError, TraceError, ValueError) as problem:
            self._not_added = f"{self.path}: not extended: {problem}"

    def added_open(self, call: Event) -> int:
        """The program opened a file that the trace does not have: the number that stands for it until it is added."""
        self._opens_added += 1
        number = call.file = -self._opens_added
        self.add(call)
        call.file = number
        return call.file

    # ---- While it goes on

    def came_to(self, event: Event) -> None:
        """The program has come to an event."""
        if self._until and event.number >= self._until:
            self._hand_over()

    def came_to_last(self) -> None:
        """The program has come to events of a stream, which end where they may."""
        if self._until and self.source.used >= self._until:
            self._hand_over()

    def _hand_over(self) -> None:
        """Others answer from now on, what has been answered from the trace so far, too."""
        if not self.handed_over:
            for _, course in self.courses:
                course.steady.good = False
        self.handed_over = True

    def missed(self, course: Course, call: Event, why: str = "") -> OSError:
        """The program did what the trace does not have next: tell it, and return what the program gets."""
        near = [entry.event for entry in self._next(course)]
        expected = nearest(near, call)
        if not why and near and expected is not near[0] and not (expected and expected.request == call.request):
            expected = near[0]
        return self._tell(call, expected, near, why)

    def will_come_in(self, seconds: float) -> None:
        """Something will be there to be read after a while, whatever the program does."""
        self.due = max(self.due, time.monotonic() + seconds)

    def starved(self, course: Course, call: Event, since: str = "") -> OSError:
        """The program waits for data that cannot come; told likewise.  since: for how long, in words."""
        blocker = course.blocker
        if blocker is None:
            return self._tell(call, None, [], f"the program waits for data, and the trace has no more{since}")
        near = [entry.event for entry in self._next(course)]
        return self._tell(call, blocker, near, f"the program waits for data that comes only after it does this{since}")

    def refused(self, call: Event, near: list[Event]) -> OSError:
        """The same of an open."""
        return self._tell(call, near[0] if near else None, near, "" if near else f"no more opens of {call.node}")

    def _tell(self, call: Event, expected: Event | None, near: list[Event], why: str) -> OSError:
        self.mismatches += 1
        if self.mismatches <= MOST_TOLD:
            from devshim.trace.replay.mismatch import difference, message

            why = why or self._member(expected, call)
            if expected is None and self.trace.left_out:
                why = f"{why or difference(None, call)}; its last line, {self.trace.lines + 1}, is cut off"
            self.complain(call.node, message(self.path, call, expected, near, why, self.told))
        elif self.mismatches == MOST_TOLD + 1:
            self.complain(call.node, f"{self.path}: more mismatches follow that are not shown")
        return OSError(errno.EIO, os.strerror(errno.EIO))

    def _member(self, expected: Event | None, call: Event) -> str:
        """The first member in which two ioctls differ, in words; "" where they are not the same request, or unknown."""
        if expected is None or expected.name != "ioctl" or expected.request != call.request:
            return ""
        described = self._words()
        one, other = (described.values(event).get("in") for event in (expected, call))
        if one is None or other is None or one == other:
            return ""
        from devshim.trace.difference import first_member

        return f"{described.name(expected)}: recorded {first_member(one, other)}".replace(", then ", ", now ")

    def told(self, event: Event) -> str:
        """An event in words."""
        from devshim.trace.show import line

        return line(event, self._words())

    def _words(self) -> Described:
        """What says calls in words.  It is loaded when it is needed: a replay that goes well has nothing to say."""
        if self._described is None:
            from devshim.trace.described import Described

            self._described = Described(self.trace.header)
        return self._described

    def _next(self, course: Course) -> Iterator[Any]:
        for count, entry in enumerate(course.entries()):
            if count == 8:
                return
            if entry.event.name != "poll":
                yield entry

    def _damaged(self, problem: str) -> None:
        """A line of the trace cannot be read: what comes after it is lost."""
        for node in self.devices:
            self.complain(node, problem)
            return

    def tell_end(self, event: Event) -> None:
        """The program waits in a call from which the recorded one never returned."""
        if not self._told_end:
            self._told_end = True
            text = (
                f"{self.path}:{event.line}: the recorded program was ended in this {event.name}; the replay waits there"
            )
            self.complain(event.node, text, failure=False)

    def complain(self, node: str, text: str, failure: bool = True) -> None:
        """Tell the user, by way of the plugged device."""
        if failure:
            self.complaints.append(text)
        if failure and self.quiet:
            return
        device = self.devices.get(node)
        plug = device._plug if device is not None else None
        if plug is not None:
            plug.complain(text, failure)

    # ---- At the end

    def unused(self) -> tuple[int, Event | None]:
        """How many events the program has not come to, as far as they matter, and the first of them."""
        count, first = 0, None
        for event in self._left():
            count += 1
            if first is None or event.number < first.number:
                first = event
            if count > MOST_COUNTED:
                break
        return count, first

    def _left(self) -> Iterator[Event]:
        self.source.used = self.source.read  # as far again as one looks ahead while it goes on
        taken = {number for number, _ in self.courses}
        for number, course in self.courses:
            furthest = max([course, *self.again.get(number, ())], key=lambda one: one.reached)
            yield from furthest.left()
        for device in self.devices.values():
            opens = getattr(device, "opens", None)
            if opens is not None:
                yield from (event for event in opens.left() if event.error is None)
        for number, feed in self.source.files():
            if number not in taken:
                yield from (event for event in feed.rest() if event.name not in ("poll", "close"))

    def _extended(self) -> Iterator[tuple[str, bool]]:
        """Close the trace that was extended, and say so."""
        if self._not_added:
            yield self._not_added, False
        if self._additions is None or not self._additions.count:
            return
        try:
            self._additions.end()
        except OSError as problem:
            yield f"{self.path}: {problem.strerror}; it lacks its last line", False
        yield f"{self.path}: extended by {self._additions.count} events", False

    def _opened_otherwise(self) -> Iterator[tuple[str, bool]]:
        """Opens that were not as recorded: more of them, or an old one in the place of a new one."""
        for node, (event, count) in self.opened_more.items():
            times = "once" if count == 1 else f"{count} times"
            text = f"{node} was opened {times} more than recorded, and answered again as from here on"
            yield f"{self.path}:{event.line}: {text}", False
        for opened, instead in self.later:
            opens = getattr(self.devices.get(opened.node), "opens", None)
            if opens is not None and any(event is opened for event in opens.near()):
                what = f"what was recorded from here on was not done; instead, that from line {instead.line} on again"
                yield f"{self.path}:{opened.line}: mismatch: {what}", True

    def _where(self) -> str:
        """Where the nodes are, in a few words, for who looked elsewhere."""
        shown = ", ".join(list(self.nodes)[:3]) + (", ..." if len(self.nodes) > 3 else "")
        return f", {shown}; --map RECORDED=NODE plugs one elsewhere" if shown else ""

    def report(self) -> Iterable[tuple[str, bool]]:
        """What there is to say at the end, each with whether it is a failure of the run."""
        yield from self._extended()
        if self.handed_over:
            return
        if not self.calls:
            if not self.source.read and not self.source.more():
                return  # it has nothing but what is around nodes
            yield (
                f"{self.path}: nothing of the trace was used: the program opened none of its nodes{self._where()}",
                True,
            )
            return
        yield from self._opened_otherwise()
        yield from ((text, False) for text in self.order.report())
        yield from self.rest()

    def rest(self) -> Iterable[tuple[str, bool]]:
        """What of the trace was not used, if anything, and whether that is a failure of the run."""
        count, first = self.unused()
        if first is not None:
            many = f"more than {MOST_COUNTED}" if count > MOST_COUNTED else str(count)
            of = f"{many} events of the trace were not used" if count > 1 else "one event of the trace was not used"
            yield f"{self.path}:{first.line}: {of}; the first: {self.told(first)}", self._fail_on_unused
