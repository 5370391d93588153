"""Device and File: what a device author subclasses, in the manner of the kernel's file_operations.

`open()` returns the object that answers, a File.  A device without state of its own for each open returns
itself, as an iterator is its own iterable.  Defaults fail as a driver does that lacks the operation.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from devshim.model.parameters import Parameter, collect_parameters, copy_default, set_parameters
from devshim.model.timing import Every, Timer, start_timers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, ClassVar, Protocol, dataclass_transform

    from devshim.model.attribute import Picture
    from devshim.model.companion import Companion
    from devshim.model.ioctl import Handler
    from devshim.model.usb_sysfs import UsbInterface
else:  # for type checkers alone, and dear to import

    def dataclass_transform(**options: object) -> object:
        """Leave the class as it is."""
        return lambda cls: cls


POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP = 0x1, 0x2, 0x4, 0x8, 0x10


def every_of(cls: type) -> Iterator[Every]:
    """All @every timers of a class, the base classes' first; an overridden name counts once."""
    found: dict[str, Every] = {}
    for klass in reversed(cls.__mro__):
        for name, value in vars(klass).items():
            if isinstance(value, Every):
                found[name] = value
            else:
                found.pop(name, None)
    yield from found.values()


def handlers_of(cls: type) -> dict[int, Handler]:
    """All @ioctl handlers of a class; without ctypes, and what it takes to describe arguments, where nobody has any."""
    if "devshim.model.ioctl" not in sys.modules:
        return {}
    from devshim.model.ioctl import collect_handlers

    return collect_handlers(cls)


def refuse_hiding(cls: type) -> None:
    """Refuse a Register, Line or handler under the name of one of the base class's own methods."""
    from devshim.model.naming import check_names

    check_names(cls)


class Special:
    """The two answers that mean something else than their value; there is one object of each, copies are the same."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        return self.name


WAIT = Special("WAIT")
"""Nothing yet: ask again after wake()."""

REAL = Special("REAL")
"""Let the real hardware answer."""


class Link(str):
    """The text of a symbolic link, such as ../../bus/gpio, in what surroundings() returns."""


class Shared(bytes):
    """The content of a file that many devices have in common, the same for each: it is written once."""


if TYPE_CHECKING:

    class Plug(Protocol):
        """What the host gives a device while it is plugged; models never import the host."""

        node: str

        @property
        def hides_real(self) -> bool:
            """Whether the machine's own devices are not to be seen."""

        @property
        def calls(self) -> list[Any]:
            """The calls on the device, as far as they are kept."""

        def wake(self, file: File | None) -> None:
            """Ask waiting calls again and refresh readiness: of one file, or of all of the device (None)."""

        def send(self, data: bytes) -> None:
            """Hand bytes to the program through a stream carrier (a tty)."""

        def after(self, seconds: float, callback: Callable[[], object]) -> Timer:
            """Call back once, under the host's lock, in so many seconds."""

        def complain(self, text: str, failure: bool = True) -> None:
            """Tell the user, on stderr; failure: and count it as a failure of the run."""

        def settle(self) -> None:
            """Handle all closes that have happened, before an answer that depends on them."""

        def devices(self) -> list[Device]:
            """All that is plugged in this run now."""

        def unplug(self) -> None:
            """Take the device away, as a pulled cable does."""

        def replug(self) -> None:
            """Bring it back to the same node."""

        def refresh(self) -> None:
            """Look at surroundings() again: show what has come, hide what has gone."""

        def announce(self, action: str, properties: Mapping[str, str]) -> None:
            """Send a uevent of the device."""

else:
    Plug = object


class Calls:
    """The attribute `calls` of what is plugged in a session; an author's own attribute of that name is simply his."""

    def __get__(self, instance: Any, owner: type | None = None) -> list[Any]:
        plug = instance._plug if instance is not None else None
        return list(plug.calls) if plug is not None else []


class File:
    """One open file: answers read, write, ioctl, poll and close.

    `self.device` is the device it was opened on (set by the host, unless the class sets it itself) and
    `self.flags` are the open flags.
    """

    ioctls: ClassVar[dict[int, Handler]] = {}
    flags: int = os.O_RDWR
    #: The descriptor from which the answer REAL comes, closed with the file; None: that of the real node, if any.
    real: int | None = None
    #: Whether poll tells of an error, too, when the device has gone; at the latest when it is not writable any more.
    gone_error: ClassVar[bool] = False
    #: With that: requests that are answered as long as it is, which is then when something is to be had.
    after_gone: ClassVar[frozenset[int]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_hiding(cls)
        cls.ioctls = handlers_of(cls)

    def read(self, size: int) -> Any:
        """Return up to size bytes, b"" at the end of file, or WAIT.

        The program's read fails with EINVAL unless a class overrides this, as without .read in file_operations.
        """
        raise OSError(errno.EINVAL, "this device cannot be read")

    def write(self, data: bytes) -> Any:
        """Take data; return None (all of it), the number of bytes taken, or WAIT."""
        raise OSError(errno.EINVAL, "this device cannot be written")

    def pread(self, size: int, offset: int) -> Any:
        """Read at an offset; by default the offset is of no interest, as for most character devices."""
        return self.read(size)

    def pwrite(self, data: bytes, offset: int) -> Any:
        """Write at an offset; by default the offset is of no interest."""
        return self.write(data)

    def seek(self, offset: int, whence: int) -> int:
        """Return the new position; ESPIPE unless overridden (lseek(2))."""
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))

    def ioctl(self, request: int, argument: Any) -> Any:
        """Answer a request that no @ioctl handler took: ENOTTY (ioctl(2)).  argument: raw bytes, or an int."""
        raise OSError(errno.ENOTTY, f"nothing answers ioctl {request:#010x}")

    def poll(self) -> int:
        """Return the ready bits; by default always readable and writable, as a driver without .poll."""
        return POLLIN | POLLOUT

    def device_gone(self) -> None:
        """The device has gone, and this file still has something to give (gone_error)."""

    def close(self) -> None:
        """The last descriptor of this file has gone (the kernel's release)."""


@dataclass_transform(kw_only_default=True)
class Device(File):
    """A model that can be plugged at a node.

    Annotated class attributes are parameters, set by keyword and converted to their type; plain ones are
    state.  Mutable defaults are copied for each instance.
    """

    #: How the program holds it: "computed" (the model answers each call) or "tty" (a pty carries the data).
    carrier: ClassVar[str] = "computed"
    #: st_rdev: None takes a major of at least 512, which no real kernel uses, and the next free minor.
    major: ClassVar[int | None] = None
    minor: ClassVar[int | None] = None
    #: File type and permission bits of the node.
    mode: ClassVar[int] = stat.S_IFCHR | 0o666
    #: Whether lseek and positions reach the model.
    seekable: ClassVar[bool] = False

    #: Where such a device usually is, as `devshim devices` shows it.
    usual_node: ClassVar[str] = ""

    #: The calls on this device so far, in a session: events as in traces (devshim/trace/event.py).
    calls = Calls()

    parameters: ClassVar[dict[str, Parameter]] = {}
    timers: ClassVar[tuple[Every, ...]] = ()
    _on_usb: UsbInterface | None = None  # of a function of a USB device that has several (model/composite.py)
    _whole: Device | None = None
    _plug: Plug | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.parameters = collect_parameters(cls)
        cls.timers = tuple(every_of(cls))

    def __init__(self, **parameters: Any) -> None:
        copy_default(self)
        set_parameters(self, parameters)
        self.setup()

    def setup(self) -> None:
        """Called once, when all parameters are set; override instead of __init__."""

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """The major and minor number at a node (Documentation/admin-guide/devices.txt); None: any that is free."""
        return self.major, self.minor

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What to lay out around the node, by absolute path: what /sys and /run/udev show of it.

        Bytes are a file that always holds them, a Link is a symbolic link, an Attribute computes and acts.
        """
        return {}

    def open(self, flags: int) -> Any:
        """Return the File that answers; WAIT to let the program wait; raise OSError to refuse.

        A real descriptor (an int) is handed to the program as it is, and REAL means one of the real node.
        """
        return self

    def plugged(self) -> None:
        """The device has been plugged in (again); its timers run from now."""

    def unplugged(self) -> None:
        """The device has been taken away."""

    def wake(self) -> None:
        """Ask waiting calls on this device again."""
        if self._plug is not None:
            self._plug.wake(None)

    def after(self, seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call back once in so many seconds, unless .cancel() is called on what this returns first."""
        if self._plug is None:
            raise RuntimeError(f"{type(self).__name__}: after() needs a plugged device")
        return self._plug.after(seconds, lambda: callback(*args))

    def unplug(self) -> None:
        """Take the device away while programs may be using it; they see what a pulled cable gives."""
        if self._plug is not None:
            self._plug.unplug()

    def plug(self) -> None:
        """Bring an unplugged device back to its node."""
        if self._plug is None:
            raise RuntimeError(f"{type(self).__name__}: plug() brings back what was unplugged; it never was plugged")
        self._plug.replug()

    def _pictured(self, node: str, major: int, minor: int) -> Picture:
        """What a recording of the node alone is to have of its surroundings, some of which another device may bring."""
        return self.surroundings(node, major, minor)

    def surroundings_changed(self) -> None:
        """Show what surroundings() says now; files that were there before and still are stay as they are."""
        if self._plug is not None:
            self._plug.refresh()

    def announce(self, action: str = "change", **properties: str) -> None:
        """Tell programs that monitor uevents of the device, such as `announce(BATTERY="low")`.

        No effect where it has no uevent file in its surroundings().
        """
        if self._plug is not None:
            self._plug.announce(action, properties)

    def _companions(self, node: str) -> Mapping[str, Companion]:
        """Further nodes that the kernel makes of the device, and what answers there; * is the first free number."""
        return {}

    def attached(self, plug: Plug) -> None:
        """Called by the host: from now on this device is at plug.node."""
        self._plug = plug
        self.plugged()
        start_timers(self)

    @property
    def whole(self) -> Any:
        """The Composite that this device is a function of, or None."""
        return self._whole

    @property
    def node(self) -> str | None:
        """The path that this device answers, or None where it is not plugged."""
        return self._plug.node if self._plug is not None else None
