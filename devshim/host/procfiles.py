"""The files of /proc that tell of drivers: /proc/devices, /proc/misc, /proc/tty/drivers, the machine's and the run's.

What is plugged stands among what the machine has as the kernel would list it: fs/char_dev.c and block/genhd.c,
drivers/char/misc.c, fs/proc/proc_tty.c.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat

from devshim.model.attribute import BinaryAttribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug

MISC = 10
#: Drivers with a major of their own (Documentation/admin-guide/devices.txt); others are called as their nodes.
NAMES = {
    4: "ttyS", 10: "misc", 13: "input", 81: "video4linux", 89: "i2c", 116: "alsa", 153: "spi", 166: "ttyACM",
    188: "ttyUSB", 189: "usb_device", 204: "ttyAMA",
}  # fmt: skip
#: Drivers of serial ports by the names of their nodes: the driver's own name, and how many minors it has.
PORTS = {"ttyUSB": ("usbserial", 512), "ttyACM": ("acm", 256), "ttyS": ("serial", 32), "ttyAMA": ("ttyAMA", 14)}

#: What every program may count on, whatever is hidden of the machine: memory, terminals.
PASSED_MAJORS = (1, 5, 128, 136)
PASSED_TERMINALS = ("/dev/tty ", "/dev/console", "/dev/ptmx", "pty_")


def proc_files(host: Host) -> dict[str, BinaryAttribute]:
    """The files by path, as far as the machine has them."""
    makers = {"/proc/devices": devices, "/proc/misc": misc, "/proc/tty/drivers": drivers}
    return {path: file_of(host, maker) for path, maker in makers.items() if os.path.exists(path)}


def file_of(host: Host, maker: Callable[[Host], str]) -> BinaryAttribute:
    """A file whose content is made anew for each read."""
    return BinaryAttribute(lambda offset, size: maker(host).encode()[offset : offset + size])


def devices(host: Host) -> str:
    """/proc/devices: majors and names, of character devices and of block devices."""
    title = "Character devices:"
    parts: dict[str, list[tuple[int, str]]] = {title: [], "Block devices:": []}
    for line in own_lines(host, "/proc/devices"):
        if line in parts:
            title = line
        elif match := re.fullmatch(r" *(\d+) (.*)", line):
            parts[title].append((int(match[1]), match[2]))
    if host.picture.hides_real:
        parts = {title: [one for one in found if one[0] in PASSED_MAJORS] for title, found in parts.items()}
    for plug in numbered(host):
        found = parts["Block devices:" if stat.S_ISBLK(plug.device.mode) else "Character devices:"]
        entry = os.major(plug.rdev), driver_of(plug)
        if entry not in found:
            found.append(entry)
    texts = []
    for title, found in parts.items():
        found.sort(key=lambda one: one[0])
        texts.append(f"{title}\n" + "".join(f"{major:3d} {name}\n" for major, name in found))
    return "\n".join(texts)


def misc(host: Host) -> str:
    """/proc/misc: the drivers that share major 10, the newest first."""
    ours = [
        f"{os.minor(plug.rdev):3d} {driver_of(plug, False)}\n" for plug in numbered(host) if os.major(plug.rdev) == MISC
    ]
    real = "" if host.picture.hides_real else "".join(f"{line}\n" for line in own_lines(host, "/proc/misc"))
    return "".join(reversed(ours)) + real


def drivers(host: Host) -> str:
    """/proc/tty/drivers: drivers of terminals, behind the terminals that are none the newest first."""
    real = own_lines(host, "/proc/tty/drivers")
    if host.picture.hides_real:
        real = [line for line in real if line.startswith(PASSED_TERMINALS)]
    first = [line for line in real if "system" in line]
    rest = [line for line in real if "system" not in line]
    there = {line.split()[1] for line in real}
    ours: dict[str, str] = {}
    for plug in numbered(host):
        if plug.device.carrier == "tty":
            name, line = port_line(plug)
            if f"/dev/{name}" not in there:
                ours[name] = line
    return "".join(f"{line}\n" for line in (*first, *reversed(ours.values()), *rest))


def port_line(plug: DevicePlug) -> tuple[str, str]:
    """The name of a serial port's driver, and its line (show_tty_range)."""
    name = base_name(plug.node)
    major, minor = os.major(plug.rdev), os.minor(plug.rdev)
    digits = re.search(r"(\d*)$", plug.node)
    first = minor - int(digits[1] or 0) if digits else minor
    driver, count = PORTS.get(name, (name, 0))
    numbers = f"{first}-{first + count - 1}" if count and first >= 0 else f"{minor:7d}"
    return name, f"{driver:<20} /dev/{name:<8} {major:3d} {numbers} serial"


def own_lines(host: Host, path: str) -> list[str]:
    """What the machine's file says; this is the host, which sees the real one."""
    with contextlib.suppress(OSError), open(path) as real:
        return real.read().splitlines()
    return []


def numbered(host: Host) -> Iterator[DevicePlug]:
    """What is plugged that has a number."""
    return (plug for plug in host.plugs() if plug.has_node and plug.rdev)


def driver_of(plug: DevicePlug, of_major: bool = True) -> str:
    """What /proc/devices calls the driver of a device, or /proc/misc the device."""
    name = base_name(plug.node)
    return NAMES.get(os.major(plug.rdev), name) if of_major and name not in PORTS else name


def base_name(node: str) -> str:
    """A node's name without the number at its end: ttyUSB, motor, iio."""
    name = os.path.basename(node)
    return re.sub(r"[^A-Za-z]*[0-9]+[0-9.:-]*$", "", name).removesuffix(":device") or name
