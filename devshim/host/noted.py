"""Calls as they were noted: bare facts at first, and an event of each not before somebody looks at it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devshim.host.observed import Seen

Observer = Callable[["Seen"], object]

WIDTH = 11  # facts of one call: who makes a Seen of them, the call's name or None, and what else it needs
NOTHING = (None,) * (WIDTH - 1)


class Noted:
    """The newest `most` calls; used with the host's lock held.

    facts     of the calls that nobody has looked at so far, one behind the other: no object is kept for each call,
              because the garbage collector would look at all of them again and again
    count     of all calls so far: the newest one's number
    room      when count is beyond it, trim() has to make some
    eager     who wants to be told of each call right after it was answered
    """

    def __init__(self, most: int) -> None:
        self.facts: list[Any] = []
        self.count = 0
        self.room = self._most = most
        self.eager: list[Observer] = []
        self._seen: deque[Any] = deque(maxlen=most)

    def seen(self) -> deque[Any]:
        """All calls that are kept, the oldest first: Seen, and what was added otherwise; not to be changed."""
        facts, self.facts = self.facts, []
        number = self.count - len(facts) // WIDTH
        for at in range(0, len(facts), WIDTH):
            maker, name, *more = facts[at : at + WIDTH]
            made = maker.seen(name, *more) if name is not None else maker
            number += 1
            made.event.number = number
            self._seen.append(made)
        self.room = self.count + self._most
        return self._seen

    def trim(self) -> None:
        """Forget the facts of calls beyond those to be kept."""
        del self.facts[: -self._most * WIDTH]
        self.room = self.count + self._most

    def add(self, seen: Any) -> None:
        """Keep a call that has its event already, and number it."""
        self.count += 1
        self.facts += (seen, *NOTHING)
        if self.count > self.room:
            self.trim()
        if self.eager:
            self.tell()

    def tell(self) -> None:
        """The newest call was noted: tell those who want it at once."""
        newest = self.seen()[-1]
        for observer in list(self.eager):
            observer(newest)
