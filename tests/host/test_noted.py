"""What is kept of calls until somebody looks."""

import weakref
from types import SimpleNamespace
from typing import Any

from devshim.host.noted import Noted
from devshim.trace.event import Event


class File:
    """Makes up what was noted of a call, and counts how often it had to."""

    made = 0

    def seen(self, name: str, *facts: Any) -> Any:
        self.made += 1
        return SimpleNamespace(event=Event(name, size=facts[0]))

    def note(self, noted: Noted, size: int) -> None:
        noted.keep(self, "read", size)


def sizes(noted: Noted) -> list[tuple[int, int]]:
    return [(seen.event.number, seen.event.size) for seen in noted.seen()]


def test_the_newest_calls_are_kept_with_their_numbers_however_late_somebody_looks() -> None:
    noted, file = Noted(3), File()
    for size in range(1, 6):
        file.note(noted, size)
    assert sizes(noted) == [(3, 3), (4, 4), (5, 5)]

    file.note(noted, 6)
    noted.add(SimpleNamespace(event=Event("open", size=7)))

    assert sizes(noted) == [(5, 5), (6, 6), (7, 7)]
    assert noted.count == 7


def test_nothing_is_made_of_calls_before_somebody_looks_and_then_only_once() -> None:
    noted, file = Noted(1000), File()
    for size in range(100):
        file.note(noted, size)
    assert file.made == 0

    assert list(noted.seen()) == list(noted.seen())
    assert file.made == 100


def test_facts_do_not_grow_beyond_what_is_kept() -> None:
    noted, file = Noted(10), File()
    alive: weakref.WeakSet[File] = weakref.WeakSet()
    for size in range(1000):
        made = File()
        alive.add(made)
        made.note(noted, size)
    del made
    assert len(alive) == 10

    assert sizes(noted) == [(number, number - 1) for number in range(991, 1001)]
    assert not alive
    file.note(noted, 7)
    assert sizes(noted)[-1] == (1001, 7)


def test_who_is_eager_is_told_of_each_call_as_it_is_noted() -> None:
    noted, file = Noted(2), File()
    told: list[int] = []
    noted.eager.append(lambda seen: told.append(seen.event.number))
    for size in range(3):
        file.note(noted, size)
        noted.tell()

    noted.add(SimpleNamespace(event=Event("close")))

    assert told == [1, 2, 3, 4]
