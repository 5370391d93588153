"""Attributes of sysfs at their paths: what the host keeps of one, and its opens."""

from __future__ import annotations

from devshim.host import wire
from devshim.host._channel import mark
from devshim.host.files import OpenFile
from devshim.host.plugs import DevicePlug

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.host.asker import Asker
    from devshim.host.files import Opened
    from devshim.host.host import Host
    from devshim.model.attribute import Attribute, AttributeFile
    from devshim.model.device import Device, File


class OpenAttribute(OpenFile):
    """One open attribute: always readable and writable, and urgent (POLLPRI) from a notify() to the next look at it.

    As in the kernel it is urgent from the start: whoever has not read it yet does not know what it shows
    (kernfs_generic_poll).  There POLLERR comes with it, which no socket can show: the shim adds it (urgent.c).
    """

    file: AttributeFile

    def __init__(self, host: Host, plug: DevicePlug, file: AttributeFile, number: int, nonblock: bool) -> None:
        super().__init__(host, plug, file, number, nonblock)
        self._urgent = plug.node.startswith("/sys/") and mark(self.end)  # no file of /proc is polled so
        host.registry.head.flags |= wire.REGISTRY_URGENT

    def notified(self) -> None:
        """The model says that it shows something else now."""
        with self.host.lock:
            if not self.gone and not self._urgent:
                self._urgent = mark(self.end)

    def read(self, size: int, offset: int) -> Any:
        """Answer read(2); what is shown anew has been seen."""
        self.file.looked = False
        answer = super().read(size, offset)
        if not self._urgent or not self.file.looked:
            return answer
        self._urgent = False
        if isinstance(answer, bytes):
            return (len(answer), 0, wire.ANSWER_SEEN, 0, answer, wire.NO_PLACE)
        result, error, flags, *rest = answer
        return (result, error, flags | wire.ANSWER_SEEN, *rest)

    def closing(self) -> None:
        """Nobody listens any more."""
        self.file.attribute.unhear(self.notified)
        super().closing()


class AttributePlug(DevicePlug):
    """An attribute of a device at its path; each open is a file that computes and acts."""

    has_node = False  # it is part of what surrounds one

    def __init__(self, host: Host, path: str, device: Device, attribute: Attribute, index: int) -> None:
        super().__init__(host, path, device, 0)
        self.attribute = attribute
        self.plugged = True
        self._index = index
        self._newest: OpenAttribute | None = None

    def entry(self, file: type[File]) -> int:
        """The registry's index of this attribute."""
        return self._index

    def open(self, flags: int, pid: int, asker: Asker | None = None) -> Any:
        """Open it: (descriptor for the program, file number, registry index).  Raises OSError(EACCES)."""
        carried = self.carry(self.attribute.open(flags), flags)
        newest, self._newest = self._newest, None
        if newest is not None:
            self.attribute.hear(newest.notified)
        return carried

    def make(self, file: File, number: int, nonblock: bool, asker: Asker | None) -> Opened:
        """Its carrier: a fresh one, for there may be a mark in it before the answer is sent."""
        self._newest = OpenAttribute(self.host, self, file, number, nonblock)  # type: ignore[arg-type]
        return self._newest

    def detach(self) -> None:
        """It is gone: what is open answers ENODEV."""
        self.plugged = False
        self.host.closes.settle()
        for open_file in list(self.files):
            if not open_file.gone:
                open_file.hang_up()
        for point in (self.locks.point, self.records.point):
            point.fire()
        self.forget()
