"""Events of calls as the host makes them, for -v and for tests."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devshim import IOR, IOWR, WAIT, Device, File, ioctl, pointer
from devshim.host.callers import OWN_PROCESS, Callers
from devshim.session.session import Session
from devshim.trace.event import Event


class Xfer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint32), ("data", pointer(ctypes.c_uint8, length="length"))]


class Sub(File):
    pass


class Box(Device):
    seekable = True

    def read(self, size: int) -> object:
        return b"data"[:size] if size < 100 else WAIT

    def write(self, data: bytes) -> int:
        return 2

    def seek(self, offset: int, whence: int) -> int:
        return offset + 7

    @ioctl(IOWR("B", 1, Xfer))
    def transfer(self, xfer: Xfer) -> int:
        xfer.data[:] = bytes(reversed(xfer.data))
        return 5

    @ioctl(IOR("B", 2, ctypes.c_uint32))
    def state(self) -> ctypes.c_uint32:
        return ctypes.c_uint32(0x01020304)

    @ioctl(0x4203, value=ctypes.c_int)
    def fork(self, argument: int) -> File:
        return Sub()


PROGRAM = """
import ctypes, fcntl, os
fd = os.open("/dev/box", os.O_RDWR)
os.read(fd, 3); os.write(fd, b"hello"); os.pread(fd, 2, 9); os.lseek(fd, 1, os.SEEK_CUR)
class Xfer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint32), ("data", ctypes.c_void_p)]
room = ctypes.create_string_buffer(b"abc", 3)
fcntl.ioctl(fd, 0xC0104201, Xfer(3, ctypes.addressof(room)))
assert room.raw == b"cba"
fcntl.ioctl(fd, 0x80044202, bytes(4))
new = fcntl.ioctl(fd, 0x4203, 77)
fcntl.flock(fd, fcntl.LOCK_EX)
try: fcntl.ioctl(fd, 0x1234)
except OSError: pass
os.close(new); os.close(fd)
try: os.open("/dev/box/x", os.O_RDONLY)
except OSError: pass
"""


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


def test_every_kind_of_call_is_an_event(session: Session, tmp_path: Path) -> None:
    session.plug("/dev/box", Box())
    (tmp_path / "program.py").write_text(PROGRAM)
    calls = session.run("python3", str(tmp_path / "program.py")).calls
    opened, read, written, pread, seek, transfer, state, fork, lock, unknown, *closes = calls

    def common(event: Event) -> tuple[object, ...]:
        return event.name, event.node, event.file, event.process, event.result, event.error

    assert common(opened) == ("open", "/dev/box", 1, 1, 0, None)
    assert opened.flags & os.O_ACCMODE == os.O_RDWR
    assert common(read) == ("read", "/dev/box", 1, 1, 3, None)
    assert (read.data, read.size, read.offset) == (b"dat", 3, None)
    assert (written.data, written.result) == (b"hello", 2)
    assert (pread.name, pread.offset, pread.data) == ("pread", 9, b"da")
    assert (seek.name, seek.offset, seek.operation, seek.result) == ("lseek", 1, "SEEK_CUR", 8)
    argument = b"\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"
    assert (transfer.label, transfer.result) == ("transfer", 5)
    assert transfer.before == [argument, b"abc"]
    assert transfer.after is not None and transfer.after[1] == b"cba"
    assert (state.before, state.after, state.result) == (None, [b"\4\3\2\1"], 0)
    assert (fork.argument, fork.new_file, fork.place) == (77, 2, None)
    assert (lock.name, lock.operation) == ("flock", "LOCK_EX")
    assert (unknown.request, unknown.label, unknown.error) == (0x1234, None, "ENOTTY")
    assert sorted(event.file for event in closes) == [1, 2]
    assert all(event.finished and event.time is not None and event.took is not None for event in calls)


def test_a_call_that_has_to_wait_is_not_finished(session: Session) -> None:
    session.plug("/dev/box", Box())
    with session.start("cat", "/dev/box"):
        session.until(lambda: any(call.name == "read" for call in session.calls))
    (read,) = [call for call in session.calls if call.name == "read"]
    assert not read.finished


def test_processes_and_threads_are_numbered_by_their_first_appearance() -> None:
    callers = Callers()
    callers.joined(5, os.getppid())
    assert callers.of_channel(5, 1000) == (1, 1)
    assert callers.of_channel(5, 900) == (1, 2)
    assert callers.of_channel(OWN_PROCESS, 1000) == (2, 1)
    assert callers.groups == {1: os.getpgid(os.getppid()), 2: os.getpgrp()}
    callers.died(os.getppid())
    assert callers.of_process(os.getppid(), 1000) == (3, 1)
