"""The devices of a NAME.umockdev file: their nodes, what a node holds, and what /sys and udev's database show."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, field

from devshim.model.device import Link
from devshim.trace.convert.nodes import S_IFBLK, S_IFCHR, Nodes
from devshim.trace.convert.recording import ConversionError
from devshim.trace.event import Node
from devshim.trace.format import checks

#: Subsystems whose devices are on a bus; those of all others are of a class.
BUSES = frozenset(
    (
        "acpi", "amba", "gpio", "hid", "i2c", "mdio_bus", "mmc", "nvmem", "pci", "pci_express", "platform", "pnp",
        "scsi", "serio", "spi", "usb", "usb-serial", "virtio", "xen",
    )
)  # fmt: skip
#: Properties that udev adds to those of the kernel, which alone stand in a device's uevent file.
OF_UDEV = re.compile(r"(ID_|DEVLINKS|TAGS|CURRENT_TAGS|USEC_INITIALIZED|SYSTEMD_|LIBINPUT_|UDISKS_|\.)")


@dataclass
class Device:
    """One paragraph of the file."""

    path: str
    node: str = ""
    content: bytes | None = None
    links: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    found: dict[str, bytes | Link] = field(default_factory=dict)


def devices(path: str, lines: list[bytes], nodes: dict[str, Node]) -> dict[str, bytes]:
    """Put the nodes of a file, and all that is around them, among nodes; what some of them hold, by node.

    Raises ConversionError.
    """
    listed = paragraphs(path, lines)
    around: dict[str, bytes | Link] = {}
    contents: dict[str, bytes] = {}
    known = Nodes(nodes)
    for device in listed:
        around.update(device.found)
        around.update(derived(device))
        if not device.node:
            continue
        major, minor = (int(device.properties.get(name, "0") or 0) for name in ("MAJOR", "MINOR"))
        kind = S_IFBLK if device.properties.get("SUBSYSTEM") == "block" else S_IFCHR
        known.status(device.node, kind | 0o666, (major, minor))
        known.node(device.node)
        if device.content is not None:
            contents[device.node] = device.content
    if nodes:
        below = {at for at, content in around.items() if isinstance(content, Link)}
        first = next(iter(nodes.values()))
        first.surroundings = {
            at: content
            for at, content in sorted(around.items())
            if at not in nodes and not any(above in below for above in parents(at))
        }
    return contents


def parents(path: str) -> list[str]:
    """The directories above a path."""
    found = []
    while (path := posixpath.dirname(path)) not in ("/", ""):
        found.append(path)
    return found


def paragraphs(path: str, lines: list[bytes]) -> list[Device]:
    """The devices in the order of the file."""
    found: list[Device] = []
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        kind, _, value = line.partition(b": ")
        text = os.fsdecode(value)
        if kind == b"P":
            if not text.startswith("/devices/") or "/../" in f"{text}/":
                raise ConversionError(f"{path}:{at}: P: a device's path begins with /devices/")
            try:
                found.append(Device(checks.path(f"/sys{text}")))
            except ValueError as problem:
                raise ConversionError(f"{path}:{at}: P: {problem}") from None
        elif not found:
            raise ConversionError(f"{path}:{at}: it begins with P: and a device's path")
        else:
            try:
                add(found[-1], kind, text, value)
            except ValueError as problem:
                raise ConversionError(f"{path}:{at}: {problem}") from None
    return found


def add(device: Device, kind: bytes, text: str, value: bytes) -> None:
    """One line of a device.  Raises ValueError."""
    name, _, content = text.partition("=")
    at = f"{device.path}/{name}"
    if kind in (b"A", b"L", b"H") and (not name or any(part in ("", ".", "..") for part in name.split("/"))):
        raise ValueError(f"attribute {name!r}")
    if kind in (b"A", b"L", b"H"):
        checks.path(at)
    if kind == b"N":
        device.node = checks.path(f"/dev/{name}")
        device.content = bytes.fromhex(content) if content else None
    elif kind == b"S":
        device.links.append(checks.path(f"/dev/{text}"))
    elif kind == b"E":
        device.properties[name] = content
    elif kind == b"A":
        device.found[at] = unescaped(value.partition(b"=")[2])
    elif kind == b"H":
        device.found[at] = bytes.fromhex(content)
    elif kind == b"L":
        device.found[at] = Link(checks.text(content))
    else:
        raise ValueError(f"{kind.decode('ascii', 'replace')}: is not known; there are P N S E A H L")


def derived(device: Device) -> dict[str, bytes | Link]:
    """What follows from a device's properties: its uevent file, its links in /sys, its record in udev's database."""
    found: dict[str, bytes | Link] = {}
    own = {name: value for name, value in device.properties.items() if not OF_UDEV.match(name) and name != "SUBSYSTEM"}
    own["DEVNAME"] = own.get("DEVNAME", "").removeprefix("/dev/")
    uevent = "".join(f"{name}={value}\n" for name, value in own.items() if value)
    found[f"{device.path}/uevent"] = uevent.encode("utf-8", "surrogateescape")
    subsystem = device.properties.get("SUBSYSTEM", "")
    name = posixpath.basename(device.path)
    if re.fullmatch(r"[\w-]+", subsystem):
        home = f"/sys/bus/{subsystem}" if subsystem in BUSES else f"/sys/class/{subsystem}"
        folder = f"{home}/devices" if subsystem in BUSES else home
        found[f"{device.path}/subsystem"] = Link(posixpath.relpath(home, device.path))
        found[f"{folder}/{name}"] = Link(posixpath.relpath(device.path, folder))
        if subsystem == "block":
            found[f"/sys/block/{name}"] = Link(posixpath.relpath(device.path, "/sys/block"))
    numbers = (device.properties.get("MAJOR", ""), device.properties.get("MINOR", ""))
    if all(number.isdigit() for number in numbers):
        kind = "block" if subsystem == "block" else "char"
        at = f"{int(numbers[0])}:{int(numbers[1])}"
        found[f"/sys/dev/{kind}/{at}"] = Link(posixpath.relpath(device.path, f"/sys/dev/{kind}"))
        found[f"/run/udev/data/{kind[0]}{at}"] = record(device)
    for link in device.links:
        if device.node and "/../" not in link:
            found[link] = Link(posixpath.relpath(device.node, posixpath.dirname(link)))
    return found


def record(device: Device) -> bytes:
    """A device's record in /run/udev/data (systemd's src/libsystemd/sd-device)."""
    lines = [f"S:{link.removeprefix('/dev/')}" for link in device.links]
    lines.append(f"I:{device.properties.get('USEC_INITIALIZED', '1')}")
    lines += [f"E:{name}={value}" for name, value in device.properties.items() if name.startswith("ID_")]
    for prefix, name in (("G", "TAGS"), ("Q", "CURRENT_TAGS")):
        lines += [f"{prefix}:{tag}" for tag in device.properties.get(name, "").split(":") if tag]
    return "".join(f"{line}\n" for line in [*lines, "V:1"]).encode("utf-8", "surrogateescape")


def unescaped(value: bytes) -> bytes:
    """An attribute's value: \\n is a newline, \\\\ a backslash."""
    return re.sub(rb"\\(.)", lambda found: b"\n" if found[1] == b"n" else found[1], value, flags=re.S)
