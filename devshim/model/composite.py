"""Composite: several devices that are one: a USB stick with a serial port and keys, a board with a bus and lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from devshim.model.device import Device
from devshim.model.hidraw import Hidraw
from devshim.model.input import Input
from devshim.model.serial import Serial
from devshim.model.usb_descriptors import Kind
from devshim.model.usb_sysfs import UsbInterface, UsbPlace, port_of

HID, COMMUNICATION, DATA, VENDOR = (3, 0, 0), (2, 2, 1), (0xA, 0, 0), (0xFF, 0xFF, 0xFF)


class Function:
    """One of the devices of a Composite: `console = Function(Console)`, `keys = Function(Keys, "/dev/input/event*")`.

    On an instance it is that device.

    model      what makes it: a class of devices, or a function without arguments
    node       where it is plugged; * is the first free number.  The first function is where the whole is plugged
    interface  of a USB device
    """

    name = ""

    def __init__(self, model: Callable[[], Device], node: str = "", *, interface: int = 0) -> None:
        self.model = model
        self.node = node
        self.interface = interface

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else instance.parts[self.name]


def functions_of(cls: type) -> dict[str, Function]:
    """All functions of a class by name; a derived class's win over its bases'.

    Raises TypeError where one but the first has no node.
    """
    found: dict[str, Function] = {}
    for klass in reversed(cls.__mro__):
        for name, value in vars(klass).items():
            if isinstance(value, Function):
                found[name] = value
    for name in list(found)[1:]:
        if not found[name].node:
            raise TypeError(f'{cls.__name__}.{name}: a Function but the first needs its node, such as "/dev/hidraw*"')
    return found


class Composite(Device):
    """Several devices that are plugged and pulled as one; each of its functions can be reached as an attribute.

    nodes   where its functions are to be, by name, where not at the nodes that the class gives

    The model of a function finds the others by its `whole`.  connected() is there to override: wire lines there.
    """

    nodes: dict[str, str] = {}  # noqa: RUF012  each instance gets a copy

    carrier = "whole"
    functions: ClassVar[Mapping[str, Function]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.functions = functions_of(cls)

    def __init__(self, **parameters: Any) -> None:
        if not self.functions:
            raise TypeError(
                f"{type(self).__name__} has no functions; declare some, such as console = Function(Console)"
            )
        self.parts: dict[str, Device] = {}
        for name, function in self.functions.items():
            self.parts[name] = part = function.model()
            part._whole = self
        super().__init__(**parameters)
        for name in self.nodes:
            if name not in self.functions:
                raise ValueError(f"nodes: no function {name!r}; there are {', '.join(self.functions)}")
        self.connected()

    def connected(self) -> None:
        """All functions are made and all parameters are set; for classes to override."""

    def places(self, node: str) -> dict[str, str]:
        """The node of each function, by name, where the whole is plugged at a node; * is still to be chosen."""
        first = next(iter(self.functions))
        return {name: self.nodes.get(name) or (node if name == first else f.node) for name, f in self.functions.items()}

    def placed(self, node: str) -> None:
        """Called by the host before the functions are plugged: the first one is at this node."""


class UsbComposite(Composite):
    """A USB device with several functions, below one parent in /sys."""

    vendor_id: int = 0x1209
    product_id: int = 0x0001
    release: int = 0x0100
    manufacturer: str = ""
    product: str = ""
    serial: str = ""

    def placed(self, node: str) -> None:
        """Let the functions know their interface, and the ids of the whole."""
        number = re.search(r"\d+$", node)
        bus, port = port_of("whole", int(number[0]) if number else 0)
        device = UsbPlace(
            port, self.vendor_id, self.product_id, self.release, self.manufacturer, self.product, self.serial, bus,
            self.kinds(), self.report_sizes(),
        )  # fmt: skip
        for name, function in self.functions.items():
            part = self.parts[name]
            driver, *kinds = interfaces_of(part)
            part._on_usb = UsbInterface(device, function.interface, driver, kinds[0])
            if isinstance(part, Hidraw):
                part.vendor_id, part.product_id, part.release = self.vendor_id, self.product_id, self.release
                part.manufacturer, part.product, part.serial = self.manufacturer, self.product, self.serial
                part.interface = function.interface
            if isinstance(part, Input):
                part.bus, part.vendor, part.product = 3, self.vendor_id, self.product_id
                part.phys, part.uniq = f"{device.phys}/input{function.interface}", self.serial
                part.name = f"{self.manufacturer} {self.product}".strip() or part.name

    def kinds(self) -> dict[int, Kind]:
        """Class, subclass and protocol of all interfaces, by their number."""
        found: dict[int, Kind] = {}
        for name, function in self.functions.items():
            _, *kinds = interfaces_of(self.parts[name])
            found |= {function.interface + at: kind for at, kind in enumerate(kinds)}
        return dict(sorted(found.items()))

    def report_sizes(self) -> dict[int, int]:
        """The size of the report descriptor of each HID interface whose reports are modelled."""
        parts = {function.interface: self.parts[name] for name, function in self.functions.items()}
        return {at: len(part.report_descriptor) for at, part in parts.items() if isinstance(part, Hidraw)}


def interfaces_of(part: Device) -> tuple[str, Kind] | tuple[str, Kind, Kind]:
    """The driver of a function, and the kinds of its interfaces."""
    if isinstance(part, Serial):
        return "cdc_acm", COMMUNICATION, DATA
    if isinstance(part, (Hidraw, Input)):
        return "usbhid", HID
    return "devshim", VENDOR
