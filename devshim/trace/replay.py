"""A trace that answers instead of the devices it was recorded from: its nodes, its place, and what went wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from devshim.errors import SpecError
from devshim.model.device import Device
from devshim.trace.course import Course, Rules
from devshim.trace.described import Described
from devshim.trace.difference import first_member
from devshim.trace.event import Event, Node
from devshim.trace.files import open_to_read
from devshim.trace.matching import nearest
from devshim.trace.mismatch import message
from devshim.trace.reader import Trace, TraceError
from devshim.trace.show import line
from devshim.trace.source import OPENS, Source

#: Mismatches that are told in full.
MOST_TOLD = 10
#: Unused events that are counted.
MOST_COUNTED = 1000
#: Events in which nodes are looked for that no line of the trace describes.
MOST_SEARCHED = 500
DESCRIBED = re.compile(rb'\n\{"(?:node|ioctl)"')
LONGEST_BEGIN = 16
CHUNK = 1 << 20


class Replay:
    """One trace being replayed.

    calls       made by the program so far on its nodes
    handed_over whether others answer from now on (--until)
    """

    def __init__(self, path: str, rules: Rules | None = None, until: int = 0, fail_on_unused: bool = False) -> None:
        self.path = path
        self.rules = rules or Rules()
        self.trace = Trace(path)
        self.source = Source(self.trace)
        self.nodes = nodes_of(self.trace)
        self.courses: list[tuple[int, Course]] = []
        self.devices: dict[str, Device] = {}
        self.calls = 0
        self.handed_over = False
        self.mismatches = 0
        self._until = until
        self._fail_on_unused = fail_on_unused
        self._told_end = False
        self._described = Described(self.trace.header)

    def device(self, node: str, at: str | None = None) -> Device:
        """The device that answers as a node of the trace; at: where it is plugged, for messages.

        Raises SpecError for a node that the trace does not have.
        """
        from devshim.trace.replay_device import ReplayDevice
        from devshim.trace.replay_storage import ReplayStorage
        from devshim.trace.replay_tty import ReplayTty

        found = self.nodes.get(node)
        if found is None:
            raise SpecError(f"{self.path} has no node {node}; it has {', '.join(self.nodes) or 'none'}")
        kinds: dict[str, Any] = {"tty": ReplayTty, "block": ReplayStorage}
        self.source.serve(node, together=found.kind in kinds)
        device: Any = kinds.get(found.kind, ReplayDevice)()
        device.begin(self, found)
        self.devices[node] = device
        return device  # type: ignore[no-any-return]

    def fall_back(self, node: str, model: Device) -> None:
        """Let a model answer what the trace does not have of a node; before that is plugged."""
        device: Any = self.devices[node]
        device.model = model

    # ---- While it goes on

    def came_to(self, event: Event) -> None:
        """The program has come to an event."""
        if self._until and event.number >= self._until:
            self.handed_over = True

    def came_to_last(self) -> None:
        """The program has come to events of a stream, which end where they may."""
        if self._until and self.source.used >= self._until:
            self.handed_over = True

    def missed(self, course: Course, call: Event, why: str = "") -> OSError:
        """The program did what the trace does not have next: tell it, and return what the program gets."""
        near = [entry.event for entry in self._next(course)]
        expected = nearest(near, call)
        if not why and near and expected is not near[0] and not (expected and expected.request == call.request):
            expected = near[0]
        return self._tell(call, expected, near, why)

    def starved(self, course: Course, call: Event) -> OSError:
        """The program waits for data that cannot come; told likewise."""
        blocker = course.blocker
        if blocker is None:
            return self._tell(call, None, [], "the program waits for data, and the trace has no more")
        near = [entry.event for entry in self._next(course)]
        return self._tell(call, blocker, near, "the program waits for data that comes only after it does this")

    def refused(self, call: Event, near: list[Event]) -> OSError:
        """The same of an open."""
        return self._tell(call, near[0] if near else None, near, "" if near else f"no more opens of {call.node}")

    def _tell(self, call: Event, expected: Event | None, near: list[Event], why: str) -> OSError:
        self.mismatches += 1
        if self.mismatches <= MOST_TOLD:
            self.complain(
                call.node, message(self.path, call, expected, near, why or self._member(expected, call), self.told)
            )
        elif self.mismatches == MOST_TOLD + 1:
            self.complain(call.node, f"{self.path}: more mismatches follow that are not shown")
        return OSError(errno.EIO, os.strerror(errno.EIO))

    def _member(self, expected: Event | None, call: Event) -> str:
        """The first member in which two ioctls differ, in words; "" where they are not the same request, or unknown."""
        if expected is None or expected.name != "ioctl" or expected.request != call.request:
            return ""
        one, other = (self._described.values(event).get("in") for event in (expected, call))
        if one is None or other is None or one == other:
            return ""
        return f"{self._described.name(expected)}: recorded {first_member(one, other)}".replace(", then ", ", now ")

    def told(self, event: Event) -> str:
        """An event in words."""
        return line(event, self._described)

    def _next(self, course: Course) -> Iterator[Any]:
        for count, entry in enumerate(course.entries()):
            if count == 8:
                return
            if entry.event.name != "poll":
                yield entry

    def tell_end(self, event: Event) -> None:
        """The trace ends in a call that its program never returned from."""
        if not self._told_end:
            self._told_end = True
            text = f"{self.path}:{event.line}: the recorded program ended waiting in {event.name}; the replay ends here"
            self.complain(event.node, text, failure=False)

    def complain(self, node: str, text: str, failure: bool = True) -> None:
        """Tell the user, by way of the plugged device."""
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
        for _, course in self.courses:
            yield from course.left()
        for device in self.devices.values():
            opens = getattr(device, "opens", None)
            if opens is not None:
                yield from (event for event in opens.left() if event.error is None)
        for number, feed in self.source.files():
            if number not in taken:
                yield from (event for event in feed.rest() if event.name not in ("poll", "close"))

    def report(self) -> Iterable[tuple[str, bool]]:
        """What there is to say at the end, each with whether it is a failure of the run."""
        if self.handed_over:
            return
        if not self.calls:
            yield f"{self.path}: nothing of the trace was used: the program opened none of its nodes", True
            return
        count, first = self.unused()
        if first is not None:
            many = f"more than {MOST_COUNTED}" if count > MOST_COUNTED else str(count)
            of = f"{many} events of the trace were not used" if count > 1 else "one event of the trace was not used"
            yield f"{self.path}:{first.line}: {of}; the first: {self.told(first)}", self._fail_on_unused


def nodes_of(trace: Trace) -> dict[str, Node]:
    """The nodes of a trace by path, wherever it tells of them.  Raises TraceError."""
    for position in described_at(trace.path):
        with contextlib.suppress(TraceError):  # damage is told when the replay comes to it
            next(trace.events(position), None)
    found = dict(trace.header.nodes)
    for event in trace.events():
        if event.number > MOST_SEARCHED:
            break
        if event.name in OPENS and event.error != "ENOENT" and event.node not in found:
            kind = "tty" if re.match(r"/dev/(tty|pts/|console)", event.node) else "char"
            found[event.node] = trace.header.nodes.get(event.node) or Node(event.node, kind)
    for path, node in trace.header.nodes.items():
        found.setdefault(path, node)
    return found


def described_at(path: str) -> Iterator[int]:
    """Where the lines of a trace begin that tell of a node or a request, found without reading the others."""
    with open_to_read(path) as file:
        at, last = 0, b""
        while chunk := file.read(CHUNK):
            for match in DESCRIBED.finditer(last + chunk[:LONGEST_BEGIN]):
                yield at - len(last) + match.start() + 1
            for match in DESCRIBED.finditer(chunk):
                yield at + match.start() + 1
            last = chunk[-LONGEST_BEGIN:]
            at += len(chunk)
