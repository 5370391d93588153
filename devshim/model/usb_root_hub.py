"""RootHub: /dev/bus/usb/BBB/001, the hub that a USB bus begins with.  USB 2.0 specification, 11.23 and 11.24."""

from __future__ import annotations

import errno
import struct

from devshim.model.usb import UsbDevice, control
from devshim.model.usb_abi import fail
from devshim.model.usb_hub import HUB, LINUX, hub_texts
from devshim.model.usb_layout import Configuration, Endpoint, Interface
from devshim.model.usb_parent import UsbNode
from devshim.model.usb_sysfs import PORTS, UsbPlace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.device import Device
    from devshim.model.usb_control import Setup

DESCRIPTOR = 0x29
CONNECTED, ENABLED, POWER = 1 << 0, 1 << 1, 1 << 8
SPEEDS = {"low": 1 << 9, "high": 1 << 10}  # of the device at a port; of any other none of the two
LIMITS = 0x0011  # each port's power is switched, and nobody notices when it is too much
CLEAR_FEATURE, SET_FEATURE = 1, 3
PORT_RESET, PORT_POWER = 4, 8
CHANGES = range(16, 21)  # C_PORT_CONNECTION to C_PORT_RESET


class RootHub(UsbDevice):
    """What programs meet that open every device of a bus; libusb takes a device without a node for one just pulled."""

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

    def __init__(self, bus: int) -> None:
        super().__init__()
        controller = UsbPlace(port=1, vendor_id=0, product_id=0, bus=bus).controller
        self.manufacturer, self.product, self.serial = hub_texts(controller)
        self.dark: dict[int, Device | None] = {}  # ports without power, and what was at them

    def device_at(self, port: int) -> UsbDevice | UsbNode | None:
        """The device at a port of it."""
        others = self._plug.devices() if self._plug is not None else []
        place = (self.bus_number, port + 1)
        known = (one for one in others if isinstance(one, (UsbDevice, UsbNode)))
        return next((one for one in known if (one.bus_number, one.device_number) == place), None)

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
        device = self.device_at(need_port(setup))
        status = 0 if setup.index in self.dark else POWER
        if device is not None:
            status |= CONNECTED | ENABLED | SPEEDS.get(device.speed, 0)
        return struct.pack("<HH", status, 0)[: setup.length]

    @control(0x23, SET_FEATURE)
    def set_port_feature(self, setup: Setup, data: bytes) -> None:
        """Power brings back what was at a port; a reset changes nothing that programs see."""
        port = need_port(setup)
        if setup.value == PORT_POWER:
            device = self.dark.pop(port, None)
            if device is not None:
                device.plug()
        elif setup.value != PORT_RESET:
            raise fail(errno.EPIPE)

    @control(0x23, CLEAR_FEATURE)
    def clear_port_feature(self, setup: Setup, data: bytes) -> None:
        """Without power a device is gone, as when it is pulled."""
        port = need_port(setup)
        if setup.value == PORT_POWER:
            device = self.device_at(port)
            self.dark.setdefault(port, device.source if isinstance(device, UsbNode) else device)
            if device is not None:
                device.unplug()
        elif setup.value not in CHANGES:
            raise fail(errno.EPIPE)


def need_port(setup: Setup) -> int:
    """The port that a request is about.  EPIPE where there is no such."""
    if not 1 <= setup.index <= PORTS:
        raise fail(errno.EPIPE)
    return setup.index
