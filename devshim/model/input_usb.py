"""An input device on USB: its interface there, and the links to it that udev makes (60-persistent-input.rules)."""

from __future__ import annotations

import re

from devshim.model import input_codes as codes
from devshim.model.usb_sysfs import UsbInterface, UsbPlace, port_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from devshim.model.input_description import InputDescription

HID = 3
BOOT = {"kbd": (HID, 1, 1), "mouse": (HID, 1, 2)}  # interfaces that a BIOS can use
#: What the links call a device, by what udev takes it for; the last that holds counts.
NAMES = {
    "ID_INPUT_KEYBOARD": "kbd", "ID_INPUT_MOUSE": "mouse", "ID_INPUT_TOUCHPAD": "mouse", "ID_INPUT_TABLET": "mouse",
    "ID_INPUT_JOYSTICK": "joystick",
}  # fmt: skip


def name_of(kinds: Collection[str]) -> str:
    """What the links call a device of these kinds (ID_INPUT_*); empty where they have no word for it."""
    return next((NAMES[kind] for kind in reversed(NAMES) if kind in kinds), "")


def interface_of(device: InputDescription, number: int, kinds: Collection[str]) -> UsbInterface | None:
    """The interface that /dev/input/event<number> is of; None where its bus or `phys` says that it is on no USB."""
    if device._on_usb is not None:
        return device._on_usb
    match = re.match(r"usb-.*/input(\d+)", device.phys)
    if device.bus != codes.BUS_USB or match is None:
        return None
    maker, _, product = device.name.partition(" ")
    kind = BOOT.get(name_of(kinds), (HID, 0, 0))
    bus, port = port_of("input", number)
    ids = device.vendor, device.product, device.version
    interface = int(match[1])
    usb = UsbPlace(port, *ids, maker, product, device.uniq, bus, {interface: kind})
    return UsbInterface(usb, interface, "usbhid", kind)


def old_links(name: str, number: int, known: Mapping[str, str]) -> list[str]:
    """The links below /dev to the nodes of the old interfaces, jsN and mouseN; none where they have no word for it."""
    part = f"-if{number:02x}" if number else ""
    paths = [f"input/by-id/usb-{known['ID_SERIAL']}{part}-{name}", f"input/by-path/{known['ID_PATH']}-{name}"]
    return paths if name else []


def links(name: str, number: int, known: Mapping[str, str]) -> list[str]:
    """The links below /dev to a device that they call `name`, at interface `number`; known: udev's properties."""
    serial, path = f"usb-{known['ID_SERIAL']}", known["ID_PATH"]
    if not name:
        return [f"input/by-id/{serial}-event-if{number:02x}", f"input/by-path/{path}-event"]
    part = f"-if{number:02x}" if number else ""
    return [f"input/by-id/{serial}{part}-event-{name}", f"input/by-path/{path}-event-{name}"]
