"""Two traces side by side, by what was said: times, processes, numbers of files and of descriptors are left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from devshim.trace.described import member_text
from devshim.trace.event import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: So many events of each trace are looked through for the place from which on they are alike again.
WINDOW = 2048

#: So many are compared at a time where they are alike.
BATCH = 256

#: Two stretches are alike where so many calls in a row are.
ENOUGH = 3

Same = Callable[[Event, Event], bool]


class Change:
    """A place where two traces differ.

    context  the events before it that are alike, as they stand in the first
    removed  what only the first has; added: what only the second has
    """

    __slots__ = ("added", "context", "removed")

    def __init__(self, context: list[Event], removed: list[Event], added: list[Event]) -> None:
        self.context = context
        self.removed = removed
        self.added = added


class Side:
    """One trace on its way through a comparison, with its next events and what they say."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.ahead: deque[Event] = deque()
        self.said: deque[Any] = deque()
        self.taken = 0

    def fill(self, count: int) -> bool:
        """Read ahead so far; whether there are so many."""
        missing = count - len(self.ahead)
        if missing > 0:
            for event in islice(self._events, missing):
                self.ahead.append(event)
                self.said.append(said(event))
        return len(self.ahead) >= count

    def take(self, count: int = 1) -> list[Event]:
        """The next events, which are over with this."""
        self.taken += count
        if count == len(self.ahead):
            found = list(self.ahead)
            self.ahead.clear()
            self.said.clear()
            return found
        found = [self.ahead.popleft() for _ in range(count)]
        for _ in range(count):
            self.said.popleft()
        return found


def said(event: Event) -> tuple[Any, ...]:
    """What a call says, in which two of them can be compared."""
    if event.name == "ioctl":
        memory = (tuple(event.before or ()), tuple(event.after or ()))
        rest: tuple[Any, ...] = (event.request, event.argument, memory, bool(event.new_file))
    elif event.name == "poll":
        rest = (event.asked, event.ready, patience(event))
    elif event.name in ("open", "inherit"):
        return (event.name, event.node, event.flags, event.error)
    else:
        rest = (event.data, event.size, event.offset, event.operation)
    result = 0 if event.new_file else event.result
    return (event.name, event.node, result, event.error, event.finished, *rest)


def patience(event: Event) -> str:
    """How a poll waits.  How long does not count: programs ask for the rest of a time, never twice the same."""
    return "for ever" if event.timeout is None else "a time" if event.timeout else "not"


def changes(first: Iterator[Event], second: Iterator[Event], same: Same, context: int = 2) -> Iterator[Change]:
    """The places where two traces differ, in order; same judges calls whose bytes differ.

    Memory stays bounded; time grows with the traces' length, and with the number of differences.
    """
    one, other = Side(first), Side(second)
    before: deque[Event] = deque(maxlen=context)
    while one.fill(1) and other.fill(1):
        one.fill(BATCH)
        other.fill(BATCH)
        alike = leading(one, other, same)
        if alike:
            before += one.take(alike)
            other.take(alike)
            continue
        one.fill(WINDOW)
        other.fill(WINDOW)
        removed, added = resume(list(one.said), list(other.said))
        yield Change(list(before), one.take(removed), other.take(added))
        before.clear()
    while one.fill(1) or other.fill(1):
        one.fill(WINDOW)
        other.fill(WINDOW)
        yield Change(list(before), one.take(len(one.ahead)), other.take(len(other.ahead)))
        before.clear()


def leading(one: Side, other: Side, same: Same) -> int:
    """How many of the events that were read ahead are alike, from the first on."""
    count = 0
    for mine, yours in zip(one.said, other.said, strict=False):
        if mine != yours and not same(one.ahead[count], other.ahead[count]):
            break
        count += 1
    return count


def resume(one: list[Any], other: list[Any]) -> tuple[int, int]:
    """How much of each must be passed over so that both go on alike, as little as possible in all.

    Nothing alike within sight: all of both.
    """
    for enough in (ENOUGH, 1):
        places: dict[tuple[Any, ...], int] = {}
        for at in range(len(other) - enough, -1, -1):
            places[tuple(other[at : at + enough])] = at
        best: tuple[int, int] | None = None
        for at in range(len(one) - enough + 1):
            if best is not None and at >= sum(best):
                break
            found = places.get(tuple(one[at : at + enough]))
            if found is not None and (best is None or at + found < sum(best)):
                best = at, found
        if best is not None:
            return best
    return len(one), len(other)


def in_words(one: Event, other: Event, values: Callable[[Event], Any]) -> str:
    """The first difference of two calls of one name on one node: `command: 1, then 2`; "" where they are too unlike.

    values  what an ioctl carried, by the names of its members; empty where that is not described
    """
    if (one.name, one.node, one.request) != (other.name, other.node, other.request):
        return ""
    if one.name == "ioctl":
        where = first_member(values(one), values(other))
        if where:
            return where
        for way, mine, yours in (("in", one.before, other.before), ("out", one.after, other.after)):
            for number, (first, second) in enumerate(zip(mine or (), yours or (), strict=False)):
                if first != second and first is not None and second is not None:
                    return f"{way}, segment {number}: {bytes_in_words(first, second)}"
    if one.data != other.data:
        return bytes_in_words(one.data, other.data)
    if patience(one) != patience(other):
        return f"waits: {patience(one)}, then {patience(other)}"
    for member in ("flags", "size", "offset", "argument", "operation", "asked", "ready", "error", "result"):
        mine, yours = getattr(one, member), getattr(other, member)
        if mine != yours:
            return f"{member}: {mine}, then {yours}" if member not in ("flags", "asked", "ready") else ""
    return ""


def bytes_in_words(one: bytes, other: bytes) -> str:
    """Where two runs of bytes differ first."""
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        return f"{len(one)} bytes, then {len(other)}"
    return f"byte {at}: {one[at]:#04x}, then {other[at]:#04x}"


def first_member(one: Any, other: Any, path: str = "") -> str:
    """The first member in which decoded values differ, as `out.speed: 10, then 20`; "" for none."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        below = (first_member(one.get(name), other.get(name), f"{path}.{name}" if path else name) for name in names)
        return next(filter(None, below), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        below = (first_member(a, b, f"{path}[{at}]") for at, (a, b) in enumerate(zip(one, other, strict=True)))
        return next(filter(None, below), "")
    name = path.rpartition(".")[2]
    return f"{path}: {member_text(name, one)}, then {member_text(name, other)}" if one != other else ""
