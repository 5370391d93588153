"""The texts of uevents: the kernel's (lib/kobject_uevent.c) and udev's (systemd's sd-device-monitor.c); its records."""

from __future__ import annotations

import struct
from collections.abc import Mapping

MAGIC = 0xFEEDCAFE
HEADER = struct.Struct("=8s")
NUMBERS = struct.Struct("=3I")  # header size, where the properties begin, how long they are: in the machine's order
HASHES = struct.Struct(">4I")  # of subsystem and devtype, and the tags' bloom filter: big-endian, for socket filters
HEADER_SIZE = 8 + 4 + NUMBERS.size + HASHES.size
MASK = 0xFFFFFFFF


def pairs(text: bytes) -> dict[str, str]:
    """KEY=value lines, as uevent files hold them."""
    lines = text.decode(errors="surrogateescape").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def kernel_message(properties: Mapping[str, str]) -> bytes:
    """What the kernel sends: ACTION@DEVPATH, and the properties."""
    head = f"{properties['ACTION']}@{properties['DEVPATH']}"
    return joined([head, *(f"{key}={value}" for key, value in properties.items())])


def udev_message(properties: Mapping[str, str]) -> bytes:
    """What udev sends once its rules have run: a header by which sockets filter, and the properties."""
    found = dict(properties)
    if "DEVNAME" in found and not found["DEVNAME"].startswith("/"):
        found["DEVNAME"] = f"/dev/{found['DEVNAME']}"
    body = joined([f"{key}={value}" for key, value in found.items()])
    bloom = 0
    for tag in filter(None, found.get("TAGS", "").split(":")):
        bloom |= bloom_bits(tag)
    subsystem, devtype = found.get("SUBSYSTEM", ""), found.get("DEVTYPE", "")
    return (
        HEADER.pack(b"libudev\0")
        + struct.pack(">I", MAGIC)
        + NUMBERS.pack(HEADER_SIZE, HEADER_SIZE, len(body))
        + HASHES.pack(
            string_hash(subsystem) if subsystem else 0,
            string_hash(devtype) if devtype else 0,
            bloom >> 32,
            bloom & MASK,
        )
        + body
    )


def joined(texts: list[str]) -> bytes:
    """Texts, each with a NUL behind it."""
    return b"".join(text.encode(errors="surrogateescape") + b"\0" for text in texts)


def string_hash(text: str) -> int:
    """MurmurHash2 of a text, of 32 bits and with seed 0, by which udev's messages are filtered."""
    data = text.encode(errors="surrogateescape")
    factor = 0x5BD1E995
    value = len(data)
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        word = word * factor & MASK
        word = (word ^ word >> 24) * factor & MASK
        value = value * factor & MASK ^ word
    rest = data[whole:]
    if rest:
        value = (value ^ int.from_bytes(rest, "little")) * factor & MASK
    value = (value ^ value >> 13) * factor & MASK
    return value ^ value >> 15


def bloom_bits(text: str) -> int:
    """The bits of a text in a filter of 64: four, each by six bits of its hash."""
    value = string_hash(text)
    return 1 << (value & 63) | 1 << (value >> 6 & 63) | 1 << (value >> 12 & 63) | 1 << (value >> 18 & 63)


def record_name(subsystem: str, directory: str, properties: Mapping[str, str]) -> str:
    """The name of a device's record in /run/udev/data (device_get_device_id in sd-device.c)."""
    if "MAJOR" in properties:
        kind = "b" if subsystem == "block" else "c"
        return f"{kind}{properties['MAJOR']}:{properties.get('MINOR', '0')}"
    if "IFINDEX" in properties:
        return f"n{properties['IFINDEX']}"
    return f"+{subsystem}:{directory.rpartition('/')[2]}"


def record_properties(record: bytes) -> dict[str, str]:
    """What a record of udev's database adds to a device's properties."""
    properties: dict[str, str] = {}
    links: list[str] = []
    tags: list[str] = []
    for line in record.decode(errors="surrogateescape").splitlines():
        kind, _, value = line.partition(":")
        if kind == "E" and "=" in value:
            key, _, content = value.partition("=")
            properties[key] = content
        elif kind == "S":
            links.append(f"/dev/{value}")
        elif kind == "I":
            properties["USEC_INITIALIZED"] = value
        elif kind == "G":
            tags.append(value)
    if links:
        properties["DEVLINKS"] = " ".join(links)
    if tags:
        properties["TAGS"] = properties["CURRENT_TAGS"] = f":{':'.join(tags)}:"
    return properties
