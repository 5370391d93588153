"""UsbDevice: what the author of a USB device subclasses; plugged at /dev/bus/usb/BBB/DDD, for libusb and its kin."""

from __future__ import annotations

import errno
import os
import re
import struct
from collections import deque

from devshim.model.device import WAIT, Device, Plug
from devshim.model.usb_abi import SPEEDS, fail
from devshim.model.usb_control import Controls, Setup, answer_control, collect_controls, control
from devshim.model.usb_file import UsbFile
from devshim.model.usb_hub import USB_MAJOR
from devshim.model.usb_layout import DEVICE, Configuration, Endpoint, Interface, Texts, check_layout
from devshim.model.usb_node_sysfs import surroundings
from devshim.model.usb_reader import UsbReader
from devshim.model.usb_sysfs import BUS, DEVICES_PER_BUS
from devshim.model.usb_transfer import Pipes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from devshim.model.attribute import Picture
    from devshim.model.companion import Companion

__all__ = ["Configuration", "Endpoint", "Interface", "Setup", "UsbDevice", "control"]

NODE = re.compile(r"/bus/usb/(\d{3})/(\d{3})$")


class UsbDevice(Device):
    """A USB device, as programs reach it through usbfs: its descriptors, its endpoints, its control requests.

        class Loopback(UsbDevice):
            vendor_id: int = 0x0525
            product_id: int = 0xA4A0
            interfaces = [Interface(endpoints=[Endpoint(0x81), Endpoint(0x01)])]

            def bulk_out(self, endpoint, data):
                self.send(0x81, data)

    vendor_id, product_id  of the device; release is its bcdDevice
    manufacturer, product, serial  its texts, of which it need not have any

    It is plugged at /dev/bus/usb/BBB/DDD: bus and device number, 002 or more; on the run's own bus 095 nothing real is.
    Each transfer of the program is one call of a method, however many packets it has.  What a method raises as OSError
    is the transfer's status: EPIPE is a stall, after which an endpoint stays halted until the program clears that.
    """

    usual_node: ClassVar[str] = "/dev/bus/usb/095/002"

    vendor_id: int = 0x1209
    product_id: int = 0x0001
    release: int = 0x0100
    manufacturer: str = ""
    product: str = ""
    serial: str = ""

    #: The one configuration's interfaces, each in each of its settings; for more than one, say configurations.
    interfaces: ClassVar[Sequence[Interface]] = ()
    configurations: ClassVar[Sequence[Configuration]] = ()
    #: Class, subclass and protocol of the device; 0: its interfaces say that.
    kind: ClassVar[tuple[int, int, int]] = (0, 0, 0)
    #: "low", "full", "high" or "super".
    speed: ClassVar[str] = "full"
    #: bcdUSB.
    usb_release: ClassVar[int] = 0x0200
    #: The descriptors of GET_DESCRIPTOR(BOS); b"": it stalls.
    bos: ClassVar[bytes] = b""
    #: More texts, by index.
    strings: ClassVar[dict[int, str]] = {}

    major: ClassVar[int | None] = USB_MAJOR
    seekable: ClassVar[bool] = True
    controls: ClassVar[Controls] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.controls = collect_controls(cls)
        if cls.speed not in SPEEDS:
            raise ValueError(f"{cls.__name__}.speed is {cls.speed!r}; there are {', '.join(SPEEDS)}")
        check_layout(cls.__name__, cls.configurations or (Configuration(tuple(cls.interfaces)),))

    def __init__(self, **parameters: Any) -> None:
        self.texts = Texts(fixed=dict(self.strings))
        self.pipes = Pipes(self, self._complain)
        self.files: list[UsbFile] = []
        self.bus_number, self.device_number = 0, 0
        self._shown: int | None = None  # the configuration in /sys
        self._begin()
        super().__init__(**parameters)

    def _begin(self) -> None:
        """The state of a device that has just been plugged in, and configured by the kernel."""
        self.active: Configuration | None = None
        self.settings: dict[int, int] = {}
        self.claims: dict[int, UsbFile | str] = {}
        self.halted: set[int] = set()
        self.remote_wakeup = False
        self._unsent: dict[int, deque[bytes]] = {}
        first = next(iter(self.all_configurations()), None)
        if first is not None:
            self.configure(first.value)

    # ---- For devices to override

    def bulk_in(self, endpoint: int, size: int) -> Any:
        """The program wants up to size bytes: return them, or WAIT; by default what send() was given."""
        return self._next_sent(endpoint, size)

    def bulk_out(self, endpoint: int, data: bytes) -> Any:
        """The program sends bytes: return None (all are taken), how many were taken, or WAIT.  By default a stall."""
        raise fail(errno.EPIPE, f"{type(self).__name__} takes nothing at endpoint {endpoint:#04x}")

    def interrupt_in(self, endpoint: int, size: int) -> Any:
        """The same as bulk_in() of an interrupt endpoint."""
        return self._next_sent(endpoint, size)

    def interrupt_out(self, endpoint: int, data: bytes) -> Any:
        """The same as bulk_out() of an interrupt endpoint."""
        raise fail(errno.EPIPE, f"{type(self).__name__} takes nothing at endpoint {endpoint:#04x}")

    def iso_in(self, endpoint: int, size: int) -> Any:
        """One packet of an isochronous endpoint, or WAIT; by default, what send() was given."""
        return self._next_sent(endpoint, size)

    def iso_out(self, endpoint: int, data: bytes) -> Any:
        """One packet comes; return None, or WAIT."""
        raise fail(errno.EPIPE, f"{type(self).__name__} takes nothing at endpoint {endpoint:#04x}")

    def control_in(self, setup: Setup) -> Any:
        """A control transfer to the program that no @control method takes: return bytes.  By default a stall."""
        raise fail(errno.EPIPE)

    def control_out(self, setup: Setup, data: bytes) -> Any:
        """One from the program.  By default a stall."""
        raise fail(errno.EPIPE)

    def was_reset(self) -> None:
        """The program has reset the device, or its port."""

    # ---- For devices to call

    def send(self, endpoint: int, data: bytes) -> None:
        """Have bytes ready for the program's next transfer from an endpoint; of a shorter one, the rest for the next.

        Raises ValueError for an endpoint that the device does not have now.
        """
        if self.endpoint(endpoint) is None:
            raise ValueError(f"{type(self).__name__}.send(): no endpoint {endpoint:#04x} in the present settings")
        self._unsent.setdefault(endpoint, deque()).append(bytes(data))
        self.wake()

    def wake(self) -> None:
        """Go on with what waits: transfers that found nothing, calls of programs."""
        self.pipes.advance()
        super().wake()

    def _next_sent(self, endpoint: int, size: int) -> Any:
        unsent = self._unsent.get(endpoint)
        if not unsent:
            return WAIT
        data = unsent.popleft()
        if len(data) > size:
            unsent.appendleft(data[size:])
        return data[:size]

    def answer_control(self, setup: Setup, data: bytes) -> Any:
        """Any control transfer: to the method that takes it, or as every device answers it."""
        return answer_control(self, setup, data)

    # ---- What it is

    def all_configurations(self) -> Sequence[Configuration]:
        """Its configurations, the first of which the kernel chooses."""
        return self.configurations or (Configuration(tuple(self.interfaces)),)

    def device_descriptor(self) -> bytes:
        """The 18 bytes of its device descriptor."""
        texts = [self.texts.index(text) for text in (self.manufacturer, self.product, self.serial)]
        return struct.pack(
            "<BBHBBBBHHHBBBB", 18, DEVICE, self.usb_release, *self.kind, SPEEDS[self.speed][2], self.vendor_id,
            self.product_id, self.release, *texts, len(self.all_configurations()),
        )  # fmt: skip

    def configuration_descriptors(self) -> list[bytes]:
        """Of each configuration its descriptor with all that is in it."""
        self.device_descriptor()  # whose texts have the first indices
        return [one.descriptor(self.texts) for one in self.all_configurations()]

    @property
    def configuration(self) -> int:
        """The value of the configuration that is chosen, 0: none."""
        return self.active.value if self.active is not None else 0

    def endpoint(self, address: int) -> Endpoint | None:
        """An endpoint of the present settings."""
        for interface in self.active.interfaces if self.active is not None else ():
            if self.settings.get(interface.number, 0) == interface.alternate:
                for one in interface.endpoints:
                    if one.address == address:
                        return one
        return None

    # ---- What requests do

    def configure(self, value: int) -> None:
        """Choose a configuration, 0: none.  EPIPE where there is no such."""
        chosen = next((one for one in self.all_configurations() if one.value == value), None)
        if value and chosen is None:
            raise fail(errno.EPIPE)
        self.active = chosen
        self.settings.clear()
        self.halted.clear()
        inside = chosen.interfaces if chosen is not None else ()
        if self._plug is not None and self._shown not in (None, value):
            self.surroundings_changed()
        self._shown = value
        self.claims = {one.number: one.driver for one in inside if one.driver and not one.alternate}

    def choose(self, number: int, alternate: int) -> None:
        """Choose a setting of an interface.  EPIPE where there is no such."""
        settings = self.active.settings(number) if self.active is not None else []
        found = next((one for one in settings if one.alternate == alternate), None)
        if found is None:
            raise fail(errno.EPIPE)
        self.settings[number] = alternate
        self.halted -= {one.address for one in found.endpoints}

    def halt(self, address: int, on: bool) -> None:
        """Halt an endpoint, or let it go on.  EPIPE where there is no such."""
        if address & 0xF and self.endpoint(address) is None:
            raise fail(errno.EPIPE)
        (self.halted.add if on else self.halted.discard)(address)

    # ---- For the node

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """usbfs's major, and a minor that follows from bus and device number.  Raises ValueError for another node."""
        found = NODE.search(node)
        bus, number = (int(found[1]), int(found[2])) if found else (0, 0)
        if bus < 1 or not 1 < number < DEVICES_PER_BUS:
            raise ValueError(
                f"{node}: a USB device is plugged at /dev/bus/usb/BBB/DDD, bus 001 or more and device 002 to 127, such "
                f"as /dev/bus/usb/095/002"
            )
        self.bus_number, self.device_number = bus, number
        return USB_MAJOR, (bus - 1) * DEVICES_PER_BUS + number - 1

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What /sys and udev show of it."""
        return surroundings(self)

    def _companions(self, node: str) -> Mapping[str, Companion]:
        """The root hub of its bus, where the machine itself has none."""
        hub = f"{node[:-3]}001"
        if self.bus_number < BUS and os.path.lexists(hub):
            return {}
        from devshim.model.usb_parent import UsbHub

        return {hub: UsbHub(self, self.bus_number)}

    def attached(self, plug: Plug) -> None:
        """A device that is plugged in has forgotten what was before."""
        for transfer in self.pipes.waiting():
            self.pipes.end(transfer, -errno.ESHUTDOWN)
        self._begin()
        self.configuration_descriptors()  # so that all texts have their indices
        super().attached(plug)

    def open(self, flags: int) -> Any:
        """Return a file for each open; one that is only read from shows descriptors."""
        if flags & os.O_ACCMODE == os.O_RDONLY:
            return UsbReader(self)
        file = UsbFile(self)
        self.files.append(file)
        return file

    def _complain(self, problem: Exception) -> None:
        def raise_again() -> None:
            raise problem

        self.after(0, raise_again)  # where the host reports it
