"""Tickets: a wait outside a carrier, and no wake-up lost between the answer and the fetch."""

import os
import select
from collections.abc import Callable

from devshim.host.waits import WaitPoints


def over(fd: int) -> bool:
    """Whether a waiter with this descriptor would go on."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))


def closing(fd: int, look: Callable[[int], bool] = over) -> bool:
    try:
        return look(fd)
    finally:
        os.close(fd)


def test_a_waiter_goes_on_when_the_point_fires() -> None:
    points = WaitPoints()
    point = points.make()
    one, two = (points.descriptor(point.ticket()) for _ in range(2))
    assert not over(one)

    point.fire()

    assert closing(one)
    assert closing(two)


def test_what_fired_before_the_fetch_counts() -> None:
    points = WaitPoints()
    point = points.make()
    ticket = point.ticket()

    point.fire()

    assert closing(points.descriptor(ticket))
    assert not closing(points.descriptor(point.ticket()))


def test_points_are_told_apart() -> None:
    points = WaitPoints()
    one, other = points.make(), points.make()
    waiting = points.descriptor(one.ticket())

    other.fire()

    assert not closing(waiting)


def test_a_dropped_point_lets_its_waiters_go_and_makes_none_wait() -> None:
    points = WaitPoints()
    point = points.make()
    ticket = point.ticket()
    waiting = points.descriptor(ticket)

    points.drop(point)

    assert closing(waiting)
    assert closing(points.descriptor(ticket))
    assert closing(points.descriptor(0))


def test_waiters_that_went_away_are_not_kept() -> None:
    points = WaitPoints()
    point = points.make()
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(50):
        os.close(points.descriptor(point.ticket()))

    assert len(os.listdir("/proc/self/fd")) <= before + 1
