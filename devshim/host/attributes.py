"""Attributes of sysfs at their paths: what the host keeps of one, and its opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devshim.host.plugs import DevicePlug

if TYPE_CHECKING:
    from devshim.host.host import Host
    from devshim.model.attribute import Attribute
    from devshim.model.device import Device, File


class AttributePlug(DevicePlug):
    """An attribute of a device at its path; each open is a file that computes and acts."""

    has_node = False  # it is part of what surrounds one

    def __init__(self, host: Host, path: str, device: Device, attribute: Attribute, index: int) -> None:
        super().__init__(host, path, device, 0)
        self.attribute = attribute
        self.plugged = True
        self._index = index

    def entry(self, file: type[File]) -> int:
        """The registry's index of this attribute."""
        return self._index

    def open(self, flags: int, pid: int) -> Any:
        """Open it: (descriptor for the program, file number, registry index).  Raises OSError(EACCES)."""
        return self.carry(self.attribute.open(flags), flags)

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
