"""What is known of the kernel's ioctls, by the node that answers them: facts of the kernel's own headers."""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import NamedTuple

from devshim.model.description import Description, Descriptions

__all__ = ["find_for", "for_node"]


class Family(NamedTuple):
    """Which nodes a family of requests belongs to, and where its descriptions are."""

    module: str
    names: str  #: of the node below /dev, as a regular expression
    majors: tuple[int, ...] = ()  #: Documentation/admin-guide/devices.txt; those that are one family's alone
    listed: str = "DESCRIPTIONS"


FAMILIES = (
    Family("i2c", r"i2c[-/]\d+", (89,)),
    Family("spi", r"spidev.+", (153,)),
    Family("gpio", r"gpiochip\d+"),
    Family("input", r"input/(event|js|mouse)\d+", (13,), "EVDEV"),
    Family("joystick", r"input/js\d+|js\d+"),
    Family("input", r"uinput|input/uinput", (), "UINPUT"),
    Family("hid", r"hidraw\d+"),
    Family("usb", r"bus/usb/\d+/\d+|usb/hiddev\d+|hiddev\d+", (189,)),
    Family("scsi", r"sg\d+", (21,)),
    Family("scsi", r"bsg/.+", (), "BSG"),
    Family("nvme", r"nvme\d+(n\d+(p\d+)?)?|ng\d+n\d+"),
    Family("block", r"loop-control"),
    Family("mtd", r"mtd\d+(ro)?", (90,)),
    Family("ipmi", r"ipmi(dev)?[-/]?\d+"),
    Family("clocks", r"rtc\d*|pps\d+|ptp\d+|misc/rtc"),
    Family("watchdog", r"watchdog\d*"),
    Family("remote", r"lirc\d+|cec\d+"),
    Family("v4l2", r"(video|vbi|radio|swradio|v4l-touch)\d+|v4l/.+", (81,)),
    Family("media", r"media\d+|v4l-subdev\d+"),
    Family("sound", r"snd/.+", (116,)),
    Family("framebuffer", r"fb\d+", (29,)),
    Family("kvm", r"kvm"),
    Family("tun", r"net/tun|tap\d+"),
    Family("entropy", r"u?random|rfkill|hwrng"),
    Family("industrial", r"iio:device\d+"),
    Family("parallel", r"(parport|lp|usb/lp)\d+", (6, 99)),
    Family("tape", r"n?st\d+[alm]?|nosst\d+"),
    Family("ppp", r"ppp", (108,)),
    Family("console", r"tty\d*|console|vc/\d+"),
    Family("terminal", r"tty.*|pts/\d+|ptmx|console|rfcomm\d+|cu.+"),
)
BLOCK = ("block", "scsi")


def for_node(path: str, kind: str = "char", rdev: tuple[int, int] = (0, 0)) -> list[Description]:
    """The requests that are known of a node; none for a node that nobody knows.

    path  of the node, or of what its link leads to
    kind  "tty", "block" or "char"
    rdev  its major and minor number: they tell where the name does not
    """
    name = path.removeprefix("/dev/")
    found = [one for one in FAMILIES if re.fullmatch(one.names, name)]
    found = found or [one for one in FAMILIES if rdev[0] in one.majors and kind == "char"]
    listed = [(one.module, one.listed) for one in found]
    if kind == "tty":
        listed.append(("terminal", "DESCRIPTIONS"))
    if kind == "block":
        listed += [(module, "DESCRIPTIONS") for module in BLOCK]
    return [one for module, which in dict.fromkeys(listed) for one in descriptions(module, which)]


@cache
def descriptions(module: str, which: str = "DESCRIPTIONS") -> tuple[Description, ...]:
    """The descriptions of one family, imported when they are first asked for."""
    return tuple(getattr(importlib.import_module(f"devshim.known.{module}"), which))


@cache
def find_for(path: str, kind: str = "char", rdev: tuple[int, int] = (0, 0)) -> Descriptions:
    """The same, by request: find(number) gives the description, or None."""
    return Descriptions(for_node(path, kind, rdev))


def modules() -> list[str]:
    """The names of all families' modules."""
    return sorted({one.module for one in FAMILIES} | set(BLOCK))
