"""Devices for the tests of the shim: each does one thing that a program can be seen to get."""

import errno
import os
import signal
import stat
import time
from collections import deque
from ctypes import Structure, c_int32, c_uint8, c_uint32
from typing import Any

from devshim import WAIT, Device, File, Serial, ioctl, pointer
from devshim.model.device import POLLIN, POLLOUT
from devshim.model.request import IO, IOR, IOWR


class State(Structure):
    """Two numbers, given out by Hot and others."""

    _fields_ = [("a", c_int32), ("b", c_int32)]


class Block(Structure):
    """A buffer of any size behind a pointer."""

    _fields_ = [("length", c_uint32), ("data", pointer(c_uint8, length="length", access="rw"))]


class Hot(Device):
    """Answers every call at once, with the same."""

    def read(self, size: int) -> Any:
        """Eight known bytes, or fewer."""
        return b"12345678"[:size]

    def write(self, data: bytes) -> Any:
        """Take everything."""

    @ioctl(IOR("M", 1, State))
    def get(self) -> State:
        """Two known numbers."""
        return State(1, 2)


class Signaller(Hot):
    """Signals who writes "PROCESS FILE" in the middle of that, and goes on once the file is there."""

    def write(self, data: bytes) -> Any:
        """Take everything."""
        process, path = data.split()
        os.kill(int(process), signal.SIGUSR1)
        while not os.path.exists(path):
            time.sleep(0.001)


class Number(Device):
    """Reads as a digit, wherever one begins."""

    number: int = 0

    def pread(self, size: int, offset: int) -> Any:
        """The digit."""
        return b"%d" % self.number if size else b""


class Private(Hot):
    """Its owner's alone."""

    mode = stat.S_IFCHR | 0o600


class Text(Device):
    """A file-like text that is computed: each open reads it from its start to its end."""

    text: str = "delta 4\nalpha 1\ncharlie 3\nbravo 2\n"

    def setup(self) -> None:
        """Keep what is written."""
        self.written = b""

    def open(self, flags: int) -> File:
        """A position of its own for each open."""
        return TextFile(self)


class TextFile(File):
    """One open of a Text."""

    def __init__(self, device: Text) -> None:
        self.device = device
        self.position = 0

    def read(self, size: int) -> Any:
        """The next bytes."""
        data = self.device.text.encode()[self.position : self.position + size]
        self.position += len(data)
        return data

    def write(self, data: bytes) -> Any:
        """Keep it; what begins with = becomes the text."""
        self.device.written += data
        if data.startswith(b"="):
            self.device.text = data[1:].decode()


class Opens(Device):
    """Tells how many files are open on it, and how many were."""

    def setup(self) -> None:
        """Nobody yet."""
        self.now = self.ever = 0

    def open(self, flags: int) -> File:
        """Count it."""
        self.now += 1
        self.ever += 1
        return OpensFile(self)


class OpensFile(File):
    """One open of Opens."""

    def __init__(self, device: Opens) -> None:
        self.device = device

    def read(self, size: int) -> Any:
        """How many are open, and how many ever were."""
        return b"%d %d\n" % (self.device.now, self.device.ever)

    def close(self) -> None:
        """Count it."""
        self.device.now -= 1


PLUGGED: dict[str, Device] = {}


class Mailbox(Device):
    """Reads give what was written, the oldest message first; where there is none they wait.

    Writes wait where `capacity` messages lie in it.
    """

    capacity: int = 1 << 30

    def setup(self) -> None:
        """Empty."""
        self.messages: deque[bytes] = deque()
        self.told = 0  # how often a call was told to wait

    def plugged(self) -> None:
        """Be found by the cable."""
        PLUGGED[str(self.node)] = self

    def wait(self) -> Any:
        """Count, and let the caller wait."""
        self.told += 1
        return WAIT

    def read(self, size: int) -> Any:
        """The oldest message."""
        if not self.messages:
            return self.wait()
        message = self.messages.popleft()
        self.wake()
        return message[:size]

    def write(self, data: bytes) -> Any:
        """One more message."""
        if len(self.messages) >= self.capacity:
            return self.wait()
        self.messages.append(data)
        self.wake()
        return None

    def poll(self) -> int:
        """Readable where a message lies here, writable where there is room for one."""
        return (POLLIN if self.messages else 0) | (POLLOUT if len(self.messages) < self.capacity else 0)

    @ioctl(IO("P", 1))
    def count_told(self) -> int:
        """How often a call was told to wait."""
        return self.told

    @ioctl(IOR("P", 2, c_int32))
    def take(self) -> Any:
        """The first byte of the oldest message, when there is one."""
        return c_int32(self.messages.popleft()[0]) if self.messages else self.wait()

    @ioctl(IO("P", 4))
    def count(self) -> int:
        """How many messages lie here."""
        return len(self.messages)


class Unpolled(Mailbox):
    """A mailbox whose author wrote no poll()."""

    poll = File.poll


class Cable(Device):
    """Unplugs the devices of this file that are plugged elsewhere, and plugs them again."""

    def write(self, data: bytes) -> Any:
        """b"unplug NODE" or b"plug NODE"."""
        verb, node = data.decode().split()
        device = PLUGGED[node]
        (device.unplug if verb == "unplug" else device.plug)()


DOORS: list["Door"] = []


class Door(Device):
    """Lets nobody in until somebody has rung at Bell, then one for each ring."""

    waiting = 0
    tickets = 0

    def setup(self) -> None:
        """Be found by the bell."""
        DOORS.append(self)

    def open(self, flags: int) -> Any:
        """Wait for a ticket."""
        if not self.tickets:
            self.waiting += 1
            return WAIT
        self.tickets -= 1
        return self

    def read(self, size: int) -> Any:
        """Inside."""
        return b"inside\n"[:size]


class Bell(Device):
    """Opens the Door."""

    def write(self, data: bytes) -> Any:
        """Ring."""
        for door in DOORS:
            door.tickets += len(data)
            door.wake()

    def read(self, size: int) -> Any:
        """How often somebody was told to wait at the door."""
        return b"%d" % sum(door.waiting for door in DOORS)


class Bad(Device):
    """Every call goes wrong in the way that its parameter names."""

    how: str = "raise"

    def open(self, flags: int) -> Any:
        """Wrong only where asked for."""
        if self.how == "open":
            raise ValueError("no good at opening")
        return "seven" if self.how == "open-type" else self

    def read(self, size: int) -> Any:
        """Raise, or return what is no answer."""
        if self.how == "raise":
            raise ValueError("no good")
        if self.how == "errno":
            raise OSError(errno.ENXIO, "nobody there")
        return {"none": None, "text": "text", "long": b"x" * (size + 1)}.get(self.how)

    def write(self, data: bytes) -> Any:
        """A number that cannot be."""
        return len(data) + 1

    @ioctl(IOR("M", 1, State))
    def get(self) -> Any:
        """A forgotten return."""

    def poll(self) -> Any:
        """Wrong only where asked for."""
        return "ready" if self.how == "poll" else POLLIN | POLLOUT


class Slow(Device):
    """A model that blocks."""

    seconds: float = 1.5

    def read(self, size: int) -> Any:
        """Asleep in a call."""
        time.sleep(self.seconds)
        return b"slow\n"[:size]


class Large(Device):
    """Takes and gives as much as is asked for, in one call."""

    def setup(self) -> None:
        """Nothing yet."""
        self.calls = 0

    def read(self, size: int) -> Any:
        """As much as was asked for: a pattern."""
        return pattern(size)

    def write(self, data: bytes) -> Any:
        """Only the pattern, and only whole."""
        if data != pattern(len(data)):
            raise OSError(errno.EIO, "damaged")
        self.calls += 1

    @ioctl(IOWR("L", 1, Block))
    def turn(self, block: Any) -> Any:
        """Turn every byte of the block round."""
        block.data[:] = bytes(block.data).translate(TURNED)
        self.calls += 1

    @ioctl(IO("L", 2))
    def count(self) -> int:
        """How many calls were made."""
        return self.calls


TURNED = bytes(255 - value for value in range(256))


def pattern(size: int) -> bytes:
    """Bytes by which a misplaced piece is noticed: of a period that no page or buffer size shares."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


class Echo(Serial):
    """A serial port that says what it hears."""

    def plugged(self) -> None:
        """Be found by the cable."""
        PLUGGED[str(self.node)] = self

    def received(self, data: bytes) -> None:
        """Say it again."""
        self.send(data)
