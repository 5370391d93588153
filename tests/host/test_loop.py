"""The host's loop: descriptors, timers, and calls from other threads."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from devshim.host._channel import Lock
from devshim.host.loop import Loop


class Failures(list[tuple[Callable[..., object], BaseException]]):
    """What the loop was told to have failed."""

    def __call__(self, callback: Callable[..., object], exception: BaseException) -> None:
        self.append((callback, exception))


@pytest.fixture
def failures() -> Failures:
    return Failures()


@pytest.fixture
def loop(failures: Failures) -> Loop:
    return Loop(Lock(), failures)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe2(os.O_CLOEXEC)
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            continue  # the test has closed it


def run(loop: Loop) -> None:
    """Run until something stops the loop; a test that forgets to fails after five seconds."""
    limit = loop.after(5, loop.stop)
    loop.run()
    late = limit.callback is None
    limit.cancel()
    assert not late, "nothing stopped the loop"


def test_timers_come_in_the_order_of_their_times(loop: Loop) -> None:
    seen: list[str] = []
    loop.after(0.003, loop.stop)
    loop.after(0.002, lambda: seen.append("second"))
    loop.after(0, lambda: seen.append("first"))
    loop.after(0.001, lambda: seen.append("cancelled")).cancel()

    run(loop)

    assert seen == ["first", "second"]


def test_a_timer_starts_another(loop: Loop) -> None:
    loop.after(0, lambda: loop.after(0, loop.stop))

    run(loop)


def test_callbacks_run_with_the_lock_held(loop: Loop) -> None:
    held: list[bool] = []
    loop.soon(lambda: held.append(loop.lock.held()))
    loop.after(0, loop.stop)

    run(loop)

    assert held == [True]
    assert not loop.lock.held()


def test_soon_from_another_thread_wakes_the_loop(loop: Loop) -> None:
    threading.Thread(target=loop.soon, args=(loop.stop,)).start()

    run(loop)


def test_a_timer_of_another_thread_wakes_the_loop(loop: Loop) -> None:
    def start() -> None:
        with loop.lock:
            loop.after(0, loop.stop)

    threading.Thread(target=start).start()

    run(loop)


def test_a_loop_that_is_stopped_before_it_runs_returns_at_once(loop: Loop) -> None:
    calls: list[str] = []
    loop.soon(lambda: calls.append("served"))
    loop.stop()

    run(loop)
    assert not calls

    loop.after(0, loop.stop)
    run(loop)
    assert calls


def test_nothing_handed_over_by_many_threads_is_lost(loop: Loop) -> None:
    seen: list[int] = []

    def count() -> None:
        seen.append(1)
        if len(seen) == 8 * 500:
            loop.stop()

    threads = [threading.Thread(target=lambda: [loop.soon(count) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    run(loop)
    for thread in threads:
        thread.join()

    assert len(seen) == 8 * 500


def test_a_descriptor_is_watched_until_it_is_not(loop: Loop, pipe: tuple[int, int]) -> None:
    read, write = pipe
    seen: list[int] = []

    def ready(events: int) -> None:
        seen.append(os.read(read, 1)[0])
        if len(seen) == 2:
            loop.unwatch(read)
            os.write(write, b"c")
            loop.after(0, loop.stop)

    loop.watch(read, select.EPOLLIN, ready)
    os.write(write, b"ab")
    run(loop)

    assert bytes(seen) == b"ab"


def test_a_hang_up_is_told_without_being_asked_for(loop: Loop, pipe: tuple[int, int]) -> None:
    read, write = pipe
    loop.watch(read, 0, lambda events: loop.stop())
    loop.soon(lambda: os.close(write))

    run(loop)


def test_an_event_of_a_descriptor_that_was_closed_meanwhile_is_void(loop: Loop) -> None:
    """Two are ready at once; the first to be served closes both, and their numbers may be others' by now."""
    pairs = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
    calls: list[int] = []

    def serve(events: int) -> None:
        calls.append(events)
        for read, _ in pairs:
            loop.unwatch(read)
            os.close(read)
        again, _ = pair = os.pipe2(os.O_CLOEXEC)  # takes the numbers that have just become free
        pairs.append(pair)
        loop.watch(again, select.EPOLLIN, lambda events: calls.append(-1))
        loop.after(0, loop.stop)

    for read, write in pairs:
        loop.watch(read, select.EPOLLIN, serve)
        os.write(write, b"x")
    run(loop)
    for read, write in pairs[2:]:
        os.close(read)
        os.close(write)
    for _, write in pairs[:2]:
        os.close(write)

    assert len(calls) == 1


@pytest.mark.parametrize("problem", [ValueError("wrong"), SystemExit(3)])
def test_what_a_callback_raises_is_told_and_the_loop_goes_on(
    loop: Loop, failures: Failures, problem: BaseException
) -> None:
    def wrong() -> Any:
        raise problem

    loop.soon(wrong)
    loop.after(0, wrong)
    loop.after(0.001, loop.stop)

    run(loop)

    assert failures == [(wrong, problem), (wrong, problem)]


def test_unwatching_what_is_not_watched_is_harmless(loop: Loop) -> None:
    loop.unwatch(12345)


def test_a_timer_may_be_set_in_the_moment_in_which_the_loop_wakes(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = threading.Thread(target=loop.run)
    thread.start()

    def woken_meanwhile() -> float:
        loop.soon(bool)
        while loop._sleeping_until is not None:
            os.sched_yield()
        return time.monotonic()

    try:
        while loop._sleeping_until is None:
            os.sched_yield()
        with loop.lock, monkeypatch.context() as patch:
            patch.setattr("devshim.host.loop.time", SimpleNamespace(monotonic=woken_meanwhile))
            loop.after(60, bool).cancel()
    finally:
        loop.stop()
        thread.join()
