"""Waiting for the loop's descriptors, and reading terminals."""

import os
import resource
import select
import signal
import threading
import time
import tty
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


class TestReading:
    """A terminal's master end, as os.read() gives it, but for what soon follows."""

    @pytest.fixture
    def terminal(self) -> Iterator[tuple[int, int]]:
        """Its master, which does not block, and its slave, which changes nothing."""
        master, slave = os.openpty()
        os.set_blocking(master, False)
        tty.setraw(slave)
        yield master, slave
        os.close(master)
        os.close(slave)

    def test_a_line_comes_by_itself(self, epoll: select.epoll, terminal: tuple[int, int]) -> None:
        master, slave = terminal
        os.write(slave, b"line\n")

        assert Events(epoll.fileno()).read(master, 65536) == b"line\n"

    def test_nothing_is_an_error_as_of_any_read_that_would_block(
        self, epoll: select.epoll, terminal: tuple[int, int]
    ) -> None:
        with pytest.raises(BlockingIOError):
            Events(epoll.fileno()).read(terminal[0], 65536)

    def test_no_more_is_given_than_asked_for(self, epoll: select.epoll, terminal: tuple[int, int]) -> None:
        master, slave = terminal
        os.write(slave, bytes(3000))
        events = Events(epoll.fileno())

        assert [len(events.read(master, 2000)), len(events.read(master, 2000))] == [2000, 1000]

    def test_much_arrives_whole_and_in_order(self, epoll: select.epoll, terminal: tuple[int, int]) -> None:
        master, slave = terminal
        sent = bytes(range(256)) * 2048
        epoll.register(master, select.EPOLLIN)

        def write() -> None:
            rest = memoryview(sent)
            while rest:
                rest = rest[os.write(slave, rest) :]

        writer = threading.Thread(target=write)
        writer.start()
        events, received = Events(epoll.fileno()), bytearray()
        while len(received) < len(sent):
            assert events.wait(-1) == [(master, select.EPOLLIN)]
            received += events.read(master, 65536)
        writer.join()
        assert received == sent

    def test_a_descriptor_that_is_none_is_an_error(self, epoll: select.epoll) -> None:
        with pytest.raises(OSError, match="Bad file descriptor"):
            Events(epoll.fileno()).read(-1, 1)
