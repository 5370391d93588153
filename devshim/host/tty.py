"""The carrier of a serial port: a pty whose slave end the programs hold, all of them the same one.

The line discipline is the pty's own and does what it would on a UART.  What a pty lacks (modem lines, parity,
a baud rate that matters) the device keeps itself; see model/serial.py.  While nobody has the port open the
master is not watched, because its hang-up would be reported for ever.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
import termios
from collections import deque

from devshim.host._channel import raised
from devshim.host.pacing import PacedQueue
from devshim.model.device import WAIT
from devshim.model.termios import (
    B38400,
    CBAUD,
    CLOCAL,
    CREAD,
    CRTSCTS,
    CS8,
    CSIZE,
    IBSHIFT,
    PARENB,
    TCIFLUSH,
    TCIOFLUSH,
    TCOFLUSH,
    Termios,
    as_termios,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devshim.host.loop import Loop
    from devshim.host.registry import Registry
    from devshim.model.serial import Serial

    Failed = Callable[[Any, str, BaseException], object]

TIOCSPTLCK, TIOCGPTPEER = 0x40045431, 0x5441
CAP_SYS_ADMIN = 21

#: What F_GETFL shows of how a terminal was opened.
SHOWN = os.O_ACCMODE | os.O_NONBLOCK | os.O_APPEND | os.O_SYNC | os.O_DSYNC | os.O_NOATIME | os.O_NOFOLLOW

#: Bytes taken from the program before others have their turn.
READ_AT_ONCE = 65536
#: Bytes offered to the pty at once; it takes some 11 KiB.
WRITE_AT_ONCE = 65536
#: Bytes kept for a program that does not read; what a device sends beyond that is lost, as on an overrun UART.
MOST_PENDING = 4 << 20
#: Bytes that a paced port takes from the program before its writes wait, as a UART's transmit buffer does.
MOST_TO_SEND = 4096


class TtyCarrier:
    """Carries the data of one plugged Serial, from construction until hang_up().

    All methods are called under the host's lock.  failed(device, call, exception) hears what the model raises,
    closed() of each last close.
    """

    def __init__(
        self,
        device: Serial,
        loop: Loop,
        registry: Registry,
        device_index: int,
        failed: Failed,
        file: int = 0,
        closed: Callable[[], object] | None = None,
    ) -> None:
        self._device = device
        self._loop = loop
        self._registry = registry
        self._failed = failed
        self._tell_closed = closed
        self._pending: deque[memoryview] = deque()
        self._pending_size = 0
        self._watched = 0
        self._to_program = PacedQueue(loop, lambda: device.character_time, self._write, lambda: None)
        self._to_device = PacedQueue(loop, lambda: device.character_time, self._deliver, self._drained)
        self._master = raised(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
        fcntl.ioctl(self._master, TIOCSPTLCK, struct.pack("i", 0))
        slave = self._slave(os.O_RDWR)
        try:
            status = os.fstat(slave)
        finally:
            os.close(slave)
        self.identity = status.st_dev, status.st_ino
        registry.add_carrier(*self.identity, status.st_ctime_ns, device_index, file, os.O_RDWR)
        device.carried_by(self)
        self.apply_termios()

    # ---- Opening and closing ------------------------------------------------------------------------

    def open(self, flags: int, pid: int = 0) -> Any:
        """Return a fresh descriptor for process pid, or WAIT while the device waits for its carrier detect.

        Raises OSError: EBUSY where another has the port exclusively (and pid lacks CAP_SYS_ADMIN), EIO where the
        port is gone, and what the device's own open() raises.
        """
        if self._master < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self._device.is_open:
            self._notice_last_close()
        if self._device.exclusive and not may_open_exclusive(pid):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if self._device.open(flags) is WAIT:
            return WAIT
        slave = self._slave(flags)
        if not self._device.is_open:
            self._begin(slave)
        return slave

    def _slave(self, flags: int) -> int:
        return fcntl.ioctl(self._master, TIOCGPTPEER, flags & SHOWN | os.O_NOCTTY | os.O_CLOEXEC)

    def _begin(self, slave: int) -> None:
        """The first open: nothing from before is left in the pty."""
        self._discard(slave, TCIOFLUSH)
        self._device.is_open = True
        self._watch()
        self._call("opened", self._device.opened)

    def settle_close(self) -> None:
        """Handle a last close that has happened."""
        if self._master >= 0 and self._device.is_open:
            self._notice_last_close()

    def _notice_last_close(self) -> None:
        """Handle a hang-up that the loop has not come to yet."""
        if self._poll(select.POLLIN) & select.POLLHUP:
            self._closed()

    def _closed(self) -> None:
        """The last descriptor has gone: the device gets what was written before, and hears of the close."""
        if self._device.may_transmit:
            while self._take(whole=True):
                pass
        self._drop_pending()
        self._loop.unwatch(self._master)
        self._watched = 0
        self._device.is_open = False
        self._call("close", self._device.close)
        if self._tell_closed is not None:
            self._tell_closed()

    def hang_up(self) -> None:
        """Pull the port out: readers get the end of file, writers EIO, pollers POLLHUP. Harmless twice."""
        if self._master < 0:
            return
        # The number of the pty is free at once: the entry must not stand for what comes to it next.
        self._registry.remove_carrier(*self.identity)
        self._loop.unwatch(self._master)
        self._drop_pending()
        self._to_device.clear()
        os.close(self._master)
        self._master = -1
        self._device.detached()

    close = hang_up

    def abandon(self) -> None:
        """In a forked child: close the master, without a word to anybody."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    # ---- From the program to the device --------------------------------------------------------------

    def _ready(self, events: int) -> None:
        if events & select.EPOLLOUT:
            self._write_pending()
        if events & select.EPOLLIN:
            self._take()
        # Asked again, because the event may be that of an earlier descriptor of this number.
        if events & select.EPOLLHUP and self._device.is_open:
            self._notice_last_close()

    def _take(self, whole: bool = False) -> int:
        """Hand on what one read gives; 0 where there is nothing.  whole: also what exceeds a transmit buffer."""
        if self._device.paced and len(self._to_device) >= MOST_TO_SEND and not whole:
            return 0
        try:
            data = self._loop.read(self._master, MOST_TO_SEND if self._device.paced else READ_AT_ONCE)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == errno.EIO or self._master < 0:
                return 0  # all closed and all read; or the model has unplugged itself
            raise
        if not self._device.paced:
            try:  # as _deliver() does, in fewer steps: most lines come this way, and caches are cold each time
                self._device.write(data)
            except (Exception, SystemExit) as exception:
                self._failed(self._device, "write", exception)
            return len(data)
        self._to_device.put(data)
        if len(self._to_device) >= MOST_TO_SEND:
            self._watch()
        return len(data)

    def _deliver(self, data: bytes) -> None:
        self._call("write", self._device.write, data)
        if self._device.paced and self._device.is_open:
            self._watch()

    def _drained(self) -> None:
        self._device.wake()

    def catch_up(self) -> None:
        """Hand the device what the program has written up to now: a call that came later must find it there."""
        if self._master >= 0 and self._device.is_open and self._device.may_transmit:
            while self._take():
                pass

    def output_queue(self) -> int:
        """Bytes that the program wrote and the device has not got yet."""
        if self._master < 0:
            return 0
        self._poll(select.POLLIN)  # unlike FIONREAD, looks at what the kernel still has under way
        held = struct.unpack("i", fcntl.ioctl(self._master, termios.FIONREAD, bytes(4)))[0]
        return int(held) + len(self._to_device)

    # ---- From the device to the program --------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Hand bytes to the program; dropped while nobody has the port open."""
        if self._master < 0 or not self._device.is_open or not data:
            return
        counters = self._device.counters
        counters.rx = (counters.rx + len(data)) & 0x7FFFFFFF
        if not self._device.paced:
            self._write(data)
        elif len(self._to_program) < MOST_PENDING:
            self._to_program.put(data)
        else:
            counters.buf_overrun += len(data)

    def _write(self, data: bytes) -> None:
        if self._pending:
            self._keep(data)
            return
        count = self._write_now(data)
        if count < len(data):
            self._keep(memoryview(data)[count:])
            self._watch()

    def _write_now(self, data: bytes | memoryview) -> int:
        """Write what the pty takes now and return its length; all of it is lost where nobody has the port open."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == errno.EIO:
                return len(data)
            raise

    def _keep(self, data: bytes | memoryview) -> None:
        if self._pending_size >= MOST_PENDING:
            self._device.counters.buf_overrun += len(data)
            return
        self._pending.append(memoryview(data))
        self._pending_size += len(data)

    def _write_pending(self) -> None:
        while self._pending:
            data = self._pending[0]
            part = data[:WRITE_AT_ONCE]
            count = self._write_now(part)
            self._pending_size -= count
            if count == len(data):
                self._pending.popleft()
            elif count:
                self._pending[0] = data[count:]
            if count < len(part):
                return  # full: trying again now would only be refused
        self._watch()

    def _drop_pending(self) -> None:
        self._to_program.clear()
        self._pending.clear()
        self._pending_size = 0

    # ---- Settings and queues --------------------------------------------------------------------------

    def settings(self) -> Termios:
        """What the pty's own line discipline shall do: what the program asked for."""
        return as_termios(self._device.termios)

    def apply_termios(self) -> None:
        """Give the pty the device's settings, aside from what a pty forces or would misunderstand."""
        if self._master < 0:
            return
        copy = self.settings()
        own = CBAUD | CBAUD << IBSHIFT | CSIZE | PARENB | CRTSCTS
        copy.c_cflag = copy.c_cflag & ~own | B38400 | CS8 | CREAD | CLOCAL
        fcntl.ioctl(self._master, termios.TCSETS, bytes(copy))
        if self._device.is_open:
            self._watch()

    def flush(self, queue: int) -> None:
        """Drop what the program has not read (TCIFLUSH), what has not gone out (TCOFLUSH), or both."""
        if self._master < 0 or not self._device.is_open:
            return
        slave = self._slave(os.O_RDWR)
        try:
            self._discard(slave, queue)
        finally:
            os.close(slave)
        if queue != TCIFLUSH:
            self._to_device.clear()
            self._drained()
        self._watch()

    def _discard(self, slave: int, queue: int) -> None:
        """Drop what the pty holds, between its ends and in both line disciplines, and what waits for it."""
        if queue in (TCIFLUSH, TCIOFLUSH):
            self._drop_pending()
            fcntl.ioctl(self._master, termios.TCFLSH, TCOFLUSH)
            fcntl.ioctl(slave, termios.TCFLSH, TCIFLUSH)
        if queue in (TCOFLUSH, TCIOFLUSH):
            fcntl.ioctl(slave, termios.TCFLSH, TCOFLUSH)
            fcntl.ioctl(self._master, termios.TCFLSH, TCIFLUSH)

    # ---- The loop ---------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Watch for what can be used now; a hang-up is always told."""
        if self._master < 0:
            return
        events = 0
        if self._device.may_transmit and len(self._to_device) < MOST_TO_SEND:
            events |= select.EPOLLIN
        if self._pending:
            events |= select.EPOLLOUT
        if events != self._watched or not events:
            self._loop.watch(self._master, events, self._ready)
            self._watched = events

    def _poll(self, events: int) -> int:
        poll = select.poll()
        poll.register(self._master, events)
        return next((ready for _, ready in poll.poll(0)), 0)

    def _call(self, name: str, method: Callable[..., object], *args: Any) -> None:
        """Call the model; what it raises concerns no program that waits for an answer."""
        try:
            method(*args)
        except (Exception, SystemExit) as exception:
            self._failed(self._device, name, exception)


def may_open_exclusive(pid: int) -> bool:
    """Whether a process may open a port under TIOCEXCL: with CAP_SYS_ADMIN (tty_reopen)."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = file.read()
    except OSError:
        return False
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)
