"""The file /proc/bus/input/devices: the input devices of a run, behind the machine's own (input_devices_seq_show)."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from devshim.model import input_codes as codes
from devshim.model.attribute import BinaryAttribute
from devshim.model.input_sysfs import SHOWN, bits, directory
from devshim.model.input_udev import kinds
from devshim.model.sysfs import Files

if TYPE_CHECKING:
    from devshim.model.device import Device
    from devshim.model.input_description import InputDescription

DEVICES = "/proc/bus/input/devices"


def listing(device: Device, family: type[InputDescription]) -> Files:
    """The file, as a device of the family shows it together with the others of its run."""

    def read(offset: int, size: int) -> bytes:
        plugged = device._plug.devices() if device._plug is not None else []
        text = "".join(entry(one) for one in plugged if isinstance(one, family))
        return (machines_own() + text.encode())[offset : offset + size]

    return {DEVICES: BinaryAttribute(read)}


def machines_own() -> bytes:
    """What the machine lists; this is the host, which sees the real file."""
    with contextlib.suppress(OSError), open(DEVICES, "rb") as real:
        return real.read()
    return b""


def entry(device: InputDescription) -> str:
    """The lines of one device; none where it is at no event node."""
    match = re.fullmatch(r"/dev/input/event(\d+)", device.node or "")
    if match is None:
        return ""
    lines = [
        f"I: Bus={device.bus:04x} Vendor={device.vendor:04x} Product={device.product:04x} Version={device.version:04x}",
        f'N: Name="{device.name}"',
        f"P: Phys={device.phys}",
        f"S: Sysfs={directory(device, int(match[1])).removeprefix('/sys')}",
        f"U: Uniq={device.uniq}",
        f"H: Handlers={''.join(f'{name} ' for name in handlers(device, int(match[1])))}",
        f"B: PROP={bits(device.properties)}",
        f"B: EV={bits(device.supported)}",
    ]
    shown = {type: row[0].upper() for type, row in SHOWN.items() if type in device.supported}
    lines += [f"B: {name}={bits(device.supported[type])}" for type, name in shown.items()]
    return "\n".join([*lines, "", ""])


def handlers(device: InputDescription, number: int) -> list[str]:
    """The kernel's users of a device."""
    keys = device.supported.get(codes.EV_KEY, set())
    found = {
        "sysrq": codes.KEY_LEFTALT in keys,
        "kbd": "ID_INPUT_KEY" in kinds(device),
        f"event{number}": True,
        "leds": codes.EV_LED in device.supported,
    }
    return [name for name, listens in found.items() if listens]
