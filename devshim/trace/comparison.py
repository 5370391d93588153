"""Whether two traces, or lists of calls, say the same, and where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeGuard

from devshim.trace.described import Described
from devshim.trace.difference import Change, changes
from devshim.trace.event import Event, Header
from devshim.trace.format.reader import Trace
from devshim.trace.show import line


class Comparison:
    """One of the two: a trace, or calls that were seen without one."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = events
        self.described = Described(events.header if isinstance(events, Trace) else Header())

    def text(self, event: Event) -> str:
        """One of its calls."""
        return line(event, self.described)


def same(one: Event, first: Comparison, other: Event, second: Comparison) -> bool:
    """Whether two ioctls say the same in words, though bytes that mean nothing may differ."""
    if one.name != "ioctl" or (one.node, one.request, one.result) != (other.node, other.request, other.result):
        return False
    if (one.error, one.finished, one.argument) != (other.error, other.finished, other.argument):
        return False
    values = first.described.values(one)
    return bool(values) and values == second.described.values(other)


def compared(one: Comparison, other: Comparison) -> Iterator[Change]:
    """Where they differ.  Raises TraceError at a damaged line."""
    return changes(iter(one.events), iter(other.events), lambda a, b: same(a, one, b, other))


def say_the_same(one: Iterable[Event], other: Iterable[Event]) -> bool:
    """Whether they do: times, processes and numbers of files do not count.  Raises TraceError at a damaged line."""
    return next(compared(Comparison(one), Comparison(other)), None) is None


class CallList(list[Event]):
    """Calls on devices; equal to other calls, or to a trace, that say the same."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Trace) or is_calls(other):
            return say_the_same(self, other)
        return NotImplemented

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = None


def is_calls(value: object) -> TypeGuard[list[Event]]:
    """Whether it is a list of calls; one without any may be."""
    return isinstance(value, list) and all(isinstance(item, Event) for item in value)


def explained(one: Iterable[Event], other: Iterable[Event], most: int = 60) -> list[str]:
    """Where they differ, in the manner of diff: - has what only the first says, + what only the second does."""
    first, second = Comparison(one), Comparison(other)
    lines: list[str] = []
    for change in compared(first, second):
        lines += [f"  {first.text(event)}" for event in change.context]
        lines += [f"- {first.text(event)}" for event in change.removed]
        lines += [f"+ {second.text(event)}" for event in change.added]
        if len(lines) > most:
            return [*lines[:most], "..."]
    return lines
