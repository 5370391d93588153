"""RootHub: /dev/bus/usb/BBB/001, the hub that a USB bus begins with.  USB 2.0 specification, 11.23 and 11.24."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

from devshim.model.companion import Companion
from devshim.model.usb import UsbDevice, control
from devshim.model.usb_hub import HUB, LINUX, hub_texts
from devshim.model.usb_layout import Configuration, Endpoint, Interface
from devshim.model.usb_sysfs import DEVICES_PER_BUS, PORTS, USB_MAJOR, UsbPlace

if TYPE_CHECKING:
    from devshim.model.attribute import Picture
    from devshim.model.usb_control import Setup

DESCRIPTOR = 0x29
CONNECTED, ENABLED, POWER, HIGH_SPEED = 1 << 0, 1 << 1, 1 << 8, 1 << 10
LIMITS = 0x0009  # power is switched, and too much of it noticed, for each port


class RootHub(Companion, UsbDevice):
    """What programs meet that open every device of a bus; libusb takes a device without a node for one just pulled."""

    common: ClassVar[bool] = True
    vendor_id: int = LINUX
    product_id: int = 2
    release: int = 0x0100

    kind = (9, 0, 1)
    speed = "high"
    configurations = (
        Configuration(
            (Interface(kind=HUB, endpoints=(Endpoint(0x81, "interrupt", 4, 12),), driver="hub"),),
            attributes=0xE0,
            milliamperes=0,
        ),
    )

    source: UsbDevice

    def __init__(self, source: UsbDevice) -> None:
        super().__init__(source)
        controller = UsbPlace(port=1, vendor_id=0, product_id=0, bus=source.bus_number).controller
        self.manufacturer, self.product, self.serial = hub_texts(controller)

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """The first minor of its bus."""
        self.bus_number, self.device_number = self.source.bus_number, 1
        return USB_MAJOR, (self.bus_number - 1) * DEVICES_PER_BUS

    def has_device(self, port: int) -> bool:
        """Whether a device is at a port of it."""
        others = self._plug.devices() if self._plug is not None else []
        place = (self.bus_number, port + 1)
        return any(isinstance(one, UsbDevice) and (one.bus_number, one.device_number) == place for one in others)

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """Nothing: each device brings what /sys shows of its hub (usb_hub.py)."""
        return {}

    @control(0xA0, 6)
    def hub_descriptor(self, setup: Setup) -> bytes:
        """GET_DESCRIPTOR of the class: as many ports as may be used, none of which is for a built-in device."""
        bitmap = bytes(PORTS // 8 + 1)
        head = struct.pack("<BBBHBB", 7 + 2 * len(bitmap), DESCRIPTOR, PORTS, LIMITS, 10, 0)
        return (head + bitmap + b"\xff" * len(bitmap))[: setup.length]

    @control(0xA0, 0)
    def hub_status(self, setup: Setup) -> bytes:
        """GET_STATUS of the hub: there is power, and not too much of it."""
        return bytes(4)[: setup.length]

    @control(0xA3, 0)
    def port_status(self, setup: Setup) -> bytes:
        """GET_STATUS of a port."""
        device = CONNECTED | ENABLED | HIGH_SPEED if self.has_device(setup.index) else 0
        return struct.pack("<HH", POWER | device, 0)[: setup.length]
