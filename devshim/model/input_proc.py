"""The file /proc/bus/input/devices: the input devices of a run, behind the machine's own (input_devices_seq_show)."""

from __future__ import annotations

import contextlib
import os
import re

from devshim.model import input_codes as codes
from devshim.model.attribute import BinaryAttribute
from devshim.model.companion import Companion
from devshim.model.input_sysfs import SHOWN, bits, directory
from devshim.model.input_udev import kinds
from devshim.model.sysfs import Files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from devshim.model.device import Device
    from devshim.model.input_description import InputDescription

DEVICES = "/proc/bus/input/devices"


def listing(device: Device, family: type[InputDescription]) -> Files:
    """The file, as a device of the family shows it together with the others of its run."""

    def read(offset: int, size: int) -> bytes:
        plugged = device._plug.devices() if device._plug is not None else []
        beside: dict[int, list[str]] = {}
        for one in plugged:
            if isinstance(one, Companion) and not one.common:
                beside.setdefault(id(one.source), []).append(os.path.basename(one.node or ""))
        text = "".join(entry(one, beside.get(id(one), ())) for one in plugged if isinstance(one, family))
        real = b"" if device._plug is not None and device._plug.hides_real else machines_own()
        return (real + text.encode())[offset : offset + size]

    return {DEVICES: BinaryAttribute(read)}


def machines_own() -> bytes:
    """What the machine lists; this is the host, which sees the real file."""
    with contextlib.suppress(OSError), open(DEVICES, "rb") as real:
        return real.read()
    return b""


def entry(device: InputDescription, beside: Sequence[str] = ()) -> str:
    """The lines of one device, with the names of its other nodes; none where it is at no event node."""
    match = re.fullmatch(r"/dev/input/event(\d+)", device.node or "")
    if match is None:
        return ""
    lines = [
        f"I: Bus={device.bus:04x} Vendor={device.vendor:04x} Product={device.product:04x} Version={device.version:04x}",
        f'N: Name="{device.name}"',
        f"P: Phys={device.phys}",
        f"S: Sysfs={directory(device, int(match[1])).removeprefix('/sys')}",
        f"U: Uniq={device.uniq}",
        f"H: Handlers={''.join(f'{name} ' for name in handlers(device, int(match[1]), beside))}",
        f"B: PROP={bits(device.properties)}",
        f"B: EV={bits(device.supported)}",
    ]
    shown = {type: row[0].upper() for type, row in SHOWN.items() if type in device.supported}
    lines += [f"B: {name}={bits(device.supported[type])}" for type, name in shown.items()]
    return "\n".join([*lines, "", ""])


def handlers(device: InputDescription, number: int, beside: Sequence[str] = ()) -> list[str]:
    """The kernel's users of a device; beside: js0, mouse0."""
    keys = device.supported.get(codes.EV_KEY, set())
    found = {
        "sysrq": codes.KEY_LEFTALT in keys,
        "kbd": "ID_INPUT_KEY" in kinds(device),
        **{name: True for name in beside if name.startswith("mouse")},
        f"event{number}": True,
        "leds": codes.EV_LED in device.supported,
        **{name: True for name in beside if name.startswith("js")},
    }
    return [name for name, listens in found.items() if listens]
