"""What is still to come on a course, read as far ahead as somebody wants to know."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator

from devshim.trace.event import Event
from devshim.trace.replay.answers import Answers
from devshim.trace.replay.matching import (
    COMMAND,
    EXCHANGE,
    PASSIVE,
    POLL,
    QUERY,
    READ,
    Kind,
    Same,
    kind_of,
    same,
    time_out,
)
from devshim.trace.replay.source import Feed, Source

#: Events that are looked at to find one that matches.
WINDOW = 512
#: Seconds; a time-out in so long a while counts as none (shim/waiting.h).
LONG_WAIT = 60.0


class Rules:
    """How the program's calls are compared.

    strict  every call in its order;  loose  by request and argument alone;  same  whether a call is a recorded one
    speed   0: as fast as possible, else how many times as fast as recorded
    """

    def __init__(self, strict: bool = False, loose: bool = False, same: Same = same, speed: float = 0.0) -> None:
        self.strict = strict
        self.loose = loose
        self.same = same
        self.speed = speed

    def comparing(self, same: Same) -> Rules:
        """The same rules, with another comparison."""
        return Rules(self.strict, self.loose, same, self.speed)


class Entry:
    """One event that is to come.

    delay  seconds that the program was recorded to have waited in vain for it
    """

    __slots__ = ("delay", "event", "kind")

    def __init__(self, event: Event, kind: Kind, delay: float) -> None:
        self.event = event
        self.kind = kind
        self.delay = delay


class Ahead:
    """The events that are to come, in order.

    ended_in    the call in which the recorded program was killed, else None
    """

    def __init__(
        self,
        source: Source,
        feed: Feed,
        rules: Rules,
        see: Callable[[Event], object],
        kind: Callable[[Event], Kind] = kind_of,
    ) -> None:
        self.rules = rules
        self.ended_in: Event | None = None
        self.see = see
        self._kind = kind
        self._source = source
        self._feed = feed
        self._pending: list[Entry] = []
        self._answers = Answers()
        self._command: Event | None = None
        self._without_command = 0  # up to this event there is none
        self._quiet = 0.0
        self._over = False
        self._polls = 0

    def entry(self, index: int) -> Entry | None:
        """One of the events to come; None beyond the last one within reach."""
        pending = self._pending
        while len(pending) <= index:
            events = self._feed.some()
            if not events:
                self._over = self._feed.over
                return None
            for event in events:
                self._append(event)
        return pending[index]

    def _append(self, event: Event) -> None:
        if not event.finished:
            self.ended_in = event
            return
        kind = self._kind(event)
        if kind == PASSIVE:
            return
        if event.name == "ioctl":
            self.see(event)
        delay = 0.0
        if kind == POLL:
            self._quiet += time_out(event)
            self._polls += 1
        else:
            if kind == READ:
                delay = self._quiet
            self._quiet = 0.0
        self._pending.append(Entry(event, kind, delay))

    def entries(self) -> Iterator[Entry]:
        """The events to come, as far as they are looked at."""
        for index in range(WINDOW):
            entry = self.entry(index)
            if entry is None:
                return
            yield entry

    def look_for(self, request: int) -> None:
        """Look at the events to come until one is an ioctl with this number."""
        for entry in self.entries():
            if entry.event.request == request and entry.event.name == "ioctl":
                return

    @property
    def exhausted(self) -> bool:
        """Whether nothing is to come any more that a program must do, or gets."""
        if any(entry.kind == READ or not self.passable(entry) for entry in self.entries()):
            return False
        return self._over

    @property
    def blocker(self) -> Event | None:
        """What the program must do before anything else can come."""
        return next((entry.event for entry in self.entries() if self.holds_up(entry)), None)

    @property
    def over(self) -> bool:
        """Whether the program has come to all of it."""
        return self._over and not self._pending

    def command_before(self, number: int) -> Event | None:
        """The first command that the program has not done, of those that come before an event elsewhere.

        Nothing is read for that: what comes before an event that was read was read, too.
        """
        if self._command is not None and self._command.number < number:
            return self._command
        if number <= self._without_command:
            return None
        start = bisect_left(self._pending, self._without_command, key=lambda entry: entry.event.number)
        for entry in itertools.islice(self._pending, start, None):
            if entry.event.number >= number:
                break
            if entry.kind == COMMAND:
                self._command = entry.event
                return entry.event
        event = self._feed.next_kept(number, self._commands)
        if event is None:
            self._without_command = number
        return event

    def _commands(self, event: Event) -> bool:
        """Whether an event is a command that was done."""
        return event.finished and self._kind(event) == COMMAND

    @property
    def waited_in_vain(self) -> bool:
        """Whether the recorded program waited here without a time-out, and something else ended that."""
        for entry in self.entries():
            event = entry.event
            if entry.kind == POLL and not event.ready and (event.timeout is None or event.timeout >= LONG_WAIT):
                return True
            if not self.passable(entry):
                break
        return False

    @property
    def first(self) -> Event | None:
        """The event that is to come first, polls aside."""
        return next((entry.event for entry in self.entries() if entry.kind != POLL), None)

    def holds_up(self, entry: Entry) -> bool:
        """Whether data behind an event waits for it: in any order or not, an answer comes after its question."""
        if self.rules.loose:
            return entry.kind == COMMAND and entry.event.name == "write"
        return not self.passable(entry)

    def passable(self, entry: Entry) -> bool:
        """Whether the program may leave an event out, or come to it later."""
        if self.rules.loose:
            return True
        if entry.kind <= QUERY:
            return not self.rules.strict or entry.kind == POLL
        if entry.kind != EXCHANGE or self.rules.strict or entry.event.name != "ioctl":
            return False
        return self._answers.is_of_now(entry.event)
