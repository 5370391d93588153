"""A serial port at its node: its opens share one pty, and the model answers what the pty cannot."""

from __future__ import annotations

import errno
import os

from devshim.host import wire
from devshim.host.answering import Answering
from devshim.host.plugs import DevicePlug
from devshim.host.tty import TtyCarrier
from devshim.model.device import WAIT, Device
from devshim.model.serial import Serial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, ClassVar

    from devshim.host.asker import Asker
    from devshim.host.host import Host


class TtyFile(Answering):
    """All opens of one serial port: they share the pty, and so answer as one."""

    def seek(self, offset: int, whence: int) -> Any:
        """Terminals have no position (lseek(2))."""
        return (-1, errno.ESPIPE, 0, 0, None, wire.NO_PLACE)


class TtyPlug(DevicePlug):
    """A serial port at its node: a pty carries the data, the model answers the ioctls."""

    flags = wire.DEVICE_TTY
    file_class: ClassVar[type[TtyFile]] = TtyFile
    carrier_class: ClassVar[type[TtyCarrier]] = TtyCarrier

    def __init__(self, host: Host, node: str, device: Device, rdev: int) -> None:
        super().__init__(host, node, device, rdev)
        self.number = host.free_number()
        host.add_file(self.file_class(host, self, device, self.number))
        self.tty: TtyCarrier | None = None

    def attach(self) -> None:
        """Make the pty, then tell the device."""
        self.tty = self.carrier()
        super().attach()

    def carrier(self) -> TtyCarrier:
        """A new pty for the device."""
        host, device = self.host, self.device
        assert isinstance(device, Serial)
        return self.carrier_class(
            device, host.loop, host.registry, self.entry(type(device)), host.failed, self.number, self.closed_by_all
        )

    def closed_by_all(self) -> None:
        """The last descriptor has gone."""
        self.host.closed(self, self.number)

    def open(self, flags: int, pid: int, asker: Asker | None = None) -> Any:
        """A descriptor of the pty, once the model lets it be opened."""
        if self.tty is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        fd = self.tty.open(flags, pid)
        if fd is WAIT:
            return WAIT
        if self.host.watched is not None:
            self.host.watched.hold(self, self.number, flags)
        return fd, self.number, self.entry(type(self.device))

    def detach(self) -> None:
        """Hang the pty up."""
        if self.tty is not None:
            self.tty.hang_up()
            self.tty = None
        super().detach()

    def forget(self) -> None:
        """Its number is free, too: the pty is closed."""
        super().forget()
        self.host.free_file(self.number)

    def identities(self) -> Iterable[tuple[int, int]]:
        """st_dev and st_ino of the pty."""
        return [self.tty.identity] if self.tty is not None else []

    def settle_close(self) -> None:
        """Notice a last close that the loop has not come to yet."""
        if self.tty is not None:
            self.tty.settle_close()

    def abandon(self) -> None:
        """In a forked child: let go of the master, which would keep the port from hanging up."""
        if self.tty is not None:
            self.tty.abandon()

    def send(self, data: bytes) -> None:
        """Hand bytes to the program."""
        with self.host.lock:
            if self.tty is not None:
                self.tty.send(data)
