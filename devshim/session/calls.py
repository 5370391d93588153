"""The calls that a session has seen, and what is to happen once a certain one has come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host.lock import lock
from devshim.host.logged import line_of
from devshim.host.noted import Noted
from devshim.trace.event import Event

if TYPE_CHECKING:
    from devshim.host.observed import Seen

MOST_KEPT = 100_000
"""Calls that are kept; of more, the newest."""
SHOWN = 20
"""Calls in the message of a failure."""


class Watch:
    """A condition that is looked at after every call, and its outcome."""

    def __init__(self, condition: Callable[[], Any], calls: Calls) -> None:
        self._condition = condition
        self._calls = calls
        self.count = 0  # of the calls that there were when it was over
        self.over = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def look(self) -> bool:
        """Look once; True where it is over: the condition holds, or failed.  Under the lock."""
        if self.over.is_set():
            return True
        try:
            self.value = self._condition()
        except BaseException as error:  # pytest.fail() and skip() raise what is no Exception
            self.error = error
        if self.value or self.error is not None:
            self.count = self._calls.count
            self.over.set()
        return self.over.is_set()


class Reaction:
    """An action that follows the first call for which a condition holds; cancel() forgets it."""

    def __init__(self, condition: Callable[[Event], Any], action: Callable[[], object]) -> None:
        self.condition = condition
        self.action = action
        self.pending = True

    def cancel(self) -> None:
        """Do not act any more; harmless when it already did."""
        self.pending = False


class Heard(NamedTuple):
    """A call on real hardware, which nobody here has answered."""

    event: Event
    line: Callable[[], str]
    mark: None = None


class Calls:
    """Keeps calls as the host notes them, with its lock held, and as a recorder does."""

    def __init__(self) -> None:
        self.noted = Noted(MOST_KEPT)
        self.errors: list[BaseException] = []
        self._watches: list[Watch] = []
        self._reactions: list[Reaction] = []

    def heard(self, event: Event, line: Callable[[], str]) -> None:
        """The recorder has taken in a call on hardware."""
        with lock:
            self.noted.add(Heard(copy(event), line))

    @property
    def seen(self) -> deque[Any]:
        """The calls that are kept, the oldest first."""
        return self.noted.seen()

    @property
    def count(self) -> int:
        """How many there were in all: the newest one's number."""
        return self.noted.count

    def _told(self, seen: Seen | Heard) -> None:
        if self._reactions:
            self._react(seen.event, list(self._reactions))
        if self._watches:
            self.look()
        self._listen()

    def _listen(self) -> None:
        """Be told of calls as long as something waits for one, and only then."""
        told = self._told in self.noted.eager
        if bool(self._reactions or self._watches) != told:
            (self.noted.eager.remove if told else self.noted.eager.append)(self._told)

    def _react(self, event: Event, reactions: list[Reaction]) -> None:
        for reaction in reactions:
            try:
                if not reaction.pending or not reaction.condition(event):
                    continue
                reaction.pending = False
                reaction.action()
            except BaseException as error:
                reaction.pending = False
                self.errors.append(error)
        self._reactions = [reaction for reaction in self._reactions if reaction.pending]

    def look(self) -> None:
        """Something may have changed: look at every condition."""
        self._watches = [watch for watch in self._watches if not watch.look()]

    def watch(self, condition: Callable[[], Any]) -> Watch:
        """Look at a condition now and after every call, until it holds."""
        watch = Watch(condition, self)
        if not watch.look():
            self._watches.append(watch)
            self._listen()
        return watch

    def forget(self, watch: Watch) -> None:
        """Look at it no more."""
        self._watches = [other for other in self._watches if other is not watch]
        self._listen()

    def react(self, condition: Callable[[Event], Any], action: Callable[[], object], past: list[Event]) -> Reaction:
        """Act once, right after the first call for which a condition holds; at once, if it is among the past ones."""
        reaction = Reaction(condition, action)
        self._reactions.append(reaction)
        for event in past:
            self._react(event, [reaction])
        self._listen()
        return reaction

    def since(self, count: int) -> Iterator[Seen | Heard]:
        """The calls behind the first `count`, as far as they are kept."""
        return (seen for seen in self.seen if seen.event.number > count)

    def unfinished(self) -> dict[int, list[str]]:
        """By process number: the calls whose last answer was "nothing yet", in words."""
        last = {(seen.event.process, seen.event.thread): seen for seen in self.seen if seen.event.name != "close"}
        found: dict[int, list[str]] = {}
        for (process, _), seen in last.items():
            if not seen.event.finished:
                found.setdefault(process, []).append(words(seen).rpartition(" = ")[0])
        return found

    def lines(self, most: int = SHOWN) -> list[str]:
        """The last calls in words, the oldest first."""
        return [shown(seen) for seen in list(self.seen)[-most:]]


def shown(seen: Seen | Heard) -> str:
    """One call with its time and its process: `0.012345 1: read(/dev/acme0, "x", 4096) = 1`."""
    return f"{seen.event.time or 0.0:9.6f} {seen.event.process}: {words(seen)}"


def words(seen: Seen | Heard) -> str:
    """One call in words."""
    return seen.line() if isinstance(seen, Heard) else line_of(seen)
