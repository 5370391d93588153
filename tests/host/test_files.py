"""Open files of computed devices: what each call of the program becomes, and what its carrier shows meanwhile."""

import errno
import fcntl
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devshim import WAIT, Device, File, Stream
from devshim.host import wire
from devshim.host.files import OpenFile
from devshim.host.host import Host
from devshim.host.log import Log
from devshim.host.plugs import DevicePlug
from devshim.model.device import POLLIN, POLLOUT

OWN = -1  # the file's own position


class Box(Device):
    """Holds one message."""

    message: bytes | None = None
    closes = 0

    def read(self, size: int) -> Any:
        """The message, once."""
        if self.message is None:
            return WAIT
        message, self.message = self.message, None
        return message[:size]

    def write(self, data: bytes) -> Any:
        """A message, where there is none."""
        if self.message is not None:
            return WAIT
        self.message = data
        self.wake()
        return None

    def close(self) -> None:
        """Count."""
        self.closes += 1


class Polled(Box):
    """The same with a poll() of its own."""

    def poll(self) -> int:
        """What can be done now."""
        return POLLOUT if self.message is None else POLLIN


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host that nobody serves: the test makes its calls."""
    return Host(str(tmp_path), None, Log())


class Program:
    """A program's side of one open file."""

    def __init__(self, host: Host, plug: DevicePlug, flags: int = os.O_RDWR) -> None:
        self.fd, self.number, _ = plug.open(flags, os.getpid())
        file = host.files[self.number]
        assert isinstance(file, OpenFile)
        self.file = file

    def ready(self) -> int:
        """What poll(2) says of its descriptor."""
        poller = select.poll()
        poller.register(self.fd, select.POLLIN | select.POLLOUT)
        return sum(bits for _, bits in poller.poll(0))

    def drain(self, answer: Any) -> None:
        """Take tokens out as the shim does."""
        assert answer[2] & wire.ANSWER_DRAIN
        with socket.socket(fileno=os.dup(self.fd)) as carrier:
            while True:
                try:
                    token = carrier.recv(8, socket.MSG_DONTWAIT | socket.MSG_PEEK)
                except BlockingIOError:
                    return
                if int.from_bytes(token, "little") > answer[3]:
                    return
                carrier.recv(8, socket.MSG_DONTWAIT)

    def fill(self, answer: Any, killed: bool = False) -> None:
        """Fill the carrier as the shim does.  killed: before it has asked what that was worth."""
        assert answer[2] & wire.ANSWER_FULL
        with socket.socket(fileno=os.dup(self.fd)) as carrier:
            try:
                while carrier.send(bytes(4096), socket.MSG_DONTWAIT):
                    pass
            except BlockingIOError:
                pass
        if killed:
            self.file.refresh()
        else:
            self.file.poll()


@pytest.fixture(params=[Box, Polled])
def plug(host: Host, request: pytest.FixtureRequest) -> DevicePlug:
    with host.lock:
        return host.plug("/dev/box0", request.param())


@pytest.fixture
def program(host: Host, plug: DevicePlug) -> Iterator[Program]:
    opened = Program(host, plug)
    yield opened
    try:
        os.close(opened.fd)
    except OSError:
        return  # the test has closed it


def test_nothing_yet_is_an_answer_and_the_carrier_shows_it(program: Program) -> None:
    answer = program.file.read(8, OWN)

    assert answer[2] & wire.ANSWER_WAIT
    program.drain(answer)
    assert not program.ready() & POLLIN


def test_a_wake_up_makes_the_carrier_readable(program: Program) -> None:
    program.drain(program.file.read(8, OWN))

    program.file.write(b"news", OWN)

    assert program.ready() & POLLIN
    answer = program.file.read(8, OWN)
    assert (answer if isinstance(answer, bytes) else answer[4]) == b"news"


def test_a_wake_up_between_answer_and_draining_is_kept(program: Program) -> None:
    answer = program.file.read(8, OWN)
    program.file.write(b"news", OWN)

    program.drain(answer)

    assert program.ready() & POLLIN


def test_a_token_that_somebody_took_is_sent_again(program: Program) -> None:
    program.drain(program.file.read(8, OWN))
    program.file.write(b"news", OWN)
    os.read(program.fd, 8)
    assert not program.ready() & POLLIN

    program.file.refresh()  # its process died

    assert program.ready() & POLLIN


def test_what_cannot_be_written_waits_and_shows_it(program: Program) -> None:
    program.file.write(b"one", OWN)

    answer = program.file.write(b"two", OWN)
    assert answer[2] & wire.ANSWER_WAIT
    assert answer[2] & wire.ANSWER_TICKET
    if not answer[2] & wire.ANSWER_FULL:  # said with the write before: it has a poll()
        return
    program.fill(answer)
    assert not program.ready() & POLLOUT

    program.file.read(8, OWN)
    program.file.device.wake()
    assert program.ready() & POLLOUT


@pytest.mark.parametrize("killed", [False, True])
def test_a_carrier_filled_after_it_was_emptied_is_emptied_again(host: Host, killed: bool) -> None:
    with host.lock:
        program = Program(host, host.plug("/dev/box0", Box()))
    program.file.write(b"one", OWN)
    answer = program.file.write(b"two", OWN)
    program.file.read(8, OWN)
    program.file.device.wake()

    program.fill(answer, killed)  # late

    assert program.ready() & POLLOUT
    os.close(program.fd)


def test_the_last_close_is_noticed(host: Host, plug: DevicePlug, program: Program) -> None:
    copy = os.dup(program.fd)
    os.close(program.fd)
    host.closes.settle()
    assert host.files[program.number] is not None

    os.close(copy)
    host.closes.settle()

    assert host.files[program.number] is None
    assert plug.device.closes == 1  # type: ignore[attr-defined]


def test_an_unplugged_file_answers_enodev_until_it_is_closed(host: Host, plug: DevicePlug, program: Program) -> None:
    with host.lock:
        plug.unplug()
    host.closes.settle()

    gone = host.files[program.number]
    assert gone is not None
    for answer in (gone.read(8, OWN), gone.write(b"x", OWN), gone.ioctl(1, 0, b""), gone.lock(fcntl.LOCK_EX, 1)):  # type: ignore[union-attr]
        assert answer[:2] == (-1, errno.ENODEV)
    assert program.ready() & select.POLLHUP

    os.close(program.fd)
    host.loop.after(0, host.loop.stop)
    host.loop.run()
    assert host.files[program.number] is None
    assert plug.device.closes == 1  # type: ignore[attr-defined]


class Letters(Device, Stream):
    """A stream."""

    record = 1


def test_a_stream_that_is_closed_as_it_is_unplugged_is_closed(host: Host) -> None:
    plug = host.plug("/dev/letters0", Letters())
    fd, number, _ = plug.open(os.O_RDONLY, os.getpid())
    (opened,) = plug.files

    os.close(fd)
    opened.hang_up()
    host.closes.settle()

    assert host.files[number] is None
    assert not plug.files


def test_a_stream_that_is_closed_after_it_was_unplugged_is_closed(host: Host) -> None:
    plug = host.plug("/dev/letters0", Letters())
    fd, number, _ = plug.open(os.O_RDONLY, os.getpid())

    plug.unplug()
    host.closes.settle()
    assert plug.files

    os.close(fd)
    host.closes.settle()
    assert host.files[number] is None
    assert not plug.files


class Turns(Device):
    """Is opened twice more by the first who closes it."""

    closed = False
    again: list[int] = []

    def open(self, flags: int) -> Any:
        """A file for each."""
        return Turn(self)


class Turn(File):
    """One of its files."""

    def __init__(self, device: Turns) -> None:
        self.device = device

    def close(self) -> None:
        """Open it for those who waited, as wake() does."""
        plug: Any = self.device._plug
        if not self.device.closed:
            self.device.closed = True
            plug.settle()  # as each open does
            self.device.again += [plug.open(os.O_RDWR, os.getpid())[0] for _ in range(2)]


def test_what_is_opened_while_closes_are_handled_is_not_taken_for_closed(host: Host) -> None:
    plug = host.plug("/dev/turns0", Turns())
    ends = [plug.open(os.O_RDWR, os.getpid())[0] for _ in range(2)]
    for fd in ends:
        os.close(fd)

    host.closes.settle()

    assert len(plug.files) == 2
    for fd in plug.device.again:  # type: ignore[attr-defined]
        os.close(fd)


def test_replugging_brings_the_node_back(host: Host, plug: DevicePlug, program: Program) -> None:
    plug.unplug()
    assert host.plug_at("/dev/box0") is None

    plug.replug()

    assert host.plug_at("/dev/box0") is plug
    again = Program(host, plug)
    assert again.file.write(b"x", OWN) == 1 or again.file.device.message == b"x"  # type: ignore[attr-defined]
    os.close(again.fd)


def test_numbers_are_used_again_late(host: Host, plug: DevicePlug) -> None:
    seen = []
    for _ in range(50):
        opened = Program(host, plug)
        seen.append(opened.number)
        os.close(opened.fd)
        host.closes.settle()

    assert len(set(seen)) == 50
