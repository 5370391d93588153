"""What /sys shows around an I2C bus: the adapter, its character device, and the chips that drivers have bound."""

from __future__ import annotations

from devshim.model.device import Link
from devshim.model.sysfs import Files, in_class, lines, on_bus, record, with_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.i2c import I2cBus

NODE = "/dev/i2c-"


def surroundings(bus: I2cBus, node: str, major: int, minor: int) -> Files:
    """Files and links around /dev/i2c-N (i2c-core-base.c, i2c-dev.c); none for a node of another name."""
    digits = node.removeprefix(NODE)
    if digits == node or not (digits.isascii() and digits.isdigit()):
        return {}
    name, number = f"i2c-{digits}", int(digits)
    title = bus.name or f"devshim adapter {number}"
    adapter = f"/sys/devices/platform/devshim-i2c.{number}/{name}"
    here = f"{adapter}/i2c-dev/{name}"
    found: Files = {
        f"{adapter}/name": f"{title}\n".encode(),
        f"{adapter}/uevent": b"",
        f"{here}/name": f"{title}\n".encode(),
        f"{here}/device": Link(f"../../../{name}"),
        **on_bus(adapter, "i2c"),
        **with_number(here, major, minor, name),
        **in_class(here, "i2c-dev"),
        f"/run/udev/data/c{major}:{minor}": record(),
    }
    for chip in bus.each_chip():
        if chip.busy:
            found |= client(adapter, number, chip.address, type(chip).__name__.lower())
            found |= chip.driver_surroundings(f"{adapter}/{number}-{chip.address:04x}")
    return found


def client(adapter: str, number: int, address: int, name: str) -> Files:
    """A chip that a driver of the kernel has."""
    here = f"{adapter}/{number}-{address:04x}"
    return {
        f"{here}/name": f"{name}\n".encode(),
        f"{here}/modalias": f"i2c:{name}\n".encode(),
        f"{here}/uevent": lines({"DRIVER": name, "MODALIAS": f"i2c:{name}"}),
        **on_bus(here, "i2c", name),
    }
