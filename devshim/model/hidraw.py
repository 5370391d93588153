"""Hidraw: what the author of a HID device subclasses; plugged at /dev/hidrawN."""

from __future__ import annotations

import errno

from devshim.model.device import Device
from devshim.model.hid_descriptor import Reports, reports
from devshim.model.hidraw_abi import BUS_USB, MOST_REPORT, Report, fail
from devshim.model.hidraw_file import HidrawFile
from devshim.model.hidraw_sysfs import HID_CLASS, surroundings
from devshim.model.usb_sysfs import UsbPlace, port_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, ClassVar

    from devshim.model.attribute import Picture
    from devshim.model.companion import Companion
    from devshim.model.usb_functions import Listener

    Setter = Callable[[Any, bytes], object]

__all__ = ["Feature", "Hidraw", "HidrawFile", "Report", "feature"]


class Feature:
    """A feature report of a device; made by @feature.

    As an attribute of an instance it is the plain method, which returns the report's bytes.
    """

    def __init__(self, method: Callable[[Any], bytes], number: int) -> None:
        self.method = method
        self.number = number
        self.name = method.__name__
        self.setter = ""
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.method.__get__(instance, owner)

    def written(self, method: Setter) -> Setter:
        """Call the decorated method with the report's bytes when the program has set it."""
        self.setter = method.__name__
        return method


def feature(number: int = 0) -> Callable[[Callable[[Any], bytes]], Feature]:
    """Make a method the feature report of this number; 0 is that of a device whose reports have none.

        @feature(2)                     def threshold(self): return bytes([self.limit])
        @threshold.written              def set_threshold(self, data): self.limit = data[0]

    Neither sees the number.  Raises ValueError for one that is no byte.
    """
    if not isinstance(number, int) or not 0 <= number <= 0xFF:
        raise ValueError(f"@feature({number!r}): a report's number is 0 (none) to 255")
    return lambda method: Feature(method, number)


def collect_features(cls: type) -> dict[int, Feature]:
    """All feature reports of a class by number; a derived class's win."""
    found: dict[int, Feature] = {}
    for klass in reversed(cls.__mro__):
        found |= {value.number: value for value in vars(klass).values() if isinstance(value, Feature)}
    return found


class Hidraw(Device):
    """A HID device, as /dev/hidrawN shows it.

    vendor_id, product_id  of the device; release is its bcdDevice
    manufacturer, product  its texts; together they are what HIDIOCGRAWNAME says
    serial                 what HIDIOCGRAWUNIQ says
    bus                    3 USB, 5 Bluetooth, 6 virtual, 0x18 I2C: what stands behind it in /sys
    interface              of the USB device
    phys                   where it is plugged; "" for the place that it has in /sys
    """

    usual_node: ClassVar[str] = "/dev/hidraw0"

    vendor_id: int = 0x1209
    product_id: int = 0x0001
    release: int = 0x0100
    manufacturer: str = ""
    product: str = ""
    serial: str = ""
    bus: int = BUS_USB
    interface: int = 0
    phys: str = ""

    #: The descriptor of its reports, as the device sends it (HID 1.11, section 6.2.2).
    report_descriptor: ClassVar[bytes] = b""

    seekable: ClassVar[bool] = True  # hidraw.c has noop_llseek
    features: ClassVar[dict[int, Feature]] = {}

    #: Which of the run's HID devices it is.
    instance = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.features = collect_features(cls)

    def __init__(self, **parameters: Any) -> None:
        self.files: list[HidrawFile | Listener] = []
        self.last_inputs: dict[int, bytes] = {}
        self.last_outputs: dict[int, bytes] = {}
        super().__init__(**parameters)
        try:
            self.reports: Reports = reports(self.report_descriptor)
        except ValueError as problem:
            raise ValueError(f"{type(self).__name__}.{problem}") from None
        self.inputs = frozenset(self.reports.numbers(Report.INPUT))
        self._numbered = self.reports.numbered

    # ---- For devices to call and to override

    def send_input(self, report: bytes) -> bool:
        """Send an input report to every program that has the node open; it begins with its number, if it has one.

        A program that has 63 reports to read gets no more until it reads, as from the kernel; then this is False.
        Raises ValueError for a report that the descriptor does not have.
        """
        self._note_input(report)
        everywhere = True
        for file in self.files:
            everywhere &= file.send(report)
        return everywhere

    def send_inputs(self, reports: Iterable[bytes]) -> bool:
        """Send many input reports at once, which takes half the time; False where some program had no room for all.

        Raises ValueError, before any is sent, for a report that the descriptor does not have.
        """
        sent = list(reports)
        for report in sent:
            self._note_input(report)
        everywhere = True
        for file in self.files:
            everywhere &= file.send_each(sent)
        return everywhere

    def _note_input(self, report: bytes) -> None:
        number = report[0] if self._numbered and report else 0
        if number not in self.inputs or not 0 < len(report) <= MOST_REPORT:
            raise self.no_such(report, number)
        self.last_inputs[number] = report

    def output(self, report: bytes) -> None:
        """Take an output report; it begins with its number, if the device's reports have numbers.

        By default the device stalls, and the program's call fails with EPIPE.
        """
        raise fail(errno.EPIPE, f"{type(self).__name__} takes no output reports")

    def get_report(self, kind: Report, number: int) -> bytes:
        """Answer a GET_REPORT request: the report without its number.

        By default features come from @feature, and input and output reports are the last ones.  EPIPE (the device
        stalls) for what there is not.
        """
        if kind is Report.FEATURE and number in self.features:
            data = getattr(self, self.features[number].name)()
            if not isinstance(data, (bytes, bytearray, memoryview)):
                name = f"{type(self).__name__}.{self.features[number].name}()"
                raise TypeError(f"{name} returned {data!r}: it must return the report's bytes")
            return bytes(data)
        if kind is Report.FEATURE or not self.reports.has(kind, number):
            raise self.stall(kind, number)
        last = self.last_inputs.get(number) if kind is Report.INPUT else self.last_outputs.get(number)
        if last is None:
            return bytes(self.reports.length(kind, number))
        return last[1:] if number else last

    def set_report(self, kind: Report, number: int, data: bytes) -> None:
        """Answer a SET_REPORT request: the report without its number.

        By default features go to what @feature's `written` decorates, and output reports to output().  EPIPE (the
        device stalls) for what there is not.
        """
        if kind is Report.OUTPUT:
            self.written(bytes([number]) + data if number else data)
        elif kind is Report.FEATURE and number in self.features and self.features[number].setter:
            getattr(self, self.features[number].setter)(data)
        else:
            raise self.stall(kind, number)

    @property
    def name(self) -> str:
        """What HIDIOCGRAWNAME says: the manufacturer and the product, as usbhid puts them together."""
        return f"{self.manufacturer} {self.product}".strip() or f"HID {self.vendor_id:04x}:{self.product_id:04x}"

    # ---- For the node

    def open(self, flags: int) -> HidrawFile:
        """Return a file for each open, with input reports of its own."""
        file = HidrawFile(self)
        self.files.append(file)
        return file

    def written(self, report: bytes) -> None:
        """An output report came, as it goes over the wire."""
        self.output(report)
        self.last_outputs[report[0] if self._numbered else 0] = report

    def no_such(self, report: bytes, number: int) -> ValueError:
        """The error for an input report that the descriptor does not have."""
        name = type(self).__name__
        if not 0 < len(report) <= MOST_REPORT:
            return ValueError(f"{name}.send_input(): {len(report)} bytes; a report has 1 to {MOST_REPORT}")
        known = ", ".join(map(str, sorted(self.inputs))) or "none"
        return ValueError(f"{name}.send_input(): no input report {number}; the numbers in the descriptor are: {known}")

    def stall(self, kind: Report, number: int) -> OSError:
        """The error of a request that the device does not know."""
        return fail(errno.EPIPE, f"{type(self).__name__} has no {kind.name.lower()} report {number} for this")

    def physical_path(self) -> str:
        """What HIDIOCGRAWPHYS says."""
        usb = self.usb_device()
        return self.phys or (f"{usb.phys}/input{self.interface}" if usb is not None else "")

    def usb_device(self) -> UsbPlace | None:
        """The USB device that it is an interface of; None on another bus."""
        if self._on_usb is not None:
            return self._on_usb.device
        if self.bus != BUS_USB:
            return None
        texts = self.manufacturer, self.product, self.serial
        bus, port = port_of("hidraw", self.instance - 1)
        return UsbPlace(
            port, self.vendor_id, self.product_id, self.release, *texts, bus,
            {self.interface: (HID_CLASS, 0, 0)}, {self.interface: len(self.report_descriptor)},
        )  # fmt: skip

    def _companions(self, node: str) -> Mapping[str, Companion]:
        """The node of its USB device."""
        usb = self.usb_device()
        if usb is None:
            return {}
        from devshim.model.usb_parent import usb_nodes

        return usb_nodes(self, usb, self.interface, "usbhid")

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys and udev show of a HID device."""
        self.instance = minor + 1 if self._on_usb is None else self._on_usb.instance
        return surroundings(self, node, major, minor)
