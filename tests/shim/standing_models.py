"""Models whose answers stand (@ioctl(..., query=True)), and tell whether they were asked at all."""

import ctypes
import os
import signal
from typing import Any

from devshim import IO, IOR, IOW, IOWR, WAIT, Device, ioctl, pointer
from devshim.model.device import File


class State(ctypes.Structure):
    """A value, and how often the model was asked for it."""

    _fields_ = [("value", ctypes.c_uint32), ("asked", ctypes.c_uint32)]


class Table(ctypes.Structure):
    """Some bytes elsewhere."""

    _fields_ = [("length", ctypes.c_uint32), ("data", pointer(ctypes.c_uint8, length="length", access="rw"))]


class Gauge(Device):
    """Holds a value; `asked` is what the answers would not tell if they stood by the rules: whether anybody asked."""

    value = asked = 0
    ticks = seen = 0
    remaining = 0

    @ioctl(IOR("G", 1, State), query=True)
    def get(self) -> State:
        self.asked += 1
        return State(self.value, self.asked)

    @ioctl(IOW("G", 2, ctypes.c_uint32))
    def put(self, value: Any) -> None:
        self.value = value.value

    @ioctl(IOWR("G", 3, State), query=True)
    def sum(self, state: Any) -> int:
        self.asked += 1
        state.value += self.value
        return self.asked

    @ioctl(IO("G", 4), query=True, value=ctypes.c_int)
    def product(self, factor: int) -> int:
        return factor * self.value

    @ioctl(IOWR("G", 5, Table), query=True)
    def reverse(self, table: Any) -> int:
        self.asked += 1
        table.data[:] = bytes(table.data)[::-1]
        return self.asked

    @ioctl(IO("G", 6))
    def go(self) -> None:
        self.unplug()

    @ioctl(IO("G", 7), value=ctypes.c_int)
    def die(self, milliseconds: int) -> None:
        self.after(milliseconds / 1000, lambda: os.kill(os.getpid(), signal.SIGKILL))

    @ioctl(IO("G", 8), value=ctypes.c_int)
    def tick(self, times: int) -> None:
        self.remaining = times
        self.after(0, self.one)

    @ioctl(IOR("G", 9, State))
    def look(self) -> State:
        """No query: each is asked."""
        self.asked += 1
        return State(self.value, self.asked)

    @ioctl(IOR("G", 10, State), query=True)
    def refused(self) -> State:
        self.asked += 1
        raise OSError(self.asked, "no")

    def one(self) -> None:
        """Change of one's own accord, and tell who reads."""
        self.value += 1
        self.ticks += 1
        self.wake()
        self.remaining -= 1
        if self.remaining > 0:
            self.after(0.001, self.one)

    def read(self, size: int) -> Any:
        """The value, each time that a timer has changed it."""
        if self.seen == self.ticks:
            return WAIT
        self.seen += 1
        return self.seen.to_bytes(4, "little")


class Other(Gauge):
    """Answers by a method that takes a handler's place, and is no query for all that is known."""

    def get(self) -> State:  # type: ignore[override]
        self.asked += 1
        return State(self.value, self.asked)


class Place(File):
    """A file of its own for each open."""

    def __init__(self, number: int) -> None:
        self.number = number

    @ioctl(IOR("G", 1, State), query=True)
    def get(self) -> State:
        return State(self.number, 0)


class Places(Device):
    """Numbers its opens."""

    opens = 0

    def open(self, flags: int) -> Any:
        self.opens += 1
        return Place(self.opens)
