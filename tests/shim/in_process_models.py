"""Devices for the tests of --in-process."""

import sys

from devshim import Device


class Counter(Device):
    """Each read gives the next number."""

    def setup(self) -> None:
        """None so far."""
        self.count = 0

    def read(self, size: int) -> bytes:
        """The next number, one decimal digit while it is small."""
        self.count += 1
        return b"%d" % self.count


class Broken(Device):
    """Raises what is no OSError."""

    def read(self, size: int) -> bytes:
        """Fail."""
        raise ValueError("no such luck")


class Leaving(Device):
    """Wants to end the program."""

    def read(self, size: int) -> bytes:
        """Call sys.exit."""
        sys.exit(77)
