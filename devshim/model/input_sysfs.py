"""What /sys and udev's database show around an input device (input_dev_attrs in drivers/input/input.c)."""

from __future__ import annotations

import os
import re

from devshim.model import input_codes as codes
from devshim.model.device import Link
from devshim.model.input_udev import kinds
from devshim.model.input_usb import interface_of, links, name_of, old_links
from devshim.model.sysfs import Files, in_class, link, record, with_number
from devshim.model.usb_udev import identity, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from devshim.model.companion import Companion
    from devshim.model.input_description import InputDescription
    from devshim.model.usb_sysfs import UsbInterface

#: capabilities/NAME, NAME= in the uevent, its letter in the module alias, the first code there, and where they end.
SHOWN = {
    codes.EV_KEY: ("key", "k", codes.KEY_MUTE, codes.KEY_MAX),  # KEY_MIN_INTERESTING
    codes.EV_REL: ("rel", "r", 0, codes.REL_MAX),
    codes.EV_ABS: ("abs", "a", 0, codes.ABS_MAX),
    codes.EV_MSC: ("msc", "m", 0, codes.MSC_MAX),
    codes.EV_LED: ("led", "l", 0, codes.LED_MAX),
    codes.EV_SND: ("snd", "s", 0, codes.SND_MAX),
    codes.EV_FF: ("ff", "f", 0, codes.FF_MAX),
    codes.EV_SW: ("sw", "w", 0, codes.SW_MAX),
}
LONG_BITS = 64


def surroundings(device: InputDescription, node: str, major: int, minor: int) -> Files:
    """Files and links around /dev/input/eventN; none for a node of another name."""
    match = re.fullmatch(r"/dev/input/(event(\d+))", node)
    if match is None:
        return {}
    event, parent = match[1], f"input{match[2]}"
    found = kinds(device)
    usb = interface_of(device, int(match[2]), found)
    above = below(usb, parent)
    here = f"{above}/{event}"
    known = {} if usb is None else {**identity(usb), **place(usb)}
    to_node = [] if usb is None else links(name_of(found), usb.number, known)
    text = {
        f"{above}/name": device.name,
        f"{above}/phys": device.phys,
        f"{above}/uniq": device.uniq,
        f"{above}/modalias": modalias(device),
        f"{above}/properties": bits(device.properties),
        f"{above}/inhibited": "0",
        f"{above}/uevent": uevent(device),
        f"{above}/id/bustype": f"{device.bus:04x}",
        f"{above}/id/vendor": f"{device.vendor:04x}",
        f"{above}/id/product": f"{device.product:04x}",
        f"{above}/id/version": f"{device.version:04x}",
        f"{above}/capabilities/ev": bits(device.supported),
        **{f"{above}/capabilities/{row[0]}": bits(device.supported.get(type, ())) for type, row in SHOWN.items()},
        f"{here}/dev": f"{major}:{minor}",
        f"{here}/uevent": f"MAJOR={major}\nMINOR={minor}\nDEVNAME=input/{event}",
        f"/run/udev/data/c{major}:{minor}": database(found, known, to_node),
        f"/run/udev/data/+input:{parent}": database(found, known, ()),
    }
    return {
        **{path: f"{content}\n".encode() for path, content in text.items()},
        f"{above}/subsystem": link(f"{above}/subsystem", "/sys/class/input"),
        f"{here}/subsystem": link(f"{here}/subsystem", "/sys/class/input"),
        **({} if usb is None else {f"{above}/device": Link(f"../../../{usb.hid.rpartition('/')[2]}")}),
        **({} if usb is None else {**usb.device.files(), **usb.files()}),
        f"{here}/device": Link(f"../../{parent}"),
        **{f"/sys/class/input/{os.path.basename(path)}": link_to(path) for path in (above, here)},
        f"/sys/dev/char/{major}:{minor}": link_to(here),
        **{f"/dev/{path}": Link(f"../{event}") for path in to_node},
    }


def beside(device: InputDescription, node: str, major: int, minor: int) -> Files:
    """Files and links around another node of the device at /dev/input/eventN: js0, mouse0."""
    match = re.fullmatch(r"/dev/input/event(\d+)", device.node or "")
    if match is None:
        return {}
    name, number, found = os.path.basename(node), int(match[1]), kinds(device)
    usb = interface_of(device, number, found)
    here = f"{below(usb, f'input{number}')}/{name}"
    known = {} if usb is None else {**identity(usb), **place(usb)}
    to_node = [] if usb is None else old_links(name_of(found), usb.number, known)
    return {
        **with_number(here, major, minor, node),
        **in_class(here, "input"),
        f"{here}/device": Link(f"../../input{number}"),
        f"/run/udev/data/c{major}:{minor}": f"{database(found, known, to_node)}\n".encode(),
        **{f"/dev/{path}": Link(f"../{name}") for path in to_node},
    }


def below(usb: UsbInterface | None, name: str) -> str:
    """The directory of inputN."""
    return f"/sys/devices/virtual/input/{name}" if usb is None else f"{usb.hid}/input/{name}"


def companions(device: InputDescription, number: int) -> Mapping[str, Companion]:
    """The node of the USB device that /dev/input/event<number> belongs to; none on another bus."""
    usb = interface_of(device, number, kinds(device))
    if usb is None:
        return {}
    from devshim.model.usb_parent import usb_nodes

    return usb_nodes(device, usb.device, usb.number, usb.driver)


def directory(device: InputDescription, number: int) -> str:
    """The directory in /sys of the device at /dev/input/event<number>."""
    return below(interface_of(device, number, kinds(device)), f"input{number}")


def link_to(path: str) -> Link:
    """A link to a directory of /sys from two levels below /sys."""
    return Link(f"../..{path.removeprefix('/sys')}")


def bits(codes: Iterable[int]) -> str:
    """A bitmap as sysfs shows it: words in hex, the highest first, none that is 0 before the first other."""
    value = sum(1 << code for code in set(codes))
    words = [format(value & (1 << LONG_BITS) - 1, "x")]
    while value := value >> LONG_BITS:
        words.append(format(value & (1 << LONG_BITS) - 1, "x"))
    return " ".join(reversed(words))


def modalias(device: InputDescription) -> str:
    """The module alias (input_print_modalias)."""
    start = f"input:b{device.bus:04X}v{device.vendor:04X}p{device.product:04X}e{device.version:04X}-"
    shown = [letters("e", device.supported, 0, codes.EV_MAX)]
    shown += [letters(*row[1:2], device.supported.get(type, ()), *row[2:]) for type, row in SHOWN.items()]
    return start + "".join(shown)


def letters(letter: str, codes: Collection[int], first: int, end: int) -> str:
    """One group of the module alias."""
    return letter + "".join(f"{code:X}," for code in sorted(codes) if first <= code < end)


def uevent(device: InputDescription) -> str:
    """What the uevent file of inputN says (input_dev_uevent)."""
    lines = [f"PRODUCT={device.bus:x}/{device.vendor:x}/{device.product:x}/{device.version:x}", f'NAME="{device.name}"']
    lines += [f'{key}="{value}"' for key, value in (("PHYS", device.phys), ("UNIQ", device.uniq)) if value]
    lines += [f"PROP={bits(device.properties)}", f"EV={bits(device.supported)}"]
    for type, (name, *_) in SHOWN.items():
        if type in device.supported and type != codes.EV_SYN:
            lines.append(f"{name.upper()}={bits(device.supported[type])}")
    return "\n".join([*lines, f"MODALIAS={modalias(device)}"])


def database(kinds: Iterable[str], known: Mapping[str, str], links: Iterable[str]) -> str:
    """A record of udev's database; known: what it says of the USB device; links: those to the node, below /dev."""
    found = {"ID_INPUT": "1", **dict.fromkeys(kinds, "1"), **known}
    return record(found, links, ("seat",)).decode().removesuffix("\n")
