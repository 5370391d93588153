"""What is known of the kernel's ioctls, by the node that answers them: facts of the kernel's own headers."""

from __future__ import annotations

import importlib
from functools import cache

from devshim.known.names import TERMINALS, is_like
from devshim.model.description import Description, Descriptions

__all__ = ["find_for", "for_node"]


class Family:
    """Which nodes a family of requests belongs to, and where its descriptions are.

    names   of nodes below /dev, as patterns of names.is_like()
    majors  Documentation/admin-guide/devices.txt; those that are one family's alone
    """

    __slots__ = ("listed", "majors", "module", "names")

    def __init__(self, module: str, names: str, majors: tuple[int, ...] = (), listed: str = "DESCRIPTIONS") -> None:
        self.module = module
        self.names = names
        self.majors = majors
        self.listed = listed


FAMILIES = (
    Family("i2c", "i2c-# i2c/#", (89,)),
    Family("spi", "spidev*", (153,)),
    Family("gpio", "gpiochip#"),
    Family("input", "input/event# input/js# input/mouse#", (13,), "EVDEV"),
    Family("joystick", "input/js# js#"),
    Family("input", "uinput input/uinput", (), "UINPUT"),
    Family("hid", "hidraw#"),
    Family("usb", "bus/usb/#/# usb/hiddev# hiddev#", (189,)),
    Family("scsi", "sg#", (21,)),
    Family("scsi", "bsg/*", (), "BSG"),
    Family("nvme", "nvme# nvme#n# nvme#n#p# ng#n#"),
    Family("block", "loop-control"),
    Family("mtd", "mtd# mtd#ro", (90,)),
    Family("ipmi", "ipmi# ipmi-# ipmi/# ipmidev# ipmidev-# ipmidev/#"),
    Family("clocks", "rtc rtc# pps# ptp# misc/rtc"),
    Family("watchdog", "watchdog watchdog#"),
    Family("remote", "lirc# cec#"),
    Family("v4l2", "video# vbi# radio# swradio# v4l-touch# v4l/*", (81,)),
    Family("media", "media# v4l-subdev#"),
    Family("sound", "snd/*", (116,)),
    Family("framebuffer", "fb#", (29,)),
    Family("kvm", "kvm"),
    Family("tun", "net/tun tap#"),
    Family("entropy", "random urandom rfkill hwrng"),
    Family("industrial", "iio:device#"),
    Family("parallel", "parport# lp# usb/lp#", (6, 99)),
    Family("tape", "st# st#a st#l st#m nst# nst#a nst#l nst#m nosst#"),
    Family("ppp", "ppp", (108,)),
    Family("console", "tty tty# console vc/#"),
    Family("terminal", f"{TERMINALS} ptmx"),
)
BLOCK = ("block", "scsi")


def for_node(path: str, kind: str = "char", rdev: tuple[int, int] = (0, 0)) -> list[Description]:
    """The requests that are known of a node; none for a node that nobody knows.

    path  of the node, or of what its link leads to
    kind  "tty", "block" or "char"
    rdev  its major and minor number: they tell where the name does not
    """
    name = path.removeprefix("/dev/")
    found = [one for one in FAMILIES if is_like(name, one.names)]
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
