"""Which events of a trace are meant: by number, node, file, call, request, errno and process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase

from devshim.trace.event import Event
from devshim.trace.format.reader import Trace

Name = Callable[[Event], str]
Test = Callable[[Event], bool]


class Choice:
    """What somebody wants to see; everything while nothing was asked for.

    ranges     (first, last) numbers of events; last None: to the end
    nodes      shell patterns of paths
    requests   numbers, or shell patterns of names, of ioctls
    errors     names of errnos; "any" is every failed call

    Of several values of one kind an event needs one, of several kinds it needs each.
    """

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int | None]] = []
        self.nodes: list[str] = []
        self.files: set[int] = set()
        self.calls: set[str] = set()
        self.requests: list[int | str] = []
        self.errors: set[str] = set()
        self.processes: set[int] = set()
        self._meant: dict[str, bool] = {}  # by node: whether it is one of those that were asked for

    def tests(self, name: Name | None = None) -> list[Test]:
        """The tests that an event must pass, the cheap ones first; name tells what an ioctl's request is called."""
        tests: list[Test] = []
        if self.nodes:
            tests.append(self._on_node)
        if self.ranges:
            tests.append(self._in_range)
        if self.files:
            tests.append(lambda event: event.file in self.files)
        if self.calls:
            tests.append(lambda event: event.name in self.calls)
        if self.processes:
            tests.append(lambda event: event.process in self.processes)
        if self.errors:
            tests.append(lambda event: event.error is not None and (event.error in self.errors or "any" in self.errors))
        if self.requests:
            tests.append(lambda event: event.name == "ioctl" and self._asked_for(event, name))
        return tests

    def _in_range(self, event: Event) -> bool:
        return any(first <= event.number and (last is None or event.number <= last) for first, last in self.ranges)

    def _on_node(self, event: Event) -> bool:
        meant = self._meant.get(event.node)
        if meant is None:
            self._meant[event.node] = meant = any(fnmatchcase(event.node, pattern) for pattern in self.nodes)
        return meant

    def unmet(self, paths: Iterable[str]) -> str | None:
        """A pattern that fits none of these nodes, and none that an event was on, as far as events were chosen."""
        nodes = {*paths, *self._meant}
        return next((one for one in self.nodes if not any(fnmatchcase(node, one) for node in nodes)), None)

    def _asked_for(self, event: Event, name: Name | None) -> bool:
        called = event.label or (name(event) if name is not None else "")
        return any(one == event.request if isinstance(one, int) else fnmatchcase(called, one) for one in self.requests)

    @property
    def last(self) -> int | None:
        """The number of the last event that can be meant; None: there is no such."""
        ends = [last for _, last in self.ranges]
        return None if not ends or None in ends else max(last for last in ends if last is not None)

    def of(self, trace: Trace, name: Name | None = None) -> Iterator[Event]:
        """The events of a trace that are meant; what comes behind the last of them is not read."""
        tests = self.tests(name)
        last = self.last
        if not tests:
            yield from trace
            return
        for event in trace:
            if all(test(event) for test in tests):
                yield event
            if last is not None and event.number >= last:
                return
