"""Devices for programs of many languages: a computed file with ioctls, and one whose reads wait."""

import errno
from ctypes import Structure, c_char, c_int32, c_uint32
from typing import Any

from devshim import IO, IOR, IOW, IOWR, POLLIN, POLLOUT, WAIT, Device, File, every, ioctl

READINGS = b"delta 4\nalpha 1\ncharlie 3\nbravo 2\n"


class State(Structure):
    """What the meter measures now, and its limit."""

    _fields_ = [("reading", c_int32), ("limit", c_int32)]


class Page(Structure):
    """More than the 1,024 bytes that some languages copy by themselves."""

    _fields_ = [("length", c_uint32), ("text", c_char * 2044)]


class Meter(Device):
    """Each open reads the readings from the beginning, then end of file.  A number written is the new limit."""

    limit: int = 100

    def open(self, flags: int) -> File:
        """A position of its own for each open."""
        return MeterFile(self)


class MeterFile(File):
    """One open of the meter."""

    def __init__(self, device: Meter) -> None:
        self.device: Meter = device
        self.position = 0

    def read(self, size: int) -> Any:
        """The next bytes of the readings."""
        data = READINGS[self.position : self.position + size]
        self.position += len(data)
        return data

    def write(self, data: bytes) -> Any:
        """Take a limit; more than three digits are ERANGE, what is no number is EINVAL."""
        for word in data.split():
            if not word.isdigit():
                raise OSError(errno.EINVAL, "no number")
            if len(word) > 3:
                raise OSError(errno.ERANGE, "0 to 999")
            self.device.limit = int(word)

    @ioctl(IOR("m", 1, State))
    def get(self) -> State:
        """Forty-two and the limit."""
        return State(42, self.device.limit)

    @ioctl(IOW("m", 2, c_int32))
    def set_limit(self, limit: c_int32) -> Any:
        """Set the limit."""
        if not 0 <= limit.value <= 999:
            raise OSError(errno.ERANGE, "0 to 999")
        self.device.limit = limit.value

    @ioctl(IOWR("m", 3, Page))
    def turn(self, page: Page) -> Any:
        """Write the page's text backwards; the length is the result."""
        text = page.text[: page.length]
        page.text = text[::-1]
        return len(text)

    @ioctl(IO("m", 4))
    def count(self) -> int:
        """How many readings there are, as the call's result."""
        return READINGS.count(b"\n")


class Bell(Device):
    """Each line written orders a strike; within 20 ms it comes, and a read that waits gets it: "strike 1\\n"."""

    def setup(self) -> None:
        """Silent."""
        self.ordered = self.struck = 0
        self.heard = b""

    def write(self, data: bytes) -> Any:
        """Order as many strikes as there are lines."""
        self.ordered += data.count(b"\n")

    @every(seconds=0.02)
    def strike(self) -> None:
        """One strike, if any was ordered."""
        if self.ordered:
            self.ordered -= 1
            self.struck += 1
            self.heard += b"strike %d\n" % self.struck
            self.wake()

    def read(self, size: int) -> Any:
        """The next strike, whole."""
        if not self.heard:
            return WAIT
        line, _, _ = self.heard.partition(b"\n")
        taken = (line + b"\n")[:size]
        self.heard = self.heard[len(taken) :]
        return taken

    def poll(self) -> int:
        """Readable where a strike was not yet read."""
        return (POLLIN if self.heard else 0) | POLLOUT

    @ioctl(IOR("b", 1, c_uint32))
    def wait(self) -> Any:
        """The number of strikes so far, as soon as there is one to be read."""
        return c_uint32(self.struck) if self.heard else WAIT


class Tally(Device):
    """Counts how often it was asked: ioctl 1 and a read give the next number, ioctl 2 the last one."""

    def setup(self) -> None:
        """Nothing yet."""
        self.asked = 0

    @ioctl(IO("t", 1))
    def ask(self) -> int:
        """The next number."""
        self.asked += 1
        return self.asked

    @ioctl(IO("t", 2))
    def last(self) -> int:
        """The last number given."""
        return self.asked

    def read(self, size: int) -> Any:
        """The next number in eight digits."""
        self.asked += 1
        return b"%08d" % self.asked
