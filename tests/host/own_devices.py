"""Devices for the tests of own-process calls, and a host for them in the calling process.  Needs no pytest."""

import contextlib
import os
import threading
from collections.abc import Iterator
from ctypes import Structure, c_int32, c_uint8
from typing import Any

from devshim import WAIT, Device, ioctl
from devshim.host import ownprocess
from devshim.host.host import Host
from devshim.host.log import Log
from devshim.model.request import IOR, IOWR
from devshim.rundirectory import make_run_directory, remove_run_directory

NODE = "/dev/own0"


class State(Structure):
    """What GET gives."""

    _fields_ = [("position", c_int32), ("speed", c_int32)]


class Large(Structure):
    """More than fcntl.ioctl takes without keeping the GIL."""

    _fields_ = [("number", c_int32), ("rest", c_uint8 * 2044)]


GET, LARGE = IOR("M", 1, State), IOWR("M", 2, Large)


class Motor(Device):
    """Computes what is read; may have nothing yet; tells whether two calls ever met."""

    def setup(self) -> None:
        """At rest."""
        self.position, self.empty, self.met, self._within = 7, False, False, False

    def read(self, size: int) -> Any:
        """The position, or nothing yet."""
        self.met |= self._within
        self._within = True
        text = b"%d\n" % self.position
        self._within = False
        return WAIT if self.empty else text[:size]

    def write(self, data: bytes) -> None:
        """Move."""
        self.position = int(data)

    @ioctl(GET)
    def get(self) -> State:
        """Position and speed."""
        return State(self.position, -1)

    @ioctl(LARGE)
    def large(self, large: Large) -> None:
        """Count."""
        large.number += 1

    def fill(self) -> None:
        """There is something to read now."""
        self.empty = False
        self.wake()


class Attached:
    """A host in this process, with devices plugged; leaves nothing behind."""

    def __init__(self, devices: dict[str, Device]) -> None:
        self.devices = devices
        self.run = make_run_directory({})
        self.host = Host(self.run, None, Log(False, None))
        with self.host.lock:
            for node, device in devices.items():
                self.host.plug(node, device)
        self.host.start()
        self.thread = threading.Thread(target=self.host.loop.run)
        self.thread.start()
        ownprocess.attach(self.run, self.host)

    def end(self) -> None:
        """Detach, and end the host."""
        ownprocess.detach()
        self.host.stop()
        self.host.loop.stop()
        self.thread.join()
        self.host.release()
        remove_run_directory(self.run)


@contextlib.contextmanager
def attached(**devices: Device) -> Iterator[Attached]:
    """Plug devices at /dev/NAME and let this process see them."""
    there = Attached({f"/dev/{name}": device for name, device in devices.items()})
    try:
        yield there
    finally:
        there.end()


@contextlib.contextmanager
def opened(path: str = NODE, flags: int = os.O_RDWR) -> Iterator[int]:
    """A descriptor, closed at the end."""
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)
