"""The clock that models go by: real, held and stepped."""

import os
import select
import threading

import pytest

from devshim.host._channel import Lock
from devshim.host.loop import Loop
from devshim.host.timers import NEVER, Clock, Timers


def failed(callback: object, exception: BaseException) -> None:
    raise AssertionError(callback) from exception


@pytest.fixture
def loop() -> Loop:
    loop = Loop(Lock(), failed)
    loop.hold()
    return loop


def test_a_held_clock_moves_only_when_it_is_set_and_goes_on_from_there() -> None:
    clock = Clock()
    clock.hold()
    held = clock.now()
    assert clock.now() == held
    clock.set(held + 1000)
    clock.release()
    assert held + 1000 <= clock.now() < held + 1100


def test_timers_wait_for_ever_where_the_clock_stands_before_them() -> None:
    clock = Clock()
    clock.hold()
    timers = Timers(clock)
    assert timers.pause() == NEVER
    timers.add(5, lambda: None)
    assert timers.pause() == NEVER
    clock.set(clock.now() + 5)
    assert timers.pause() == 0.0


def test_a_step_runs_each_timer_at_its_own_time(loop: Loop) -> None:
    start, seen = loop.now(), list[tuple[str, float]]()

    def again() -> None:
        seen.append(("again", round(loop.now() - start, 6)))
        loop.after(2, again)

    loop.after(2, again)
    loop.after(3, lambda: seen.append(("once", round(loop.now() - start, 6))))
    loop.after(1, lambda: seen.append(("never", 0.0))).cancel()
    loop.step(1.5)
    assert seen == []
    loop.step(4.5)
    assert seen == [("again", 2.0), ("once", 3.0), ("again", 4.0), ("again", 6.0)]
    assert round(loop.now() - start, 6) == 6.0


def test_the_hosts_own_timers_do_not_stand_still(loop: Loop) -> None:
    loop.after(0.001, lambda: pytest.fail("the models' time stands still"))
    loop.after_real(0.001, loop.stop)
    loop.run()


def test_descriptors_are_served_while_the_clock_stands(loop: Loop) -> None:
    read_end, write_end = os.pipe()
    loop.watch(read_end, select.EPOLLIN, lambda events: loop.stop())
    writer = threading.Thread(target=os.write, args=(write_end, b"x"))
    writer.start()
    loop.run()
    writer.join()
    os.close(read_end)
    os.close(write_end)
