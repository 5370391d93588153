"""Control transfers: @control, and the requests that every USB device answers (USB 2.0, 9.4)."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from devshim.model.usb_abi import IN, fail
from devshim.model.usb_layout import BOS, CONFIGURATION, DEVICE, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from devshim.model.usb import UsbDevice

GET_STATUS, CLEAR_FEATURE, SET_FEATURE, GET_DESCRIPTOR, SET_DESCRIPTOR = 0, 1, 3, 6, 7
GET_CONFIGURATION, SET_CONFIGURATION, GET_INTERFACE, SET_INTERFACE = 8, 9, 10, 11
TO_DEVICE, TO_INTERFACE, TO_ENDPOINT = 0, 1, 2
ENDPOINT_HALT, REMOTE_WAKEUP = 0, 1
KIND_MASK = 0x60  # of bmRequestType: standard, class, vendor


@dataclass(frozen=True)
class Setup:
    """The head of a control transfer: bmRequestType, bRequest, wValue, wIndex, wLength."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @property
    def goes_in(self) -> bool:
        """Whether its data come from the device."""
        return bool(self.request_type & IN) and self.length > 0

    @classmethod
    def of(cls, head: bytes) -> Setup:
        """From the 8 bytes that go over the wire."""
        return cls(*struct.unpack("<BBHHH", head))


class ControlHandler:
    """A method that answers control transfers; made by @control.  As an attribute of an instance it is the method."""

    def __init__(self, method: Any, request_type: int, request: int, value: int | None, index: int | None) -> None:
        inner = method.keys if isinstance(method, ControlHandler) else []
        self.method: Any = method.method if isinstance(method, ControlHandler) else method
        self.keys: list[tuple[int, int, int | None, int | None]] = [(request_type, request, value, index), *inner]
        self.name = self.method.__name__
        self.__doc__ = self.method.__doc__
        self.__wrapped__ = self.method

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.method.__get__(instance, owner)


def control(
    request_type: int, request: int, *, value: int | None = None, index: int | None = None
) -> Callable[[Any], ControlHandler]:
    """Make a method answer control transfers with this bmRequestType and bRequest, and wValue and wIndex where given.

        @control(0xC0, 1)          def version(self, setup): return b"\\x02\\x01"
        @control(0x40, 2)          def set_pins(self, setup, data): self.pins = setup.value

    Of one to the program (0x80 and more) it returns the bytes, of which at most setup.length go; of one from it, it
    gets them.  WAIT: nothing yet, ask again after wake(); OSError(EPIPE): it stalls, as it does where nobody answers.
    Several may stand above one method.  Raises ValueError for numbers that are no bytes.
    """
    if not (0 <= request_type <= 0xFF and 0 <= request <= 0xFF):
        raise ValueError(f"@control({request_type:#x}, {request:#x}): bmRequestType and bRequest are bytes")
    return lambda method: ControlHandler(method, request_type, request, value, index)


Controls = dict[tuple[int, int], list[tuple[int | None, int | None, str]]]


def collect_controls(cls: type) -> Controls:
    """All @control handlers of a class by type and request, the narrowest first; a derived class's win."""
    found: dict[tuple[int, int, int | None, int | None], str] = {}
    for klass in reversed(cls.__mro__):
        for name, value in vars(klass).items():
            if isinstance(value, ControlHandler):
                found |= dict.fromkeys(value.keys, name)
    controls: Controls = {}
    for kind, request, value, index in sorted(found, key=lambda key: (key[2] is None) + (key[3] is None)):
        controls.setdefault((kind, request), []).append((value, index, found[kind, request, value, index]))
    return controls


def find_control(controls: Controls, setup: Setup) -> str | None:
    """The name of the method that answers a transfer."""
    for value, index, name in controls.get((setup.request_type, setup.request), ()):
        if value in (None, setup.value) and index in (None, setup.index):
            return name
    return None


def answer_control(device: UsbDevice, setup: Setup, data: bytes) -> Any:
    """Answer a control transfer: what the device's own method says, else the standard, else the rest of its methods.

    Returns bytes, None or WAIT.  Raises what the method raises, EPIPE where nobody answers, TypeError for no answer.
    """
    name = find_control(type(device).controls, setup)
    if name is not None:
        method = getattr(device, name)
        return method(setup) if setup.request_type & IN else method(setup, data)
    if not setup.request_type & KIND_MASK:
        answer = standard(device, setup)
        if answer is not None:
            return answer
    return device.control_in(setup) if setup.request_type & IN else device.control_out(setup, data)


def standard(device: UsbDevice, setup: Setup) -> bytes | None:
    """What every device answers; None for what it does not know.  OSError(EPIPE) for what it refuses."""
    recipient, request = setup.request_type & 0x1F, setup.request
    if setup.request_type & IN:
        if request == GET_DESCRIPTOR and recipient == TO_DEVICE:
            return descriptor(device, setup.value >> 8, setup.value & 0xFF)
        if request == GET_STATUS:
            return status(device, recipient, setup.index & 0xFF)
        if request == GET_CONFIGURATION:
            return bytes([device.configuration])
        if request == GET_INTERFACE:
            return bytes([device.settings.get(setup.index & 0xFF, 0)])
        return None
    if request in (CLEAR_FEATURE, SET_FEATURE) and recipient in (TO_DEVICE, TO_ENDPOINT):
        change_feature(device, recipient, setup, request == SET_FEATURE)
    elif request == SET_CONFIGURATION:
        device.configure(setup.value & 0xFF)
    elif request == SET_INTERFACE:
        device.choose(setup.index & 0xFF, setup.value)
    else:
        return None
    return b""


def descriptor(device: UsbDevice, kind: int, index: int) -> bytes | None:
    """A descriptor by its type and index; None for one of a type that the standard does not give to devices."""
    found: bytes | None = None
    if kind == DEVICE:
        found = device.device_descriptor()
    elif kind == CONFIGURATION:
        found = next(iter(device.configuration_descriptors()[index : index + 1]), None)
    elif kind == STRING:
        found = device.texts.descriptor(index)
    elif kind == BOS:
        found = device.bos or None
    return found


def status(device: UsbDevice, recipient: int, index: int) -> bytes:
    """GET_STATUS: self-powered and remote wake-up; halted."""
    if recipient == TO_ENDPOINT:
        return struct.pack("<H", index in device.halted)
    powered = device.active is not None and bool(device.active.attributes & 0x40)
    return struct.pack("<H", powered | device.remote_wakeup << 1 if recipient == TO_DEVICE else 0)


def change_feature(device: UsbDevice, recipient: int, setup: Setup, on: bool) -> None:
    """SET_FEATURE and CLEAR_FEATURE."""
    if recipient == TO_ENDPOINT and setup.value == ENDPOINT_HALT:
        device.halt(setup.index & 0xFF, on)
    elif recipient == TO_DEVICE and setup.value == REMOTE_WAKEUP:
        device.remote_wakeup = on
    else:
        raise fail(errno.EPIPE)
