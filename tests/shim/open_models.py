"""Devices for the tests of opens."""

from typing import Any

from devshim import WAIT, Device, File
from devshim.model.device import POLLIN, POLLOUT


class CountedFile(File):
    """Reads as its number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def read(self, size: int) -> Any:
        """The number."""
        return b"%d\n" % self.number

    def write(self, data: bytes) -> Any:
        """Open all that is shut."""
        for shut in SHUT:
            shut.bits = POLLIN | POLLOUT
            shut.wake()

    def close(self) -> None:
        """Tell who waits for that."""
        for listener in LISTENERS:
            listener.closes += 1
            listener.wake()


class Counted(Device):
    """Its open files are numbered from 1."""

    opened = 0

    def open(self, flags: int) -> Any:
        """The next one."""
        self.opened += 1
        return CountedFile(self.opened)


SHUT: list["Shut"] = []


class Shut(Device):
    """Is not writable until somebody has written to a Counted."""

    bits = POLLIN

    def setup(self) -> None:
        """Be found by that."""
        SHUT.append(self)

    def poll(self) -> int:
        """Readable, and perhaps more."""
        return self.bits

    def write(self, data: bytes) -> Any:
        """Take it."""


LISTENERS: list["Listener"] = []


class Listener(Device):
    """A read waits until so many files of a Counted were closed."""

    wanted: int = 3
    closes = 0

    def setup(self) -> None:
        """Be found by them."""
        LISTENERS.append(self)

    def read(self, size: int) -> Any:
        """As many as were."""
        return WAIT if self.closes < self.wanted else b"%d\n" % self.closes


GATES: list["Gate"] = []


class Gate(Device):
    """An open waits until somebody has written to a Keeper."""

    waiting = 0
    is_open = False

    def setup(self) -> None:
        """Be found by it."""
        GATES.append(self)

    def open(self, flags: int) -> Any:
        """Wait, or come in."""
        if self.is_open:
            return CountedFile(1)
        self.waiting += 1
        return WAIT


class Keeper(Device):
    """Opens the gates."""

    def read(self, size: int) -> Any:
        """How many wait there."""
        return b"%d\n" % sum(gate.waiting for gate in GATES)

    def write(self, data: bytes) -> Any:
        """Let them in."""
        for gate in GATES:
            gate.is_open = True
            gate.wake()
