"""To Wireshark: pcapng with I2C transfers (link type 209) and input events (216).

Formats: IETF draft-ietf-opsawg-pcapng; LINKTYPE_I2C_LINUX and LINKTYPE_LINUX_EVDEV of tcpdump.org/linktypes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from devshim.trace.convert.recording import Recording
from devshim.trace.convert.writing import numbered
from devshim.trace.event import Event

LINKTYPE_I2C_LINUX, LINKTYPE_LINUX_EVDEV = 209, 216
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
END, NAME, COMMENT, RESOLUTION = 0, 2, 1, 9
I2C_RDWR, I2C_SMBUS, I2C_SLAVE, I2C_SLAVE_FORCE = 0x0707, 0x0720, 0x0703, 0x0706
READ = 0x1  # I2C_M_RD
INPUT_EVENT = 24  # struct input_event with 64-bit time
MICROSECONDS = 6


def write(recording: Recording, file: BinaryIO) -> tuple[int, int]:
    """Write all I2C messages and input events; how many packets there are, and how many events have none."""
    file.write(block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(4, recording.header.by.encode())))
    writer = Packets(file)
    left_out = 0
    for event in numbered(recording):
        count = writer.packets
        for link, data, comment in packets_of(event, writer):
            writer.packet(event.node, link, data, event.time, comment)
        left_out += writer.packets == count
    return writer.packets, left_out


class Packets:
    """Writes packets, each of an interface: one a node.

    addresses  of the chip that an open file of an I2C bus talks to (I2C_SLAVE), by file number
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.packets = 0
        self.addresses: dict[int, int] = {}
        self._interfaces: dict[tuple[str, int], int] = {}
        self._last = 0.0

    def packet(self, node: str, link: int, data: bytes, time: float | None, comment: str) -> None:
        """One packet; without a time it came right behind the last one."""
        interface = self.interface(node, link)
        self._last = time if time is not None else self._last + 1e-6
        stamp = round(max(self._last, 0.0) * 10**MICROSECONDS)
        head = struct.pack("<5I", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
        self.file.write(block(PACKET, head + padded(data) + option(COMMENT, comment.encode()) + option(END, b"")))
        self.packets += 1

    def interface(self, node: str, link: int) -> int:
        """The number of a node's interface, described when it is first met."""
        found = self._interfaces.get((node, link))
        if found is None:
            found = self._interfaces[node, link] = len(self._interfaces)
            options = option(NAME, node.encode()) + option(RESOLUTION, bytes([MICROSECONDS])) + option(END, b"")
            self.file.write(block(INTERFACE, struct.pack("<HHI", link, 0, 0) + options))
        return found


def block(kind: int, body: bytes) -> bytes:
    """One block: kind, length, body, length."""
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def option(code: int, value: bytes) -> bytes:
    """One option of a block."""
    return struct.pack("<HH", code, len(value)) + padded(value) if value or code == END else b""


def padded(data: bytes) -> bytes:
    """Data filled up to whole words of 32 bits."""
    return data + bytes(-len(data) % 4)


def packets_of(event: Event, writer: Packets) -> Iterator[tuple[int, bytes, str]]:
    """The packets of an event: link type, data, comment."""
    comment = f"event {event.number}" + (f": {event.error}" if event.error else "")
    if event.name == "read" and event.data and re.match(r"/dev/input/event\d+", event.node):
        for at in range(0, len(event.data) - INPUT_EVENT + 1, INPUT_EVENT):
            yield LINKTYPE_LINUX_EVDEV, evdev(event.data[at : at + INPUT_EVENT]), comment
    elif event.name == "ioctl" and event.request in (I2C_SLAVE, I2C_SLAVE_FORCE) and event.argument is not None:
        writer.addresses[event.file] = event.argument
    elif event.name == "ioctl" and event.request == I2C_RDWR:
        for address, flags, data in transfers(event):
            yield LINKTYPE_I2C_LINUX, i2c(event.node, address, bool(flags & READ), data), comment
    elif event.name == "ioctl" and event.request == I2C_SMBUS and event.before:
        for reads, data in smbus(event):
            yield LINKTYPE_I2C_LINUX, i2c(event.node, writer.addresses.get(event.file, 0), reads, data), comment
    elif event.name in ("read", "write") and re.match(r"/dev/i2c[-/]\d+", event.node) and event.error is None:
        address = writer.addresses.get(event.file, 0)
        yield LINKTYPE_I2C_LINUX, i2c(event.node, address, event.name == "read", event.data), comment


def evdev(data: bytes) -> bytes:
    """An input event as LINKTYPE_LINUX_EVDEV has it: seconds, microseconds, type, code and value, big-endian."""
    seconds, micros, kind, code, value = struct.unpack("<qqHHi", data)
    return struct.pack(">IIHHi", seconds & 0xFFFFFFFF, micros & 0xFFFFFFFF, kind, code, value)


def i2c(node: str, address: int, reads: bool, data: bytes) -> bytes:
    """A message as LINKTYPE_I2C_LINUX has it: bus, 32 bits of flags, address and direction, data."""
    bus = int(re.sub(r"\D", "", node.rpartition("/")[2].replace("i2c", "")) or 0)
    return struct.pack(">BI", bus & 0x7F, 0) + bytes([(address & 0x7F) << 1 | reads]) + data


def transfers(event: Event) -> Iterator[tuple[int, int, bytes]]:
    """The messages of I2C_RDWR: address, flags, data; what a failed call would have read is left out."""
    before = event.before or []
    messages = before[1] if len(before) > 1 else None
    after = event.after or [None] * len(before)
    for index in range(len(messages or b"") // 16):
        address, flags, _ = struct.unpack_from("<HHH", messages or b"", index * 16)
        at = 2 + index
        data = (after[at] if at < len(after) else None) or (before[at] if at < len(before) else None) or b""
        yield address, flags, b"" if flags & READ and event.error else data


def smbus(event: Event) -> Iterator[tuple[bool, bytes]]:
    """The messages of I2C_SMBUS: whether the chip sends, and the bytes, as i2c-core emulates it."""
    head = (event.before or [b""])[0] or b""
    if len(head) < 8:
        return
    reads, command, size = bool(head[0]), head[1], int.from_bytes(head[4:8], "little")
    old = (event.before or [b"", b""])[1:2]
    new = (event.after or [None, None])[1:2]
    given = (old[0] if old else b"") or b""
    got = b"" if event.error else (new[0] if new and new[0] is not None else given) or b""
    if size == 0:  # quick
        yield reads, b""
    elif size == 1:  # a byte
        yield reads, got[:1] if reads else bytes([command])
    elif size in (2, 3):  # a byte or a word of a register
        length = size - 1
        yield False, bytes([command]) + (b"" if reads else given[:length])
        if reads:
            yield True, got[:length]
    elif size == 4:  # a process call
        yield False, bytes([command]) + given[:2]
        yield True, got[:2]
    elif size in (5, 7):  # a block, whose length goes before it
        yield False, bytes([command]) + (b"" if reads and size == 5 else given[: 1 + (given[0] if given else 0)])
        if reads or size == 7:
            yield True, got[: 1 + (got[0] if got else 0)]
    else:  # a block of I2C, without a length
        sent = given[1 : 1 + (given[0] if given else 0)]
        yield False, bytes([command]) + (b"" if reads else sent)
        if reads:
            yield True, got[1 : 1 + (got[0] if got else 0)]
