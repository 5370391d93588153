"""ClassDevice: a node that belongs to a class of /sys, with the files that its class has there: a clock, a watchdog."""

from __future__ import annotations

from devshim.model.device import Device, Link
from devshim.model.setting import attributes_of, notify
from devshim.model.sysfs import Files, in_class, link, record, with_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import ClassVar

    from devshim.model.attribute import Attribute


class ClassDevice(Device):
    """A device at /dev/NAME, whose files are in /sys/class/SUBSYSTEM/NAME: those declared by @attribute and Setting.

    class Softdog(ClassDevice):
        subsystem = "watchdog"
        timeout = Setting(60)
        @attribute
        def identity(self): return "Software Watchdog"
    """

    #: The class of /sys that it belongs to.
    subsystem: ClassVar[str] = ""
    #: The directory in /sys of the device that it is a part of; "": of none.
    parent: ClassVar[str] = ""

    def files(self) -> Mapping[str, bytes | Attribute]:
        """More files of the directory, by name."""
        return {}

    def notify(self, file: str) -> None:
        """Wake programs that poll a declared file for POLLPRI: it shows something else now (sysfs_notify)."""
        notify(self, file)

    def uevent(self) -> Mapping[str, object]:
        """What the uevent file says beside the node's numbers and name."""
        return {}

    def links(self, name: str) -> Iterable[str]:
        """Paths below /dev of links to the node, whose name is given: what SYMLINK+= of udev's rules makes."""
        return ()

    def surroundings(self, node: str, major: int, minor: int) -> Files:
        """The directory, the links of class and device number, and those below /dev with udev's record of them."""
        here = f"{self.parent or '/sys/devices/virtual'}/{self.subsystem}/{node.rpartition('/')[2]}"
        files = {**attributes_of(self), **self.files()}
        found = {
            **with_number(here, major, minor, node, self.uevent()),
            **in_class(here, self.subsystem),
            **{f"{here}/{name}": content for name, content in files.items()},
        }
        if self.parent:
            found[f"{here}/device"] = link(f"{here}/device", self.parent)
        name = node.removeprefix("/dev/")
        if links := list(self.links(name)):
            found[f"/run/udev/data/c{major}:{minor}"] = record(links=links)
            found |= {f"/dev/{path}": Link("../" * path.count("/") + name) for path in links}
        return found
