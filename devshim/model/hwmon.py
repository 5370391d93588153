"""Hwmon: a sensor chip as the kernel's hwmon drivers show it (Documentation/hwmon/sysfs-interface.rst)."""

from __future__ import annotations

from devshim.model.attribute import Attribute
from devshim.model.sysfs_device import SysfsDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


class Hwmon(SysfsDevice):
    """A chip with sensors and fans, plugged at /sys/class/hwmon/hwmonN.

        class Board(Hwmon):
            chip = "nct6775"
            celsius: float = 35.0
            @attribute
            def temp1_input(self): return round(self.celsius * 1000)
            temp1_max = Setting(80000)

    Temperatures are in thousandths of a degree, voltages in mV, fans in rotations a minute, pwm from 0 to 255.
    """

    usual_node: ClassVar[str] = "/sys/class/hwmon/hwmon0"

    subsystem = "hwmon"

    #: What the file `name` says: the driver's name for the chip; by default the class's name.
    chip: ClassVar[str] = ""
    #: Names of sensors, by the stem of their files: {"temp1": "CPU"} makes temp1_label.
    labels: ClassVar[Mapping[str, str]] = {}

    def files(self) -> Mapping[str, Any]:
        """The chip's name, and the labels."""
        found: dict[str, bytes | Attribute] = {"name": f"{self.chip or type(self).__name__.lower()}\n".encode()}
        return found | {f"{stem}_label": f"{label}\n".encode() for stem, label in self.labels.items()}

    def platform_name(self, name: str) -> str:
        """Named after the chip, so that libsensors shows it as that."""
        return self.platform or f"{self.chip or type(self).__name__.lower()}.{name.removeprefix('hwmon')}"
