"""Iio: the files in /sys of an industrial I/O device (Documentation/ABI/testing/sysfs-bus-iio), without its buffers."""

from __future__ import annotations

import errno
import re
from typing import Any, ClassVar

from devshim.model.device import Device
from devshim.model.setting import attributes_of
from devshim.model.sysfs import Files, on_bus, record, with_number


class Iio(Device):
    """A converter or sensor, plugged at /dev/iio:deviceN; programs read and write its files in /sys.

        class Adc(Iio):
            chip = "mcp3008"
            volts: float = 1.5
            @attribute
            def in_voltage0_raw(self): return round(self.volts / 3.3 * 1023)
            in_voltage_scale = Setting("3.222656250")

    Reads of the node give EBUSY, as without a buffer that is enabled.
    """

    #: What the file `name` says; by default the class's name.
    chip: ClassVar[str] = ""

    def surroundings(self, node: str, major: int, minor: int) -> Files:
        """The directory on the iio bus, with what the class declares.  Raises ValueError for another node."""
        match = re.fullmatch(r"/dev/(iio:device\d+)", node)
        if match is None:
            raise ValueError(f"{node}: a {type(self).__name__} is plugged at /dev/iio:deviceN")
        here = f"/sys/devices/platform/devshim-iio/{match[1]}"
        files: dict[str, Any] = {
            "name": f"{self.chip or type(self).__name__.lower()}\n".encode(),
            **attributes_of(self),
        }
        return {
            **{f"{here}/{name}": content for name, content in files.items()},
            **on_bus(here, "iio"),
            **with_number(here, major, minor, match[1], {"DEVTYPE": "iio_device"}),
            f"/run/udev/data/c{major}:{minor}": record(),
        }

    def read(self, size: int) -> bytes:
        """No buffer is enabled (iio_buffer_read)."""
        raise OSError(errno.EBUSY, "no buffer is enabled")
