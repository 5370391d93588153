"""The recorder: takes what programs wrote out of the ring, and writes the trace.

A thread of its own, which may lag: the ring holds some 100,000 calls.  After each flush of the trace it notes down how
far it is, so that the waiter can go on from there if this process is killed (takeover.py).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host._channel import Ring
from devshim.host.log import Log
from devshim.host.recorded import Recorded, RecordedNodes
from devshim.host.ringevents import Assembler, Program
from devshim.model.device import Link
from devshim.model.request import direction_of, type_and_number
from devshim.trace.described import Described
from devshim.trace.description import to_object
from devshim.trace.event import Event, Header, Node
from devshim.trace.format.writer import Writer
from devshim.trace.show import line

if TYPE_CHECKING:
    from devshim.trace.replay.check import Checking

PAUSE = 0.05
"""Seconds between two looks at the ring, where it does not fill up sooner."""

PATIENCE = 2.0
"""Seconds for which a record that is not complete keeps up those behind it; a killed thread's never is."""

MOST_DATA = 4 << 20
"""Bytes in one event; lines of more than twice as many digits are a burden to whatever reads them."""

AT_ONCE = 4096
"""Records between two flushes of the trace."""


class Wanted(NamedTuple):
    """What the user asked for.

    path      of the trace
    header    its first line, but for nodes and ioctls
    """

    path: str
    header: Header


class Numbers:
    """A set of numbers that come more or less one after the other; remembers little."""

    def __init__(self, below: int = 1, more: Iterable[int] = ()) -> None:
        self.below = below
        """All from 1 to this are in it."""
        self.more = set(more)

    def add(self, number: int) -> None:
        """Put a number in; 0 is none."""
        if number > 0:
            self.more.add(number)
        while self.below in self.more:
            self.more.remove(self.below)
            self.below += 1

    def __contains__(self, number: int) -> bool:
        return 0 < number < self.below or number in self.more


class Recording:
    """A trace as it grows: events go in, in the order of their ends, and counts for the user come out.

    Nothing is written before the first event, so that a recording of nothing leaves an earlier trace as it is.
    problem(text) hears, once, that the trace cannot be written any more; log(text), if given, of each call on hardware.
    """

    def __init__(
        self, wanted: Wanted, problem: Callable[[str], object], log: Callable[[str], object] | None = None
    ) -> None:
        self.wanted = wanted
        self.writer: Writer | None = None
        self.broken = False
        self.notes: list[str] = []
        self.counts: dict[str, list[int]] = {}
        """By node: events, bytes read, bytes written, errors."""
        self.pictures: dict[str, int] = {}
        """Of nodes that nobody opened: how many files and links are around them."""
        self.files = Numbers()
        """Open files that the trace knows."""
        self.heard: Callable[[Event, Callable[[], str]], object] | None = None
        """Is told of each call on hardware as it is taken in, with a function that puts it into words."""
        self.checked: Callable[[Event], object] | None = None
        """Is told of each call, on hardware or not, as it is taken in."""
        self._problem = problem
        self._log = log
        self._described = Described(wanted.header)
        self._programs: list[Program] = []
        self._told: set[tuple[str, int]] = set()

    def program(self, program: Program) -> None:
        """A process takes part."""
        self._programs.append(program)

    def event(self, recorded: Recorded, event: Event, path: str) -> None:
        """Put an event into the trace, behind what it needs to be understood."""
        self.count(event)
        if self._log is not None and recorded.hardware:
            self._log(line(event, self._described))
        if self.checked is not None:
            self.checked(event)
        if self.heard is not None and recorded.hardware:
            self.heard(event, lambda: line(event, self._described))
        if self.broken:
            return
        if self.writer is None and not self._open():
            return
        writer = self.writer
        assert writer is not None
        node = recorded.node
        if node.path not in writer.header.nodes:
            if path.startswith("/dev/") and path != node.path and os.path.islink(path):
                node.surroundings.setdefault(path, Link(os.readlink(path)))
            writer.node(node)
        self._tell_programs(writer)
        if event.name == "ioctl":
            self._describe(writer, recorded, event)
        if event.name not in ("open", "inherit") and event.file not in self.files:
            writer.event(Event("inherit", node.path, max(event.file, 1), process=event.process, thread=event.thread))
            event.file = max(event.file, 1)  # what told of its open was cut off
        self.files.add(event.file)
        self.files.add(event.new_file)
        if self.wanted.header.stable:
            event.time = event.took = None
        try:
            for part in parts(event):
                writer.event(part)
        except ValueError as problem:  # a program wrote nonsense into the ring
            self.note(f"an event was left out: {problem}")

    def _open(self) -> bool:
        try:
            self.writer = Writer(self.wanted.path, self.wanted.header)
        except OSError as problem:
            self._break(problem)
        return not self.broken

    def _tell_programs(self, writer: Writer) -> None:
        for program in self._programs:
            shown: dict[str, Any] = {"program": program.name, "process": program.process}
            if program.parent:
                shown["parent"] = program.parent
            writer.put(shown)
        self._programs.clear()

    def _describe(self, writer: Writer, recorded: Recorded, event: Event) -> None:
        """Put the description of a request before its first event, and say what is missing in it."""
        description = recorded.descriptions.find(event.request)
        if description is not None:
            if description.number not in writer.header.ioctls:
                writer.ioctl(to_object(description))
        elif event.pointers and (recorded.node.path, event.request) not in self._told:
            self._told.add((recorded.node.path, event.request))
            letter, number = type_and_number(event.request)
            where = "the argument" if event.argument is None and event.before is None else ""
            where = where or " and ".join(f"offset {at}" for at in event.pointers)
            way = f" ({direction_of(event.request)})" if direction_of(event.request) else ""
            self.note(
                f"{recorded.node.path}: ioctl {event.request:#010x}, {letter!r} {number:#04x}{way}: {where} looks like "
                "a pointer; what it points to is not recorded (--describe FILE.h says what it is)"
            )

    def around(self, node: Node) -> None:
        """Tell what is around a node of which perhaps nothing else is to be told."""
        if self.broken or (self.writer is None and not self._open()):
            return
        assert self.writer is not None
        if node.path not in self.writer.header.nodes:
            self.writer.node(node)
            self.pictures[node.path] = len(node.surroundings)

    def count(self, event: Event) -> None:
        """Add an event to what is told at the end."""
        counts = self.counts.setdefault(event.node, [0, 0, 0, 0])
        counts[0] += 1
        if event.error is not None:
            counts[3] += 1
        elif event.name in ("read", "pread"):
            counts[1] += len(event.data)
        elif event.name in ("write", "pwrite"):
            counts[2] += max(event.result, 0)

    def note(self, text: str) -> None:
        """Something to be said, to the user and in the trace's last line."""
        if text not in self.notes:
            self.notes.append(text)

    def flush(self) -> None:
        """Bring what there is into the file."""
        if self.writer is None or self.broken:
            return
        try:
            self.writer.flush()
        except OSError as problem:
            self._break(problem)

    def _break(self, problem: OSError) -> None:
        self.broken = True
        events = self.writer.events if self.writer is not None else 0
        kept = "it is valid up to there" if events else "nothing was recorded"
        self._problem(f"{self.wanted.path}: {problem.strerror}; the trace ends here, {kept}")

    def end(self, why: str, lost: int) -> None:
        """Write the last line."""
        if self.writer is None or self.broken:
            return
        try:
            self.writer.end(why, lost, self.notes)
        except OSError as problem:
            self._break(problem)

    def messages(self) -> list[str]:
        """What the user is told at the end, a line for each node."""
        lines = []
        for path, (events, read, written, errors) in sorted(self.counts.items()):
            parts = [f"{events} event{'s' * (events != 1)}"]
            parts += [f"{read} bytes read"] if read else []
            parts += [f"{written} bytes written"] if written else []
            parts += [f"{errors} error{'s' * (errors != 1)}"] if errors else []
            lines.append(f"recorded {path}: {', '.join(parts)}")
        lines += [f"recorded {path}: no calls, {count} files around it" for path, count in self.pictures.items()]
        if self.broken:
            lines = []
        return [*lines, *self.notes]


class Recorder:
    """Records one run: from start() to finish().

    run      the run's directory, in which the ring lies
    log      where the user is told something, and with -v of each call
    """

    def __init__(self, run: str, wanted: Wanted, nodes: RecordedNodes, log: Log) -> None:
        self.nodes = nodes
        self.checking: Checking | None = None
        self.failed = False
        self._message = log.message
        self._checkpoint = os.path.join(run, "recorder")
        self.ring = Ring(os.path.join(run, "ring"), True)
        self.assembler = Assembler(nodes.find, self.ring.state()["started"])
        self.recording = Recording(wanted, self._cannot_write, log.line if log.verbose else None)
        self._stopping = False
        self._drains = 0
        self._drained = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="devshim-recorder", daemon=True)

    def _cannot_write(self, text: str) -> None:
        self.failed = True
        self._message(text)

    def start(self) -> None:
        """Begin to take records out."""
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopping:
            self.ring.wait(PAUSE)
            self.drain(PATIENCE)
            with self._drained:
                self._drains += 1
                self._drained.notify_all()

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until all that programs have done so far is taken in, or so many seconds are over."""
        end = time.monotonic() + timeout
        with self._drained:
            wanted = self._drains + 2  # the one under way may have begun before
            while self._drains < wanted and not self._stopping and time.monotonic() < end:
                self.ring.wake()
                self._drained.wait(0.01)

    def drain(self, patience: float) -> None:
        """Bring all that is in the ring into the trace."""
        while records := self.ring.take(AT_ONCE, patience):
            for record in records:
                take_in(self.recording, self.assembler, record)
            self.recording.flush()
            self._note_down()
            self.ring.release()

    def _note_down(self) -> None:
        """Say in the run's directory how far the trace is."""
        writer, recording = self.recording.writer, self.recording
        if writer is None or recording.broken:
            return
        state = {
            "position": self.ring.state()["position"],
            "size": os.stat(recording.wanted.path).st_size,
            "events": writer.events,
            "assembler": self.assembler.state(),
            "counts": recording.counts,
            "files": [recording.files.below, sorted(recording.files.more)],
            "notes": recording.notes,
            "nodes": list(writer.header.nodes),
            "ioctls": list(writer.header.ioctls),
        }
        with open(self._checkpoint + ".new", "w") as file:
            json.dump(state, file)
        os.rename(self._checkpoint + ".new", self._checkpoint)

    def finish(self, why: str = "finished") -> None:
        """All programs have ended, or nobody waits for them any more: write the rest, and close the trace."""
        self._stopping = True
        self.ring.wake()
        self._thread.join()
        if self.checking is None:
            for node in self.nodes.asked:
                self.recording.around(node)
        finish(self.ring, self.recording, self.assembler, why)
        self.nodes.close()

    def end(self, message: Callable[[str], object]) -> list[str]:
        """Finish, tell the user what was recorded, and return what failed of it."""
        self.finish()
        if self.checking is not None and self.used:
            return self.checking.end()
        for text in self.recording.messages():
            message(text)
        for node, link in self.nodes.elsewhere.items():
            if node in self.recording.counts:
                message(f"{link} leads to {node}, as the trace calls it; replay it there with --map {node}={link}")
        if self.failed:
            return [f"{self.recording.wanted.path} could not be written"]
        if self.used:
            return []
        text = f"nothing was recorded: the program opened no device; {self.recording.wanted.path} was not written"
        if self.nodes.around is not None:
            text += "; -d /sys/class/... takes down what a folder of /sys shows"
        message(text)
        return [text]

    @property
    def used(self) -> bool:
        """Whether anything was recorded."""
        return bool(self.recording.counts or self.recording.pictures)


def parts(event: Event) -> Iterator[Event]:
    """An event, or where one line would be too long for any reader, several that come to the same."""
    if len(event.data) <= MOST_DATA:
        yield event
        return
    asked = max(event.size, len(event.data))
    for start in range(0, len(event.data), MOST_DATA):
        part = copy(event)
        part.data = event.data[start : start + MOST_DATA]
        last = start + MOST_DATA >= len(event.data)
        if event.size:
            part.size = asked - start if last else MOST_DATA
        part.result = event.result - start if last else MOST_DATA
        if event.offset is not None:
            part.offset = event.offset + start
        yield part


def take_in(recording: Recording, assembler: Assembler, record: bytes) -> None:
    """Bring one record into the trace, as far as it completes something."""
    for found in assembler.take(record):
        if isinstance(found, Program):
            recording.program(found)
        else:
            recording.event(*found)


def finish(ring: Ring, recording: Recording, assembler: Assembler, why: str) -> None:
    """Take the last records out, and write what never returned and what is missing."""
    while records := ring.take(AT_ONCE, 0.0):
        for record in records:
            take_in(recording, assembler, record)
        ring.release()
    ring.close()
    for found in assembler.unfinished():
        recording.event(*found)
    state = ring.state()
    lost = state["lost"] + sum(assembler.lost.values())
    for (name, node), times in sorted(assembler.lost.items()):
        recording.note(f"{node}: {times} call{'s' * (times != 1)} of {name}() moved data unseen; the trace lacks them")
    if state["waits"]:
        recording.note(f"the program had to wait {state['waits']} times until the recorder had caught up")
    if state["lost"]:
        recording.note(f"{state['lost']} calls are missing: nobody took them out of the ring")
    if state["skipped"] or assembler.strange:
        torn = state["skipped"] + assembler.strange
        recording.note(f"{torn} record{'s' * (torn != 1)} of calls were cut off, as where a program is killed in one")
    recording.end(why, lost)
