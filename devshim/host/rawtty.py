"""A replayed terminal: a pty carries what is read, and the device answers all else, ioctls as memory."""

from __future__ import annotations

import fcntl
import os
import select
import termios

from devshim.host import wire
from devshim.host.raw import OneTable, RawIoctls
from devshim.host.table import compile_table
from devshim.host.terminals import TtyFile, TtyPlug
from devshim.host.tty import TtyCarrier
from devshim.model.device import WAIT
from devshim.model.termios import ICANON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from devshim.model.description import Description
    from devshim.model.termios import Termios

#: Bytes that wait for a program that does not read.
MOST_WAITING = 1 << 16


class RawTtyFile(RawIoctls, TtyFile):
    """All opens of a replayed terminal: what is read comes through the pty, all else comes here."""

    def write(self, data: bytes, offset: int) -> Any:
        """write(2) and its kin; the device sees each before it returns, and may refuse it."""
        try:
            taken = self.device.write(data)
        except (Exception, SystemExit) as exception:
            return self.error(f"write({len(data)} bytes)", exception)
        if taken is WAIT:
            return self.wait_elsewhere()
        return len(data) if taken is None else taken

    def poll(self) -> int:
        """Readiness is the pty's."""
        return 0


class RawCarrier(TtyCarrier):
    """A pty without a line discipline: what was recorded has passed one already."""

    def settings(self) -> Termios:
        """The program's settings, of which only VMIN and VTIME count, and these only where it reads raw."""
        copy = super().settings()
        if copy.c_lflag & ICANON:
            copy.c_cc[termios.VMIN], copy.c_cc[termios.VTIME] = 1, 0
        copy.c_iflag = copy.c_oflag = copy.c_lflag = 0
        return copy

    def has_room(self) -> bool:
        """Whether more may be sent by now: what the program does not read is kept in the trace, not here."""
        return self._pending_size < MOST_WAITING

    def unread(self) -> int:
        """Bytes that the program has not read yet."""
        if self._master < 0:
            return 0
        slave = self._slave(os.O_RDWR | os.O_NONBLOCK)
        poll = select.poll()
        poll.register(slave, select.POLLIN)
        try:
            poll.poll(0)  # makes the kernel finish what it has under way (n_tty_poll in drivers/tty/n_tty.c)
            held = fcntl.ioctl(slave, termios.FIONREAD, bytes(4))
        finally:
            os.close(slave)
        return int.from_bytes(held, "little") + self._pending_size

    def _write_pending(self) -> None:
        super()._write_pending()
        if self.has_room():
            self._device.push()  # type: ignore[attr-defined]


class RawTtyPlug(OneTable, TtyPlug):
    """A replayed terminal at its node."""

    flags = wire.DEVICE_TTY | wire.DEVICE_WRITE | wire.DEVICE_ASKS
    file_class = RawTtyFile
    carrier_class = RawCarrier

    def hang_up(self) -> None:
        """What a lost line gives who has it open; the next open finds it whole again."""
        with self.host.lock:
            if self.tty is not None:
                self.tty.hang_up()
                self.tty = self.carrier()

    def table(self) -> bytes:
        """What is known of requests, for the shim."""
        native = set(getattr(self.device, "native_ioctls", ()))
        known: Iterable[Description] = self.device.descriptions()  # type: ignore[attr-defined]
        return compile_table((one for one in known if one.number not in native), native)
