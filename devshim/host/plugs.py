"""A device at its node: what the host keeps of it while it is plugged, and what the device sees of the host."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devshim.errors import DevshimError
from devshim.host import wire
from devshim.host.files import Answering, Opened, OpenFile
from devshim.host.locks import Locks
from devshim.host.loop import LoopTimer
from devshim.host.streams import OpenStream
from devshim.host.table import compile_table
from devshim.host.tty import TtyCarrier
from devshim.model.device import WAIT, Device, File
from devshim.model.serial import Serial
from devshim.model.stream import Stream

if TYPE_CHECKING:
    from devshim.host.host import Host


class DevicePlug:
    """A computed device at its node: each open is a File of the model with a carrier of its own."""

    flags = wire.DEVICE_READ | wire.DEVICE_WRITE

    def __init__(self, host: Host, node: str, device: Device, rdev: int) -> None:
        self.host = host
        self.node = node
        self.device = device
        self.rdev = rdev
        self.waits = host.waits.make()
        self.locks = Locks(host.waits.make())
        self.records = Locks(host.waits.make())
        self.files: set[Opened] = set()
        self.plugged = False
        self.surroundings: list[str] = []
        self._entries: dict[type[File], int] = {}
        self._timers: set[LoopTimer] = set()

    # ---- The registry's part

    def entry(self, file: type[File]) -> int:
        """The registry's index of this device for files of a class: what the program's ioctls look like."""
        index = self._entries.get(file)
        if index is None:
            flags = self.flags | (wire.DEVICE_SEEK if self.device.seekable else 0)
            record, gone = 0, 0
            if issubclass(file, Stream):
                flags = flags & ~wire.DEVICE_READ | wire.DEVICE_STREAM
                record, gone = file.record, file.gone_errno
            if self.host.verbose and flags & wire.DEVICE_TTY:
                flags |= wire.DEVICE_REPORT
            native = getattr(file, "native_ioctls", ())
            table = compile_table(file.ioctls.values(), native) if file.ioctls or native else b""
            index = self.host.registry.add_device(self.node, flags, self.device.mode, self.rdev, table, record, gone)
            self._entries[file] = index
        return index

    # ---- What the device sees (model/device.py: Plug)

    def wake(self, file: File | None) -> None:
        """Ask waiting calls again and refresh readiness: of one file, or of all of the device (None)."""
        with self.host.lock:
            for open_file in list(self.files):
                if file is None or open_file.file is file:
                    open_file.wake()
            self.waits.fire()
            self.host.retry_opens(self)

    def send(self, data: bytes) -> None:
        """Only streams carry data of their own accord."""
        raise DevshimError(f"{self.node}: send() needs a stream; a computed device answers read()")

    def after(self, seconds: float, callback: Callable[[], object]) -> LoopTimer:
        """Call back once, under the host's lock, unless the device is unplugged first."""

        def due() -> None:
            self._timers.discard(timer)
            try:
                callback()
            except (Exception, SystemExit) as exception:
                self.host.failed(self.device, "a timer", exception)

        with self.host.lock:
            timer = self.host.loop.after(seconds, due)
            self._timers = {timer for timer in self._timers if timer.callback is not None}
            self._timers.add(timer)
        return timer

    def settle(self) -> None:
        """Handle all closes that have happened."""
        with self.host.lock:
            self.host.closes.settle()

    def unplug(self) -> None:
        """Take the device away, as a pulled cable does."""
        with self.host.lock:
            self.host.unplug(self)

    def replug(self) -> None:
        """Bring it back to the same node."""
        with self.host.lock:
            self.host.replug(self)

    # ---- Opening and closing

    def open(self, flags: int, pid: int) -> Any:
        """Open the device for process pid: (descriptor for the program, file number, registry index), or WAIT.

        The caller sends the descriptor to the program and closes it.  Raises OSError as the model does.
        """
        file = self.device.open(flags)
        if file is WAIT:
            return WAIT
        if not isinstance(file, File):
            raise TypeError(f"{type(self.device).__name__}.open() returned {file!r}: it must return a File, or WAIT")
        return self.carry(file, flags)

    def carry(self, file: File, flags: int) -> tuple[int, int, int]:
        """Give a file that the model made a carrier."""
        if file is not self.device:
            file.flags = flags
        number = self.host.free_number()
        nonblock = bool(flags & os.O_NONBLOCK)
        open_file: Opened = (
            OpenStream(self.host, self, file, number, nonblock)
            if isinstance(file, Stream)
            else OpenFile(self.host, self, file, number, nonblock)
        )
        self.host.add_file(open_file)
        self.files.add(open_file)
        index = self.entry(type(file))
        dev, inode = open_file.key
        self.host.registry.add_carrier(dev, inode, 0, index, number, flags & os.O_ACCMODE)
        self.host.closes.watch(open_file)
        return open_file.theirs, number, index

    def closed(self, open_file: Opened) -> None:
        """The last descriptor of a file has gone (or the device has, under it)."""
        if open_file not in self.files:
            return
        self.files.discard(open_file)
        open_file.closing()
        self.host.closes.forget(open_file)
        self.host.registry.remove_carrier(*open_file.key)
        os.close(open_file.end)
        self.host.files[open_file.number] = None
        self.host.numbers.append(open_file.number)
        self.locks.closed(open_file.number)
        self.records.closed(open_file.number)
        try:
            if open_file.file is not self.device or not any(other.file is self.device for other in self.files):
                open_file.file.close()
        except (Exception, SystemExit) as exception:
            if not isinstance(exception, OSError):
                self.host.failed(self.device, "close", exception)

    # ---- Plugging

    def attach(self) -> None:
        """The node is there: tell the device."""
        self.plugged = True
        self.device.attached(self)

    def detach(self) -> None:
        """The node has gone: stop its timers, hang up its files."""
        self.plugged = False
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.host.closes.settle()
        for open_file in list(self.files):
            if not open_file.gone:
                open_file.hang_up()
        for point in (self.waits, self.locks.point, self.records.point):
            point.fire()
        self.device.unplugged()

    def may_open(self, flags: int, uid: int, gid: int, groups: Callable[[], list[int]]) -> bool:
        """Whether the node's mode and owner let a user open it so (path_resolution(7))."""
        if uid == 0:
            return True
        status = os.stat(self.host.tree.placeholder(self.node))
        if uid == status.st_uid:
            bits = status.st_mode >> 6
        elif gid == status.st_gid or status.st_gid in groups():
            bits = status.st_mode >> 3
        else:
            bits = status.st_mode
        access = flags & os.O_ACCMODE
        wanted = {os.O_RDONLY: 4, os.O_WRONLY: 2, os.O_RDWR: 6}.get(access, 6)
        return bits & wanted == wanted


class TtyFile(Answering):
    """All opens of one serial port: they share the pty, and so answer as one."""

    def seek(self, offset: int, whence: int) -> Any:
        """Terminals have no position (lseek(2))."""
        return (-1, errno.ESPIPE, 0, 0, None, wire.NO_PLACE)


class TtyPlug(DevicePlug):
    """A serial port at its node: a pty carries the data, the model answers the ioctls."""

    flags = wire.DEVICE_TTY

    def __init__(self, host: Host, node: str, device: Device, rdev: int) -> None:
        super().__init__(host, node, device, rdev)
        self.number = host.free_number()
        host.add_file(TtyFile(host, self, device, self.number))
        self.tty: TtyCarrier | None = None

    def attach(self) -> None:
        """Make the pty, then tell the device."""
        self.tty = self.carrier()
        super().attach()

    def carrier(self) -> TtyCarrier:
        """A new pty for the device."""
        host, device = self.host, self.device
        assert isinstance(device, Serial)
        return TtyCarrier(device, host.loop, host.registry, self.entry(type(device)), host.failed, self.number)

    def open(self, flags: int, pid: int) -> Any:
        """A descriptor of the pty, once the model lets it be opened."""
        if self.tty is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        fd = self.tty.open(flags, pid)
        return WAIT if fd is WAIT else (fd, self.number, self.entry(type(self.device)))

    def detach(self) -> None:
        """Hang the pty up."""
        if self.tty is not None:
            self.tty.hang_up()
            self.tty = None
        super().detach()

    def send(self, data: bytes) -> None:
        """Hand bytes to the program."""
        with self.host.lock:
            if self.tty is not None:
                self.tty.send(data)


def plug_class(device: Device) -> type[DevicePlug]:
    """How a device is carried."""
    kinds = {"computed": DevicePlug, "tty": TtyPlug}
    try:
        return kinds[device.carrier]
    except KeyError:
        raise DevshimError(
            f"{type(device).__name__}.carrier is {device.carrier!r}: it must be one of {', '.join(kinds)}"
        ) from None
