"""Calls that are answered in C: the answers are those that files.py gives, and what is unusual goes there."""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterator
from typing import Any

import pytest

from devshim import IO, IOR, IOW, IOWR, REAL, WAIT, Device, ioctl
from devshim.session.session import Session

READ, WRITE, BOTH, NOTHING = (
    IOR("q", 1, ctypes.c_uint64),
    IOW("q", 2, ctypes.c_uint64),
    IOWR("q", 3, ctypes.c_uint64),
    IO("q", 4),
)


class Pair(ctypes.Structure):
    _fields_ = [("first", ctypes.c_uint32), ("second", ctypes.c_uint32)]


class Box(Device):
    """Does what its attributes say, so that a test can have any answer."""

    answer: Any = None
    given: Any = None

    def do(self, given: Any) -> Any:
        self.given = given
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer(given) if callable(self.answer) else self.answer

    def read(self, size: int) -> Any:
        return self.do(size)

    def write(self, data: bytes) -> Any:
        return self.do(data)

    @ioctl(IOR("q", 1, Pair))
    def get(self) -> Any:
        return self.do(None)

    @ioctl(IOW("q", 2, Pair))
    def put(self, pair: Pair) -> Any:
        return self.do((pair.first, pair.second))

    @ioctl(IOWR("q", 3, Pair))
    def swap(self, pair: Pair) -> Any:
        pair.first, pair.second = pair.second, pair.first
        return self.do(None)

    @ioctl(IO("q", 4))
    def plain(self) -> Any:
        return self.do(None)

    @ioctl(IO("q", 5), value=ctypes.c_int8)
    def value_b(self, number: int) -> Any:
        return self.do(number)

    @ioctl(IO("q", 6), value=ctypes.c_uint8)
    def value_B(self, number: int) -> Any:
        return self.do(number)

    @ioctl(IO("q", 7), value=ctypes.c_int)
    def value_i(self, number: int) -> Any:
        return self.do(number)


class Again(Box):
    """Overrides a handler with a plain method."""

    def plain(self) -> Any:
        return 77


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


@pytest.fixture
def box(session: Session) -> Box:
    box = Box()
    session.plug("/dev/box", box)
    return box


@pytest.fixture
def fd(box: Box) -> Iterator[int]:
    fd = os.open("/dev/box", os.O_RDWR | os.O_NONBLOCK)
    yield fd
    os.close(fd)


def outcome(call: Any, *words: Any) -> Any:
    try:
        return call(*words)
    except OSError as problem:
        return errno.errorcode[problem.errno or 0]


def control(fd: int, request: int, first: int = 0, second: int = 0) -> Any:
    """The result of an ioctl and what it left in its argument."""
    pair = Pair(first, second)
    result = outcome(fcntl.ioctl, fd, request, pair)
    return result, pair.first, pair.second


ANSWERS = [
    (b"12345678", b"12345678"),
    (b"1", b"1"),
    (b"", b""),
    (bytearray(b"abc"), b"abc"),
    (memoryview(b"abc"), b"abc"),
    (b"123456789", "EIO"),
    ("text", "EIO"),
    (None, "EIO"),
    (WAIT, "EAGAIN"),
    (OSError(errno.EBADMSG, "x"), "EBADMSG"),
    (ValueError("x"), "EIO"),
    (SystemExit(3), "EIO"),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_a_read_gives_what_the_model_says_again_and_again(box: Box, fd: int, answer: Any, expected: Any) -> None:
    box.answer = answer
    assert [outcome(os.read, fd, 8) for _ in range(3)] == [expected] * 3
    assert box.given == 8


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, 5),
        (3, 3),
        (0, 0),
        (True, 1),
        (6, "EIO"),
        (-1, "EIO"),
        ("3", "EIO"),
        (WAIT, "EAGAIN"),
        (OSError(errno.ENOSPC, ""), "ENOSPC"),
    ],
)
def test_a_write_is_taken_as_the_model_says(box: Box, fd: int, answer: Any, expected: Any) -> None:
    box.answer = answer
    assert [outcome(os.write, fd, b"hallo") for _ in range(2)] == [expected] * 2
    assert box.given == b"hallo"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Pair(1, 2), (0, 1, 2)),
        ((7, Pair(3, 4)), (7, 3, 4)),
        (None, ("EIO", 8, 9)),
        (5, ("EIO", 8, 9)),
        (ctypes.c_uint64(1), ("EIO", 8, 9)),
        (OSError(errno.EPERM, ""), ("EPERM", 8, 9)),
    ],
)
def test_an_ioctl_that_reads_gets_the_returned_structure(box: Box, fd: int, answer: Any, expected: Any) -> None:
    box.answer = answer
    assert [control(fd, READ, 8, 9) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, 0),
        (4, 4),
        (True, 1),
        (-1, "EIO"),
        (1 << 31, "EIO"),
        (1 << 80, "EIO"),
        (Pair(), "EIO"),
        (KeyError("x"), "EIO"),
    ],
)
def test_an_ioctl_that_writes_or_carries_nothing_has_the_returned_result(
    box: Box, fd: int, answer: Any, expected: Any
) -> None:
    box.answer = answer
    assert [control(fd, WRITE, 5, 6) for _ in range(3)] == [(expected, 5, 6)] * 3
    assert box.given == (5, 6)
    assert [outcome(fcntl.ioctl, fd, NOTHING) for _ in range(3)] == [expected] * 3


def test_an_ioctl_both_ways_changes_the_argument_in_place(box: Box, fd: int) -> None:
    assert [control(fd, BOTH, 1, 2) for _ in range(3)] == [(0, 2, 1)] * 3
    box.answer = 9
    assert [control(fd, BOTH, 1, 2), control(fd, BOTH, 4, 4)] == [(9, 2, 1), (9, 4, 4)]
    box.answer = Pair(6, 7)
    assert control(fd, BOTH, 1, 2) == (0, 6, 7)
    box.answer = OSError(errno.EBUSY, "")
    assert control(fd, BOTH, 1, 2) == ("EBUSY", 1, 2)


@pytest.mark.parametrize(("number", "sent", "seen"), [(5, 0x1FD, -3), (6, 0x1FA, 250), (7, -70000, -70000)])
def test_a_number_arrives_with_the_size_and_sign_of_its_type(
    box: Box, fd: int, number: int, sent: int, seen: int
) -> None:
    for _ in range(3):
        assert fcntl.ioctl(fd, IO("q", number), sent) == 0
        assert box.given == seen


def test_what_stands_in_a_handlers_place_is_called(
    session: Session, box: Box, fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.plug("/dev/again", Again())
    again = os.open("/dev/again", os.O_RDWR)
    assert [fcntl.ioctl(again, NOTHING) for _ in range(3)] == [77] * 3
    os.close(again)

    assert [fcntl.ioctl(fd, NOTHING) for _ in range(2)] == [0, 0]
    vars(box)["plain"] = lambda: 5
    assert [fcntl.ioctl(fd, NOTHING) for _ in range(2)] == [5, 5]
    del vars(box)["plain"]
    monkeypatch.setattr(Box, "plain", lambda self: 6)
    assert [fcntl.ioctl(fd, NOTHING) for _ in range(2)] == [6, 6]
    monkeypatch.undo()
    vars(box)["read"] = lambda size: b"patched"
    assert [os.read(fd, 8) for _ in range(2)] == [b"patched"] * 2
    assert fcntl.ioctl(fd, NOTHING) == 0


def test_a_model_that_unplugs_itself_in_a_call_has_answered_it(box: Box, fd: int) -> None:
    def leave(given: Any) -> bytes:
        box.unplug()
        return b"bye"

    box.answer = leave
    assert [outcome(os.read, fd, 8), outcome(os.read, fd, 8), outcome(fcntl.ioctl, fd, NOTHING)] == [
        b"bye",
        "ENODEV",
        "ENODEV",
    ]


def test_calls_answered_in_c_are_events_like_others(session: Session, box: Box, fd: int) -> None:
    box.answer = b"12"
    os.read(fd, 8)
    box.answer = None
    os.write(fd, b"ab")
    for answer in (Pair(1, 2), Pair(1, 2), (7, Pair(3, 4)), OSError(errno.EPERM, "")):
        box.answer = answer
        control(fd, READ)
    box.answer = 3
    (
        control(fd, WRITE, 5, 6),
        control(fd, WRITE, 5, 6),
        fcntl.ioctl(fd, IO("q", 5), 0xFD),
        fcntl.ioctl(fd, IO("q", 5), 0xFD),
    )
    _, read, written, *reads, _, put, _, value = session.calls

    assert (read.name, read.size, read.data, read.result, read.offset) == ("read", 8, b"12", 2, None)
    assert (written.name, written.data, written.result) == ("write", b"ab", 2)
    expected = [(0, [bytes(Pair(1, 2))])] * 2 + [(7, [bytes(Pair(3, 4))]), (-1, None)]
    assert [(event.result, event.after) for event in reads] == expected
    assert (reads[-1].error, reads[-1].label) == ("EPERM", "get")
    assert (put.before, put.after, put.result) == ([bytes(Pair(5, 6))], None, 3)
    assert (value.argument, value.result, value.label) == (0xFD, 3, "value_b")
    assert all(
        event.finished and event.took is not None and event.took >= 0 for event in (read, written, *reads, put, value)
    )


def test_an_answer_that_is_real_goes_on_to_what_is_beneath(box: Box, fd: int) -> None:
    box.answer = REAL
    assert [outcome(fcntl.ioctl, fd, NOTHING) for _ in range(3)] == ["ENOENT"] * 3  # there is no real /dev/box
