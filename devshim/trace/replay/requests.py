"""What is known of the ioctls of a replayed trace: its own descriptions, and what its events show of the others."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from devshim.model.description import Description, Descriptions
from devshim.model.request import direction_of, size_of
from devshim.trace.event import Event, Header, Segment
from devshim.trace.format.lines import TraceError
from devshim.trace.memory import with_addresses, without_addresses
from devshim.trace.replay.meaning import all_means, meaningful

#: The largest argument that an event alone describes: what its number has room for.
MOST_LEARNED = 1 << 14
#: Different requests, and sizes of their memory, that are remembered.
MOST_SEEN = 4096


new = Event.__new__


class Way:
    """What follows from what is known of a request.

    known   its description, if any; label: as that calls it
    takes   whether the driver looks at what the argument points to
    whole   whether all of that means something
    stepped whether there are pointers in it
    """

    __slots__ = ("known", "label", "stepped", "takes", "whole")

    def __init__(self, request: int, known: Description | None) -> None:
        self.known = known
        self.label = known.label if known is not None else None
        self.takes = "w" in (known.access if known is not None else direction_of(request))
        self.whole = all_means(request, known)
        self.stepped = known is not None and bool(known.steps)


class Requests:
    """Descriptions by request; they grow while the trace is read.

    known  what the shim has been told
    """

    def __init__(self, path: str, header: Header, own: Iterable[Description] = ()) -> None:
        self._path = path
        self._header = header
        self._own = list(own)
        self._of_header: dict[int, Description] = {}
        self._learned: dict[int, tuple[int, str]] = {}
        self._settled: set[int] = set()
        self._seen: set[tuple[int, int, int, bool, bool]] = set()
        self._ways: dict[int, Way] = {}
        self.known = Descriptions(self._own)

    def descriptions(self) -> list[Description]:
        """All that is known by now, for the shim.  Raises TraceError for a description that is none."""
        for number, shown in self._header.ioctls.items():
            if number not in self._of_header:
                from devshim.trace.description import from_object

                try:
                    self._of_header[number] = from_object(shown)
                except ValueError as problem:
                    raise TraceError(f"{self._path}: ioctl {number:#010x}: {problem}") from None
        found = Descriptions([*self._own, *self._of_header.values()])
        shown_by_events = [
            Description(number, ctypes.c_uint8 * size, access, None, f"{number:#010x}")
            for number, (size, access) in self._learned.items()
            if found.find(number) is None
        ]
        self.known = Descriptions([*found.all, *shown_by_events])
        self._ways.clear()
        return self.known.all

    def find(self, request: int) -> Description | None:
        """What is known of a request, as far as the shim has been told."""
        return (self._ways.get(request) or self._way(request)).known

    def _way(self, request: int) -> Way:
        """The same, with what follows from it, which is kept."""
        if len(self._ways) >= MOST_SEEN:
            self._ways.clear()
        way = self._ways[request] = Way(request, self.known.find(request))
        return way

    # ---- Learning

    def add(self, described: Iterable[Description]) -> bool:
        """Take over a model's descriptions; returns whether there is a new one among them."""
        new = [one for one in described if one not in self._own]
        self._own += new
        return bool(new)

    def see(self, event: Event) -> None:
        """Learn from an event that is to come how much memory its request passes, where its number does not say."""
        before, after, request = event.before, event.after, event.request
        if before is None and after is None:
            return
        if before is not None:
            way = self._ways.get(request) or self._way(request)
            if not way.whole:
                event.before = before = meaningful(request, way.known, before)
        given, got = before or [None], after or [None]
        seen = request, len(given[0] or b""), len(got[0] or b""), given[0] is None, got[0] is None
        if seen in self._seen:
            return
        if len(self._seen) < MOST_SEEN:
            self._seen.add(seen)
        size = size_of(request) or min(max(len(given[0] or b""), len(got[0] or b"")), MOST_LEARNED)
        access = ("r" if got[0] is not None else "") + ("w" if given[0] is not None else "")
        largest, ways = self._learned.get(request, (size_of(request), direction_of(request)))
        if size <= largest and all(letter in ways for letter in access) and (largest or not size):
            return
        if not size:
            return
        size, access = max(size, largest), "".join(letter for letter in "rw" if letter in access + ways)
        self._learned[request] = size, access
        self._settled.discard(request)

    def unsettled(self, request: int) -> bool:
        """Whether the shim may have to be told of a request before it can be answered."""
        return request not in self._settled

    def settle(self, request: int) -> bool:
        """The events to come were looked at for a request; returns whether the shim must be told of it first."""
        self._settled.add(request)
        known = self.find(request)
        if request in self._learned:
            size, access = self._learned[request]
            if known is None or (not known.steps and known.label == f"{request:#010x}" and known.access != access):
                return True
            if known.ctype is not None and known.label == f"{request:#010x}" and ctypes.sizeof(known.ctype) < size:
                return True
        return known is None and (request in self._header.ioctls or self._is_described(request))

    def _is_described(self, request: int) -> bool:
        if len(self._of_header) == len(self._header.ioctls):
            return False
        self.descriptions()
        return self.known.find(request) is not None

    # ---- Calls and answers

    def call(self, node: str, request: int, argument: int, memory: list[Segment] | None, file: int = 0) -> Event:
        """An ioctl of the program as a trace would have it; file: its number there."""
        way = self._ways.get(request) or self._way(request)
        event = new(Event)
        event.__dict__ = members = {"name": "ioctl", "node": node, "file": file, "request": request, "label": way.label}
        if memory is None:
            members["argument"] = argument or None
        elif way.takes:
            known = way.known
            before = without_addresses(known, memory) if known is not None and way.stepped else memory
            members["before"] = before if way.whole else meaningful(request, known, before)
        return event

    def without_addresses(self, request: int, memory: list[Segment], after: list[Segment]) -> list[Segment]:
        """An answer as a trace has it."""
        known = self.find(request)
        return without_addresses(known, memory, after) if known is not None and known.steps else after

    def memory_after(self, event: Event, memory: list[Segment] | None) -> list[Segment] | None:
        """What an event gives back, with the program's own pointers in it."""
        if event.after is None or memory is None:
            return None
        way = self._ways.get(event.request) or self._way(event.request)
        known = way.known
        if known is None:
            return event.after
        if known.sized and event.after[0] is not None and 0 < event.result < len(event.after[0]):
            return [event.after[0][: event.result]]  # so much was copied; programs claim more than they have
        if not known.steps or event.before is None:
            return event.after
        try:
            return with_addresses(known, event.before, event.after, memory)
        except ValueError:
            return event.after
