"""Waiting for the loop's descriptors."""

import os
import resource
import select
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from devshim.host._channel import Events

ROUNDS = 300


@pytest.fixture
def epoll() -> Iterator[select.epoll]:
    with select.epoll() as epoll:
        yield epoll


@pytest.fixture
def pipe(epoll: select.epoll) -> Iterator[tuple[int, int]]:
    """Its end for reading is waited for."""
    ends = os.pipe2(os.O_CLOEXEC)
    epoll.register(ends[0], select.EPOLLIN)
    yield ends
    for fd in ends:
        os.close(fd)


def test_what_is_ready_is_told_at_once(epoll: select.epoll, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"!")

    assert Events(epoll.fileno()).wait(-1) == [(pipe[0], select.EPOLLIN)]


def test_a_wait_is_over_no_earlier_than_asked_for(epoll: select.epoll, pipe: tuple[int, int]) -> None:
    events = Events(epoll.fileno())
    begin = time.monotonic()

    assert events.wait(0.0201) == []
    assert time.monotonic() - begin >= 0.0201
    assert events.wait(0) == []


def test_many_lines_in_a_row_all_arrive(epoll: select.epoll, pipe: tuple[int, int]) -> None:
    """Looked for and slept for, as it comes: each is written once the last has been taken."""
    taken = threading.Semaphore(1)

    def write() -> None:
        for _ in range(ROUNDS):
            taken.acquire()
            os.write(pipe[1], b"line\n")

    writer = threading.Thread(target=write)
    writer.start()
    events = Events(epoll.fileno())
    for _ in range(ROUNDS):
        assert events.wait(-1) == [(pipe[0], select.EPOLLIN)]
        assert os.read(pipe[0], 100) == b"line\n"
        taken.release()
    writer.join()


def test_who_looks_for_nothing_sleeps_soon(epoll: select.epoll, pipe: tuple[int, int]) -> None:
    """Each wait after an event may look a little; a wait of half a second is slept through."""
    events = Events(epoll.fileno())
    os.write(pipe[1], b"!")
    events.wait(-1)
    os.read(pipe[0], 1)
    before = resource.getrusage(resource.RUSAGE_THREAD)

    assert events.wait(0.5) == []

    after = resource.getrusage(resource.RUSAGE_THREAD)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.25


def test_a_signals_handler_runs_and_the_wait_is_over(epoll: select.epoll, pipe: tuple[int, int]) -> None:
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)  # again and again: one may come before the wait begins
        assert Events(epoll.fileno()).wait(-1) == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen


def test_what_a_signals_handler_raises_comes_out_of_the_wait(epoll: select.epoll, pipe: tuple[int, int]) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        raise InterruptedError(number)

    def wait() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        Events(epoll.fileno()).wait(5)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with pytest.raises(InterruptedError):
            wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_epoll_that_is_closed_is_an_error(epoll: select.epoll) -> None:
    events = Events(epoll.fileno())
    epoll.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        events.wait(-1)
