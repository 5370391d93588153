"""Answers that were given: the last to each call, and whether it may be given again."""

from __future__ import annotations

from devshim.trace.event import Event
from devshim.trace.replay.matching import COMMAND, Key, key_of, kind_of, same_answer

#: Answers that are remembered, of different calls: the latest, and as many before them.
MOST_KNOWN = 2048


class Known:
    """The last answer to a call.

    epoch   how many commands had been done then
    steady  whether commands were recorded not to change it
    """

    __slots__ = ("epoch", "event", "steady")

    def __init__(self, event: Event, epoch: int, steady: bool) -> None:
        self.event = event
        self.epoch = epoch
        self.steady = steady


class Answers:
    """The last answers of one course.

    epoch  how many commands have been done: each may change every answer
    """

    def __init__(self) -> None:
        self.epoch = 0
        self._known: dict[Key, Known] = {}
        self._older: dict[Key, Known] = {}

    def _find(self, key: Key) -> Known | None:
        """What is known by a key."""
        return self._known.get(key) or self._older.get(key)

    def remember(self, event: Event) -> None:
        """An ioctl was answered so."""
        key = key_of(event)
        known = self._find(key)
        epoch = self.epoch
        if known is None:
            if len(self._known) >= MOST_KNOWN:  # all at once: finding the oldest one takes ever longer
                self._known, self._older = {}, self._known
            self._known[key] = Known(event, epoch, False)
            return
        known.steady = (known.steady or known.epoch != epoch) and same_answer(known.event, event)
        known.event, known.epoch = event, epoch

    def last(self, call: Event) -> Event | None:
        """The last answer to the same call, whatever happened since."""
        known = self._find(key_of(call)) if call.name == "ioctl" else None
        return known.event if known is not None else None

    def is_of_now(self, event: Event) -> bool:
        """Whether the same call was answered since the last command."""
        known = self._find(key_of(event))
        return known is not None and known.epoch == self.epoch

    def holds(self, call: Event) -> Event | None:
        """The last answer to the same call, where nothing tells that it is another by now."""
        known = self._find(key_of(call)) if call.name == "ioctl" else None
        if known is None or kind_of(known.event) == COMMAND:
            return None
        if known.epoch == self.epoch or known.steady or known.event.error is not None:
            return known.event
        return None
