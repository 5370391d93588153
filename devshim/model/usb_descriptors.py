"""What a USB device says of itself, byte for byte: usbcore's file descriptors.  USB 2.0 specification, 9.6."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = tuple[int, int, int]

PACKET = 64  # bytes, of all endpoints
POWER = 50  # of 2 mA
BUS_POWERED = 0x80
DEVICE, CONFIGURATION, INTERFACE, ENDPOINT = 1, 2, 4, 5
TRANSFERS = {"bulk": 2, "interrupt": 3}
HID = 3  # the class whose endpoints are of interrupts
HID_DESCRIPTOR, REPORT_DESCRIPTOR = 0x21, 0x22
IN = 0x80
ENDPOINTS = 2  # of each interface: one in, one out
NO_REPORTS: Mapping[int, int] = {}


def descriptors(
    ids: tuple[int, int, int], texts: Sequence[str], kinds: Mapping[int, Kind], reports: Mapping[int, int] = NO_REPORTS
) -> bytes:
    """The descriptor of a device, and after it that of its one configuration with all that is in it.

    ids: vendor, product and release; texts: manufacturer, product and serial number, of which the empty ones have no
    descriptor; kinds: class, subclass and protocol of each interface, by its number; reports: of HID interfaces the
    size of the report descriptor in bytes.
    """
    named = iter(range(1, 4))
    strings = [next(named) if text else 0 for text in texts]
    device = struct.pack("<BBHBBBBHHHBBBB", 18, DEVICE, 0x0200, 0, 0, 0, PACKET, *ids, *strings, 1)
    inside = b"".join(interface(number, kind, reports.get(number, 0)) for number, kind in kinds.items())
    head = struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(inside), len(kinds), 1, 0, BUS_POWERED, POWER)
    return device + head + inside


def interface(number: int, kind: Kind, report: int) -> bytes:
    """The descriptor of an interface, and those of its endpoints."""
    return (
        struct.pack("<9B", 9, INTERFACE, number, 0, ENDPOINTS, *kind, 0)
        + (hid_descriptor(report) if report else b"")
        + b"".join(
            struct.pack("<BBBBHB", 7, ENDPOINT, address, TRANSFERS[transfer], PACKET, interval)
            for address, transfer, interval in endpoints_of(number, kind)
        )
    )


def endpoints_of(number: int, kind: Kind) -> list[tuple[int, str, int]]:
    """Address, kind of transfer and bInterval of an interface's endpoints."""
    transfer, interval = ("interrupt", 10) if kind[0] == HID else ("bulk", 0)
    return [(direction | (number + 1), transfer, interval) for direction in (IN, 0)]


def hid_descriptor(report: int) -> bytes:
    """What a HID interface says of its report descriptor, of so many bytes (HID 1.11, 6.2.1)."""
    return struct.pack("<BBHBBBH", 9, HID_DESCRIPTOR, 0x0111, 0, 1, REPORT_DESCRIPTOR, report)
