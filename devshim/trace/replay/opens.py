"""The recorded opens of a node: which of them each open of the program is."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping

from devshim.trace.event import Event
from devshim.trace.replay.ahead import Rules
from devshim.trace.replay.matching import INDIFFERENT, same_flags
from devshim.trace.replay.source import Feed

#: Opens to come, and opens that were, which are looked at.
MOST_OPENS = 32


class Opens:
    """The recorded opens of one node, of which each open of the program is one.

    There may be more of these than were recorded: such a one begins again what the latest one alike began.
    """

    def __init__(self, feed: Feed, programs: Mapping[int, tuple[str, int | None]] | None = None) -> None:
        self._feed = feed
        self._programs = programs if programs is not None else {}
        self._pending: list[Event] = []
        self._refusals: dict[int, Event] = {}
        self._taken: deque[Event] = deque(maxlen=MOST_OPENS)

    def take(self, call: Event, rules: Rules, opener: int = 0) -> Event | None:
        """The recorded event of an open: one with the same flags, else the next that allows it; None for a mismatch.

        Where several programs were recorded, which take turns as they like, one by the same program is preferred;
        opener is the process that opens.
        """
        found, rank = None, 0
        program: str | None = None
        for index in range(1 if rules.strict else MOST_OPENS):
            event = self._event(index)
            if event is None:
                break
            if rules.same(event, call):
                by = self._programs.get(event.process, ("", None))[0]
                if program is None and by and opener:
                    program = program_of(opener)
                likely = 1 + 2 * same_flags(event, call) + (not program or by in ("", program))
                if likely > rank:
                    found, rank = event, likely
                if rank == 4:
                    break
        if found is None:
            return None
        self._pending.remove(found)
        if found.error is not None:
            self._refusals[call.flags & ~INDIFFERENT] = found
        else:
            self._taken.append(found)
        return found

    def again(self, call: Event, rules: Rules, alone: bool = True) -> Event | None:
        """The recorded open as which one more is answered; None where there is none, or each must be a recorded one.

        alone: nobody has the node open, so that a refusal, which may be due to that, stands behind a success.
        """
        if rules.strict:
            return None
        refusal = self._refusals.get(call.flags & ~INDIFFERENT)
        if refusal is not None and not alone:
            return refusal
        alike = [event for event in self.before() if rules.same(event, call)]
        return next((event for event in alike if same_flags(event, call)), alike[0] if alike else refusal)

    def before(self) -> list[Event]:
        """The opens that the program has come to, the latest first."""
        return list(reversed(self._taken))

    def _event(self, index: int) -> Event | None:
        while len(self._pending) <= index:
            event = self._feed.next()
            if event is None:
                return None
            if event.name == "inherit":
                event.name = "open"
            self._pending.append(event)
        return self._pending[index]

    def ahead(self) -> Iterator[Event]:
        """The opens that come next, as far as they are looked at."""
        for index in range(MOST_OPENS):
            event = self._event(index)
            if event is None:
                return
            yield event

    def known(self) -> Iterator[Event]:
        """The opens that come next, as far as they were read."""
        yield from self._pending
        yield from self._feed.kept

    def put_back(self, event: Event) -> None:
        """An open that was taken is the next one after all."""
        self._pending.insert(0, event)

    def exchange(self, taken: Event, back: Event) -> None:
        """An open is taken after all, in place of another."""
        self._pending[self._pending.index(taken)] = back

    def left(self) -> list[Event]:
        """What nobody has opened, as far as it was looked at."""
        return [*self._pending, *self._feed.rest()]

    def near(self) -> list[Event]:
        """The opens that come next."""
        return self._pending[:4]


def program_of(process: int) -> str:
    """The name of a process's program, as traces have it; "" where the process is gone."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return os.fsdecode(os.path.basename(file.read(4096).split(b"\0")[0]))
    except OSError:
        return ""
