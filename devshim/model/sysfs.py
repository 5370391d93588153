"""Paths and files of /sys that all families share: links between directories, uevent files, records of udev."""

from __future__ import annotations

from devshim.model.attribute import Attribute
from devshim.model.device import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Files = dict[str, "bytes | Link | Attribute"]

#: USEC_INITIALIZED of all devices: a number that does not change from run to run.
INITIALIZED = 1000000


def link(at: str, to: str) -> Link:
    """The text of a symbolic link at one path below /sys that leads to another, as sysfs writes them."""
    here, there = at.split("/")[1:-1], to.split("/")[1:]
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    return Link("/".join([".."] * (len(here) - common) + there[common:]))


def lines(pairs: Mapping[str, object]) -> bytes:
    """KEY=value lines, as uevent files hold them."""
    return "".join(f"{key}={value}\n" for key, value in pairs.items()).encode()


def in_class(directory: str, subsystem: str) -> Files:
    """The links of a device that belongs to a class: to the class, and from there."""
    name = directory.rpartition("/")[2]
    entry = f"/sys/class/{subsystem}/{name}"
    return {
        f"{directory}/subsystem": link(f"{directory}/subsystem", f"/sys/class/{subsystem}"),
        entry: link(entry, directory),
    }


def on_bus(directory: str, bus: str, driver: str = "") -> Files:
    """The links of a device that sits on a bus: to the bus, from there, and to and from its driver if it has one."""
    name = directory.rpartition("/")[2]
    entry = f"/sys/bus/{bus}/devices/{name}"
    found: Files = {
        f"{directory}/subsystem": link(f"{directory}/subsystem", f"/sys/bus/{bus}"),
        entry: link(entry, directory),
    }
    if driver:
        of_driver = f"/sys/bus/{bus}/drivers/{driver}"
        found[f"{directory}/driver"] = link(f"{directory}/driver", of_driver)
        found[f"{of_driver}/{name}"] = link(f"{of_driver}/{name}", directory)
    return found


def with_number(directory: str, major: int, minor: int, node: str, more: Mapping[str, object] | None = None) -> Files:
    """What a directory with a device number holds: dev, uevent, and the link from /sys/dev/char."""
    entry = f"/sys/dev/char/{major}:{minor}"
    name = node.removeprefix("/dev/")
    return {
        f"{directory}/dev": f"{major}:{minor}\n".encode(),
        f"{directory}/uevent": lines({"MAJOR": major, "MINOR": minor, "DEVNAME": name, **(more or {})}),
        entry: link(entry, directory),
    }


def record(
    properties: Mapping[str, object] | None = None,
    links: Iterable[str] = (),
    tags: Iterable[str] = (),
) -> bytes:
    """A record of udev's database; links are paths below /dev (systemd's sd-device, device-private.c)."""
    tags = list(tags)
    text = [
        *(f"S:{name}" for name in links),
        f"I:{INITIALIZED}",
        *(f"E:{key}={value}" for key, value in (properties or {}).items()),
        *(f"G:{tag}" for tag in tags),
        *(f"Q:{tag}" for tag in tags),
        "V:1",
    ]
    return "".join(f"{line}\n" for line in text).encode()
