"""What a USB device says of itself, byte for byte: usbcore's file descriptors.  USB 2.0 specification, 9.6."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Kind = tuple[int, int, int]

PACKET = 64  # bytes, of all endpoints
POWER = 50  # of 2 mA
BUS_POWERED = 0x80
DEVICE, CONFIGURATION, INTERFACE, ENDPOINT = 1, 2, 4, 5
BULK, INTERRUPT = 2, 3
HID = 3  # the class whose endpoints are of interrupts
IN = 0x80
ENDPOINTS = 2  # of each interface: one in, one out


def descriptors(ids: tuple[int, int, int], texts: Sequence[str], kinds: Sequence[Kind]) -> bytes:
    """The descriptor of a device, and after it that of its one configuration with all that is in it.

    ids: vendor, product and release; texts: manufacturer, product and serial number, of which the empty ones have no
    descriptor; kinds: class, subclass and protocol of each interface.
    """
    named = iter(range(1, 4))
    strings = [next(named) if text else 0 for text in texts]
    device = struct.pack("<BBHBBBBHHHBBBB", 18, DEVICE, 0x0200, 0, 0, 0, PACKET, *ids, *strings, 1)
    inside = b"".join(interface(number, kind) for number, kind in enumerate(kinds))
    head = struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(inside), len(kinds), 1, 0, BUS_POWERED, POWER)
    return device + head + inside


def interface(number: int, kind: Kind) -> bytes:
    """The descriptor of an interface, and those of its endpoints."""
    transfer, interval = (INTERRUPT, 10) if kind[0] == HID else (BULK, 0)
    return struct.pack("<9B", 9, INTERFACE, number, 0, ENDPOINTS, *kind, 0) + b"".join(
        struct.pack("<BBBBHB", 7, ENDPOINT, direction | (number + 1), transfer, PACKET, interval)
        for direction in (IN, 0)
    )
