"""UsbFunctions: the whole of a USB device whose functions, ports or HID or input devices, have nodes of their own.

It has the descriptors that /sys shows, and its interfaces belong to the kernel's drivers until a program takes them. A
HID device then answers there, too, as libusb's programs want it (HID 1.11, 7.1 and 7.2); of other functions the
endpoints stay silent. What the drivers made of an interface stays while a program has it, which in the kernel goes.
"""

from __future__ import annotations

import errno

from devshim.model.hidraw import Hidraw
from devshim.model.hidraw_abi import QUEUE, Report
from devshim.model.usb import UsbDevice
from devshim.model.usb_abi import fail
from devshim.model.usb_control import GET_DESCRIPTOR
from devshim.model.usb_descriptors import (
    HID_DESCRIPTOR,
    IN,
    PACKET,
    POWER,
    REPORT_DESCRIPTOR,
    endpoints_of,
    hid_descriptor,
)
from devshim.model.usb_layout import Configuration, Endpoint, Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from devshim.model.device import Device
    from devshim.model.usb_control import Setup
    from devshim.model.usb_sysfs import UsbPlace

GET_REPORT, GET_IDLE, GET_PROTOCOL, SET_REPORT, SET_IDLE, SET_PROTOCOL = 0x01, 0x02, 0x03, 0x09, 0x0A, 0x0B
FROM_INTERFACE, CLASS_IN, CLASS_OUT = 0x81, 0xA1, 0x21  # bmRequestType
KINDS = {1: Report.INPUT, 2: Report.OUTPUT, 3: Report.FEATURE}


class Listener:
    """Stands among the open files of a HID device, for the programs that have its interface through usbfs."""

    def __init__(self, whole: UsbFunctions, number: int) -> None:
        self.whole, self.number = whole, number

    def send(self, report: bytes) -> bool:
        """One input report; False where it had no room, for as many as hidraw has."""
        if isinstance(self.whole.claims.get(self.number, ""), str):
            return True
        endpoint = IN | (self.number + 1)
        if self.whole.unsent(endpoint) >= QUEUE:
            return False
        self.whole.send(endpoint, report)
        return True

    def send_each(self, reports: list[bytes]) -> bool:
        """Many of them."""
        return sum(self.send(report) for report in reports) == len(reports)


class UsbFunctions(UsbDevice):
    """Such a device; drivers that have its interfaces, and models of its functions with the number of the first."""

    def __init__(self, place: UsbPlace, drivers: Mapping[int, str], models: Iterable[tuple[int, Device]]) -> None:
        self.hids = {number: model for number, model in models if isinstance(model, Hidraw)}
        interfaces = []
        for number, kind in place.kinds.items():
            extra = hid_descriptor(place.reports[number]) if number in place.reports else b""
            points = [Endpoint(at, transfer, PACKET, every) for at, transfer, every in endpoints_of(number, kind)]
            interfaces.append(Interface(kind, points, number, extra=extra, driver=drivers[number]))
        self.layout = (Configuration(tuple(interfaces), attributes=0x80, milliamperes=2 * POWER),)
        super().__init__(
            vendor_id=place.vendor_id, product_id=place.product_id, release=place.release,
            manufacturer=place.manufacturer, product=place.product, serial=place.serial,
        )  # fmt: skip
        self.listeners = {number: Listener(self, number) for number in self.hids}
        for number, model in self.hids.items():
            model.files.append(self.listeners[number])

    def unplugged(self) -> None:
        """Nobody hears of reports any more."""
        for number, model in self.hids.items():
            model.files.remove(self.listeners[number])

    def all_configurations(self) -> Sequence[Configuration]:
        """The one that it has."""
        return self.layout

    def unsent(self, endpoint: int) -> int:
        """How many reports wait there."""
        return len(self._unsent.get(endpoint, ()))

    # ---- HID

    def hid(self, interface: int) -> Hidraw:
        """The HID device at an interface.  EPIPE where there is none."""
        if interface not in self.hids:
            raise fail(errno.EPIPE)
        return self.hids[interface]

    def interrupt_out(self, endpoint: int, data: bytes) -> None:
        """An output report."""
        self.hid((endpoint & 0xF) - 1).written(data)

    def control_in(self, setup: Setup) -> Any:
        """Descriptors of an interface, reports, and what a keyboard is asked for (which does as it always does)."""
        key, kind, number = (setup.request_type, setup.request), setup.value >> 8, setup.value & 0xFF
        if key == (FROM_INTERFACE, GET_DESCRIPTOR):
            described = self.hid(setup.index & 0xFF).report_descriptor
            if kind in (HID_DESCRIPTOR, REPORT_DESCRIPTOR):
                return described if kind == REPORT_DESCRIPTOR else hid_descriptor(len(described))
        if key == (CLASS_IN, GET_REPORT) and kind in KINDS:
            model = self.hid(setup.index & 0xFF)
            return bytes([number] * model.reports.numbered) + model.get_report(KINDS[kind], number)
        if key in ((CLASS_IN, GET_IDLE), (CLASS_IN, GET_PROTOCOL)):
            self.hid(setup.index & 0xFF)
            return bytes([setup.request == GET_PROTOCOL])
        return super().control_in(setup)

    def control_out(self, setup: Setup, data: bytes) -> Any:
        """Reports, and settings of which a device takes note but none of these models makes anything."""
        kind, number = setup.value >> 8, setup.value & 0xFF
        if setup.request_type == CLASS_OUT and setup.request == SET_REPORT and kind in KINDS:
            model = self.hid(setup.index & 0xFF)
            model.set_report(KINDS[kind], number, data[1:] if model.reports.numbered else data)
        elif setup.request_type == CLASS_OUT and setup.request in (SET_IDLE, SET_PROTOCOL):
            self.hid(setup.index & 0xFF)
        else:
            return super().control_out(setup, data)
        return None
