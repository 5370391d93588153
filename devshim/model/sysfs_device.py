"""SysfsDevice: a device that is nothing but a directory of files in /sys: an LED, a sensor, a backlight."""

from __future__ import annotations

import re

from devshim.model.attribute import Attribute
from devshim.model.device import Device, Link
from devshim.model.setting import attributes_of, notify
from devshim.model.sysfs import in_class, lines, on_bus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


class SysfsDevice(Device):
    """A device of a class of /sys, plugged at its entry there: `-d /sys/class/leds/red=led`.

    Its files are what the class declares with @attribute and Setting, and those of files().
    """

    carrier = "none"

    #: The class of /sys that it belongs to.
    subsystem: ClassVar[str] = ""
    #: The platform device that it is a part of; by default the class's own name, and a number.
    platform: ClassVar[str] = ""
    #: The driver of that device; by default the platform device's name without its number.
    driver: ClassVar[str] = ""

    def files(self) -> Mapping[str, bytes | Attribute]:
        """More files of the directory, by name."""
        return {}

    def notify(self, file: str) -> None:
        """Wake programs that poll a declared file for POLLPRI: it shows something else now (sysfs_notify)."""
        notify(self, file)

    def uevent(self) -> Mapping[str, object]:
        """What the directory's uevent file says."""
        return {}

    def surroundings(self, node: str, major: int, minor: int) -> Mapping[str, Any]:
        """The directory, the platform device above it, and the links.  Raises ValueError for a node elsewhere."""
        start = f"/sys/class/{self.subsystem}/"
        name = node.removeprefix(start)
        if name == node or "/" in name:
            such = f", such as {self.usual_node}" if self.usual_node else ""
            raise ValueError(f"{node}: a {type(self).__name__} is plugged at {start}NAME{such}")
        above = f"/sys/devices/platform/{self.platform_name(name)}"
        here = f"{above}/{self.subsystem}/{name}"
        driver = self.driver or self.platform_name(name).partition(".")[0]
        found: dict[str, bytes | Link | Attribute] = {
            f"{above}/uevent": lines({"DRIVER": driver, "MODALIAS": f"platform:{driver}"}),
            f"{above}/modalias": f"platform:{driver}\n".encode(),
            **on_bus(above, "platform", driver),
            f"{here}/uevent": lines(self.uevent()),
            f"{here}/device": Link(f"../../../{above.rpartition('/')[2]}"),
            **in_class(here, self.subsystem),
        }
        files = {**attributes_of(self), **self.files()}
        return found | {f"{here}/{file}": content for file, content in files.items()}

    def platform_name(self, name: str) -> str:
        """The name of the platform device above an entry."""
        number = re.search(r"\d+$", name)
        return self.platform or f"{type(self).__name__.lower()}.{number[0] if number else 0}"
