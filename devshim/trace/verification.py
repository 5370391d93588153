"""All that is wrong with a trace, with its line: what the reader refuses, and what it lets pass but cannot be true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from devshim.trace.described import Described
from devshim.trace.description import decode, from_object
from devshim.trace.event import Event
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped

Report = Callable[[int, str], object]


class Verification:
    """One pass over a trace.

    events    how many sound ones were met
    report    is told of each fault: its line, 0 for the trace as a whole, and what is wrong
    """

    def __init__(self, trace: Trace, report: Report) -> None:
        self.trace = trace
        self.events = 0
        self._report = report
        self._described = Described(trace.header)
        self._files: dict[int, int] = {}
        self._undescribed: set[str] = set()
        self._failed: set[tuple[str, int]] = set()

    def run(self, events: Callable[[Iterator[Event]], Iterator[Event]] = iter) -> None:
        """Look at everything.  events may stand between, to show how far it is.  Raises TraceError for no trace."""
        for event in events(self.trace.events(damage=self._report)):
            self.events += 1
            self._look_at(event)
        self._look_at_end()
        self._look_at_descriptions()

    def _look_at(self, event: Event) -> None:
        if event.name in ("open", "inherit") and event.file:
            self._made(event.file, event)
        if event.new_file:
            self._made(event.new_file, event)
        if event.node not in self.trace.header.nodes and event.node not in self._undescribed:
            self._undescribed.add(event.node)
            self._report(event.line, f"no line says what node {escaped(event.node)} is")
        if event.name == "ioctl" and (event.before is not None or event.after is not None):
            self._look_at_memory(event)

    def _made(self, file: int, event: Event) -> None:
        """A file was opened, which happens once."""
        if file in self._files:
            self._report(event.line, f"file {file} was opened in line {self._files[file]} already")
        else:
            self._files[file] = event.line

    def _look_at_memory(self, event: Event) -> None:
        before, after = event.before, event.after
        if before is not None and after is not None and len(before) != len(after):
            self._report(event.line, f"{len(before)} segments of memory before the call, {len(after)} after it")
            return
        memory: list[Any] = before if before is not None else after if after is not None else []
        argument = (after[0] if after and after[0] is not None else None) or (memory[0] if memory else None) or b""
        if event.place is not None and event.place + 4 > len(argument):
            self._report(event.line, f"place {event.place}: the argument has {len(argument)} bytes")
        for offset in event.pointers:
            if offset >= len(argument):
                self._report(event.line, f"a pointer at {offset}: the argument has {len(argument)} bytes")
        key = (event.node, event.request)
        description = self._described.find(event)
        if description is None or key in self._failed or event.incomplete:
            return
        try:
            decode(description, before, after)
        except (ValueError, OverflowError, IndexError, RecursionError) as problem:
            self._failed.add(key)
            self._report(
                event.line, f"{escaped(description.label)}: the memory does not fit its description: {problem}"
            )

    def _look_at_end(self) -> None:
        trace = self.trace
        if trace.left_out:
            self._report(trace.lines + 1, "the last line is cut off; readers leave it out")
        if not trace.finished:
            self._report(0, "there is no end line: the recorder was killed, or still records")
        elif trace.promised is not None and trace.promised != self.events:
            self._report(trace.lines, f"the end tells of {trace.promised} events, and {self.events} can be read")
        if trace.lost:
            self._report(trace.lines, f"the recorder says that {trace.lost} calls are missing")

    def _look_at_descriptions(self) -> None:
        for number, shown in self.trace.header.ioctls.items():
            try:
                from_object(shown)
            except ValueError as problem:
                self._report(0, f"the description of ioctl {number:#010x} cannot be used: {problem}")
