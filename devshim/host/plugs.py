"""A device at its node: what the host keeps of it while it is plugged, and what the device sees of the host."""

from __future__ import annotations

import fcntl
import os

from devshim.errors import DevshimError
from devshim.host import wire
from devshim.host.files import Opened, OpenFile
from devshim.host.locks import Locks
from devshim.host.registry import RegistryFull
from devshim.host.timers import Timer
from devshim.model.device import REAL, WAIT, Device, File
from devshim.model.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from devshim.host.asker import Asker
    from devshim.host.host import Host
    from devshim.trace.event import Event


_tables: dict[type[File], bytes] = {}
MOST_TABLES = 256


def table_of(file: type[File]) -> bytes:
    """What the program's ioctls on files of a class look like: the same for all devices of a kind."""
    native = getattr(file, "native_ioctls", ())
    if not file.ioctls and not native and file.ioctl is File.ioctl:
        return b""
    from devshim.host.memory import compile_table  # now, for the program may not let us find files later on

    if file not in _tables:
        if len(_tables) == MOST_TABLES:
            _tables.clear()
        _tables[file] = compile_table(file.ioctls.values(), native) if file.ioctls or native else b""
    return _tables[file]


# What F_GETFL shows of how a file was opened, but for what its carrier keeps (fs/fcntl.c, SETFL_MASK).
FIXED = os.O_ACCMODE | os.O_SYNC | os.O_DSYNC | os.O_DIRECT | os.O_NOFOLLOW


def put_tag(fd: int, tag: int) -> None:
    """Let the shim know an open file again in half the time that a look at its inode takes (handles.c)."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, tag)
    except OSError:
        return  # this kernel keeps none: then its inode is looked at


class DevicePlug:
    """A computed device at its node: each open is a File of the model with a carrier of its own."""

    flags = wire.DEVICE_READ | wire.DEVICE_WRITE
    has_node = True  # programs open the node itself
    whole: DevicePlug | None = None  # what it is a function of: they are plugged and pulled as one

    def __init__(self, host: Host, node: str, device: Device, rdev: int) -> None:
        self.host = host
        self.node = node
        self.device = device
        self.rdev = rdev
        self.mark = object()  # by which its calls are known, also when nothing else is left of it
        self.waits = host.waits.make()
        self.locks = Locks(host.waits.make())
        self.records = Locks(host.waits.make())
        self.files: set[Opened] = set()
        self.plugged = False
        self.surroundings: list[str] = []
        self.companions: list[DevicePlug] = []
        self.gives_way = False  # nobody asked for it: whoever plugs something there gets the node
        self._entries: dict[type[File], int] = {}
        self._timers: set[Timer] = set()

        self._forgotten = False

    @property
    def hides_real(self) -> bool:
        """Whether the machine's own devices are not to be seen."""
        return self.host.picture.hides_real

    def all_of_it(self) -> DevicePlug:
        """What is plugged and pulled as one with it."""
        return self if self.whole is None else self.whole.all_of_it()

    @property
    def calls(self) -> list[Event]:
        """The calls on this device, as far as they are kept: in a session, the newest."""
        with self.host.lock:
            self.settle_close()
            kept = self.host.kept
            return [seen.event for seen in kept.seen() if seen.mark is self.mark] if kept is not None else []

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
            if self.host.observers is not None and flags & (wire.DEVICE_TTY | wire.DEVICE_STREAM):
                flags |= wire.DEVICE_REPORT
            recorded = self.host.recorded if self.has_node and self.node.startswith("/dev/") else None
            recorded = recorded if recorded is not None and recorded.with_models else None
            table = table_of(file)
            if recorded is not None:
                flags |= wire.DEVICE_RECORD
                table = recorded.model_table(file, self.node, getattr(file, "native_ioctls", ()))
            index = self.host.registry.add_device(self.node, flags, self.device.mode, self.rdev, table, record, gone)
            if recorded is not None:
                recorded.add_model(index, self.node, file, self.device, self.rdev, flags)
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

    def after(self, seconds: float, callback: Callable[[], object]) -> Timer:
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

    def complain(self, text: str, failure: bool = True) -> None:
        """Tell the user, on stderr; failure: and count it as a failure of the run."""
        with self.host.lock:
            if failure:
                self.host.failures.append(text)
            self.host.message(text)

    def settle(self) -> None:
        """Handle all closes that have happened."""
        with self.host.lock:
            self.host.closes.settle()

    def devices(self) -> list[Device]:
        """All that is plugged in this run now."""
        return [plug.device for plug in self.host.plugs()]

    def unplug(self) -> None:
        """Take the device away, as a pulled cable does."""
        with self.host.lock:
            self.host.unplug(self)

    def replug(self) -> None:
        """Bring it back to the same node."""
        with self.host.lock:
            self.host.replug(self)

    def refresh(self) -> None:
        """Look at surroundings() again."""
        with self.host.lock:
            if self.plugged:
                self.host.picture.refresh(self)

    def announce(self, action: str, properties: Mapping[str, str]) -> None:
        """Send a uevent of the device."""
        with self.host.lock:
            if self.plugged:
                self.host.picture.announce_own(self, action, properties)

    # ---- Opening and closing

    def open(self, flags: int, pid: int, asker: Asker | None = None) -> Any:
        """Open the device for process pid: (descriptor for the program, file number, registry index), or WAIT.

        The caller sends the descriptor to the program and closes it.  asker: who asks over a socket; where its
        connection has become the carrier there is no descriptor (-1).  Raises OSError as the model does.
        """
        file = self.device.open(flags)
        if file is WAIT:
            return WAIT
        if isinstance(file, File):
            return self.carry(file, flags, asker=asker)
        if file is REAL:
            from devshim import real

            file = real.open(self.node, flags & ~os.O_CREAT)
        if isinstance(file, int) and not isinstance(file, bool):
            return file, 0, 0
        name = type(self.device).__name__
        raise TypeError(f"{name}.open() returned {file!r}: it must return a File, a descriptor, WAIT or REAL")

    def carry(self, file: File, flags: int, named: bool = True, asker: Asker | None = None) -> tuple[int, int, int]:
        """Give a file that the model made a carrier; named: it was opened by a path.  asker: as in open()."""
        if file is not self.device:
            file.flags = flags
            if not hasattr(file, "device"):
                file.device = self.device  # type: ignore[attr-defined]
        number = self.host.free_number()
        nonblock = bool(flags & os.O_NONBLOCK)
        open_file = None
        try:
            index = self.entry(type(file))
            open_file = self.make(file, number, nonblock, asker)
            self.host.closes.watch(open_file)
            dev, inode = open_file.key
            access = flags & FIXED | (wire.CARRIER_NAMED if named else 0)
            tag = self.host.registry.add_carrier(dev, inode, 0, index, number, access, tagged=True)
            if asker is not None and asker.is_carrier:
                asker.tag = tag
            elif tag:
                put_tag(open_file.theirs, tag)
        except (OSError, RegistryFull) as problem:
            if open_file is not None:
                self.host.closes.forget(open_file)
            if asker is not None and asker.is_carrier:
                asker.is_carrier = False
            elif open_file is not None:
                os.close(open_file.end)
                os.close(open_file.theirs)
            self.host.numbers.append(number)
            self._release(file)
            self.host.lacks(problem)
            raise
        self.host.add_file(open_file)
        self.files.add(open_file)
        if named and self.host.watched is not None:
            self.host.watched.hold(self, number, flags)
        return open_file.theirs, number, index

    def make(self, file: File, number: int, nonblock: bool, asker: Asker | None) -> Opened:
        """The carrier of a file, by its kind."""
        if isinstance(file, Stream):
            from devshim.host.streams import OpenStream

            return OpenStream(self.host, self, file, number, nonblock)
        if file.gone_error:
            from devshim.host.lingering import LingeringFile

            return LingeringFile(self.host, self, file, number, nonblock, asker)
        return OpenFile(self.host, self, file, number, nonblock, asker)

    def closed(self, open_file: Opened) -> None:
        """The last descriptor of a file has gone (or the device has, under it)."""
        if open_file not in self.files:
            return
        self.files.discard(open_file)
        open_file.closing()
        self.host.closes.forget(open_file)
        self.host.registry.remove_carrier(*open_file.key)
        os.close(open_file.end)
        self.host.closed(self, open_file.number)
        self.host.free_file(open_file.number)
        self.locks.closed(open_file.number)
        self.records.closed(open_file.number)
        if self._forgotten and not self.files:
            self._free_entries()
        self._release(open_file.file)

    def _release(self, file: File) -> None:
        """Nobody has this file any more: tell the model, unless others share it."""
        try:
            if file is not self.device or not any(other.file is self.device for other in self.files):
                file.close()
        except (Exception, SystemExit) as exception:
            if not isinstance(exception, OSError):
                self.host.failed(self.device, "close", exception)

    # ---- Plugging

    def attach(self) -> None:
        """The node is there: tell the device."""
        self.plugged = True
        self.device.attached(self)

    def accompany(self) -> None:
        """All of it is there and announced: plug what belongs beside it."""
        companions = self.device._companions(self.node)
        if companions:
            from devshim.host.companions import plug_companions

            plug_companions(self.host, self, companions)

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

    def forget(self) -> None:
        """It was unplugged for good: its entries are free once its last file is closed."""
        self._forgotten = True
        for point in (self.waits, self.locks.point, self.records.point):
            self.host.waits.drop(point)
        if not self.files:
            self._free_entries()

    def _free_entries(self) -> None:
        for index in self._entries.values():
            self.host.registry.remove_device(index)
        self._entries.clear()

    def identities(self) -> Iterable[tuple[int, int]]:
        """st_dev and st_ino of the descriptors that programs hold."""
        return [(file.key[0], file.key[1]) for file in self.files]

    def settle_close(self) -> None:
        """Notice closes that have happened."""
        self.host.closes.settle()

    def abandon(self) -> None:
        """In a forked child: close what only this kind of device has."""

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


class SysfsPlug(DevicePlug):
    """A device that has no node, only what surrounds it in /sys: a directory there stands for it."""

    has_node = False


def plug_class(device: Device) -> type[DevicePlug]:
    """How a device is carried."""
    if device.carrier == "computed":
        return DevicePlug
    if device.carrier == "tty":
        from devshim.host.terminals import TtyPlug

        return TtyPlug
    if device.carrier == "raw":
        from devshim.host.raw import RawPlug

        return RawPlug
    if device.carrier == "raw tty":
        from devshim.host.rawtty import RawTtyPlug

        return RawTtyPlug
    if device.carrier == "none":
        return SysfsPlug
    # A model may have taken the name for something of its own; those of replays are not for models.
    what = f"{type(device).__name__}.carrier is {device.carrier!r}"
    raise DevshimError(f"{what}: it must be one of computed, tty, none")
