"""UsbParent and UsbHub: nodes below /dev/bus/usb of what a port, a HID or an input device hangs from.

usbcore has a node for each device that it shows in /sys, and libusb takes one without a node for just pulled. Few
programs open them, so what answers there (usb_functions.py, usb_root_hub.py) is made when one does.
"""

from __future__ import annotations

from devshim.model.companion import Companion
from devshim.model.usb_hub import USB_MAJOR, hub_uevents, root_hub
from devshim.model.usb_sysfs import DEVICES_PER_BUS, PORTS, UsbInterface, UsbPlace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from devshim.model.attribute import Picture
    from devshim.model.device import Device
    from devshim.model.usb import UsbDevice

HUB = 1  # the device number of a root hub


class UsbNode(Companion):
    """A node at a bus and number, of a device that is there from the first open on."""

    major: ClassVar[int | None] = USB_MAJOR
    seekable: ClassVar[bool] = True
    speed: ClassVar[str] = "full"

    def __init__(self, source: Any, bus: int, number: int) -> None:
        super().__init__(source)
        self.bus_number, self.device_number = bus, number
        self._made: UsbDevice | None = None

    def make(self) -> UsbDevice:
        """What answers here."""
        raise NotImplementedError

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """usbfs's major, and a minor that follows from bus and device number."""
        return USB_MAJOR, (self.bus_number - 1) * DEVICES_PER_BUS + self.device_number - 1

    def open(self, flags: int) -> Any:
        """Whatever the device itself answers."""
        if self._made is None:
            made = self.make()
            made.bus_number, made.device_number = self.bus_number, self.device_number
            assert self._plug is not None
            made.attached(self._plug)
            self._made = made
        return self._made.open(flags)

    def unplugged(self) -> None:
        """What answered here goes with it; who opens what is plugged in again meets another."""
        if self._made is not None:
            self._made.unplugged()
            self._made = None


class UsbHub(UsbNode):
    """The root hub of a bus."""

    common: ClassVar[bool] = True

    def __init__(self, source: Any, bus: int) -> None:
        super().__init__(source, bus, HUB)

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """The hub in /sys, where it stays when nothing hangs from it any more."""
        controller = UsbPlace(port=1, vendor_id=0, product_id=0, bus=self.bus_number).controller
        return {**root_hub(self.bus_number, controller, PORTS), **hub_uevents(self.bus_number, controller, minor)}

    def make(self) -> UsbDevice:
        """A hub."""
        from devshim.model.usb_root_hub import RootHub

        return RootHub(bus=self.bus_number)


class UsbParent(UsbNode):
    """The USB device that one function hangs from, or several of a Composite.

    functions  of each the number of its first interface, the driver that has it, and its model
    """

    def __init__(self, source: Device, place: UsbPlace, number: int, driver: str) -> None:
        super().__init__(source, place.bus, place.number)
        self.place = place
        self.functions = [(number, driver, source)]

    def join(self, other: Companion) -> None:
        """One more function of the same device."""
        if isinstance(other, UsbParent):
            self.functions += other.functions

    def drivers(self) -> dict[int, str]:
        """Which driver has each interface: that of the function which begins there, or before."""
        begin = {number: driver for number, driver, _ in self.functions}
        found, driver = {}, ""
        for number in self.place.kinds:
            driver = found[number] = begin.get(number, driver)
        return found

    def make(self) -> UsbDevice:
        """A device with descriptors as in /sys."""
        from devshim.model.usb_functions import UsbFunctions

        return UsbFunctions(self.place, self.drivers(), [(number, model) for number, _, model in self.functions])

    def _pictured(self, node: str, major: int, minor: int) -> Picture:
        """The device and its interfaces, which its functions bring."""
        found = self.place.files()
        for number, driver in self.drivers().items():
            found |= UsbInterface(self.place, number, driver, self.place.kinds[number]).files()
        return found


def usb_nodes(source: Device, place: UsbPlace, number: int, driver: str) -> Mapping[str, Companion]:
    """The nodes of the USB device that a function hangs from, at its interface `number`, and of the hub of its bus."""
    bus = f"/dev/bus/usb/{place.bus:03}"
    return {
        f"{bus}/{place.number:03}": UsbParent(source, place, number, driver),
        f"{bus}/{HUB:03}": UsbHub(source, place.bus),
    }
