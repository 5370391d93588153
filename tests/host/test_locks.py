"""Locks: who stands in whose way, and when they go."""

import fcntl

from devshim.host.locks import Locks, Owner
from devshim.host.waits import WaitPoint

SH, EX, UN = fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN
ONE, TWO, PROCESS = Owner(-1, 1), Owner(-1, 2), Owner(4711, None)


def locks() -> Locks:
    return Locks(WaitPoint(1))


def test_an_exclusive_lock_stands_in_every_others_way() -> None:
    held = locks()

    assert held.take(ONE, EX, 1)
    assert not held.take(TWO, SH, 2)
    assert not held.take(PROCESS, EX, 3)
    assert held.in_the_way(TWO, EX) == ONE
    assert held.take(ONE, EX, 1)


def test_shared_locks_stand_in_the_way_of_an_exclusive_one() -> None:
    held = locks()

    assert held.take(ONE, SH, 1)
    assert held.take(TWO, SH, 2)
    assert not held.take(ONE, EX, 1)
    assert held.held(ONE) == SH
    held.take(TWO, UN, 2)
    assert held.take(ONE, EX, 1)


def test_a_lock_goes_with_the_file_through_which_it_was_taken() -> None:
    held = locks()
    held.take(PROCESS, EX, 1)

    held.closed(2)
    assert held.held(PROCESS) == EX
    held.closed(1)
    assert held.held(PROCESS) == UN


def test_a_processes_lock_goes_with_it() -> None:
    held = locks()
    held.take(PROCESS, EX, 1)
    held.take(PROCESS, EX, 2)

    held.died(4711)
    assert held.take(TWO, EX, 2)


def test_who_waits_asks_again_whenever_a_lock_becomes_weaker() -> None:
    held = locks()
    held.take(ONE, EX, 1)
    before = held.point.ticket()

    held.take(ONE, SH, 1)
    weaker = held.point.ticket()
    held.take(ONE, UN, 1)

    assert len({before, weaker, held.point.ticket()}) == 3
