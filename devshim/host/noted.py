"""Calls as they were noted: bare facts at first (_facts.c), and an event of each not before somebody looks at it."""

from __future__ import annotations

from collections import deque

from devshim.host._channel import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devshim.host.observed import Seen

    Observer = Callable[["Seen"], object]


class Noted(Facts):
    """The newest `most` calls; used with the host's lock held.

    count     of all calls so far: the newest one's number
    eager     who wants to be told of each call right after it was answered
    """

    eager: list[Observer]

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._seen: deque[Any] = deque(maxlen=most)

    def seen(self) -> deque[Any]:
        """All calls that are kept, the oldest first: Seen, and what was added otherwise; not to be changed."""
        facts = self.take()
        number = self.count - len(facts)
        for maker, name, *more in facts:
            made = maker.seen(name, *more) if name is not None else maker
            number += 1
            made.event.number = number
            self._seen.append(made)
        return self._seen

    def add(self, seen: Any) -> None:
        """Keep a call that has its event already, and number it."""
        self.keep(seen)
        if self.eager:
            self.tell()

    def tell(self) -> None:
        """The newest call was noted: tell those who want it at once."""
        newest = self.seen()[-1]
        for observer in list(self.eager):
            observer(newest)
