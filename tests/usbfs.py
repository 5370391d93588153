"""A client of usbfs as C programs are: URBs by their address, buffers of its own.  Runs in the test's own process."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from ctypes import Structure, c_char, c_int, c_uint, c_uint8, c_uint16, c_uint32, c_void_p
from types import TracebackType

libc = ctypes.CDLL(None, use_errno=True)

ISO, INTERRUPT, CONTROL, BULK = range(4)
SHORT_NOT_OK, CONTINUATION = 1, 4


class RawUrb(Structure):
    """struct usbdevfs_urb, with as many packets as anybody needs."""

    _fields_ = [
        ("type", c_uint8), ("endpoint", c_uint8), ("status", c_int), ("flags", c_uint), ("buffer", c_void_p),
        ("buffer_length", c_int), ("actual_length", c_int), ("start_frame", c_int), ("number_of_packets", c_int),
        ("error_count", c_int), ("signr", c_uint), ("usercontext", c_void_p), ("packets", c_uint * 3 * 8),
    ]  # fmt: skip


class RawControl(Structure):
    """struct usbdevfs_ctrltransfer."""

    _fields_ = [
        ("kind", c_uint8), ("request", c_uint8), ("value", c_uint16), ("index", c_uint16), ("length", c_uint16),
        ("timeout", c_uint32), ("data", c_void_p),
    ]  # fmt: skip


class RawBulk(Structure):
    """struct usbdevfs_bulktransfer."""

    _fields_ = [("ep", c_uint), ("len", c_uint), ("timeout", c_uint), ("data", c_void_p)]


class Urb:
    """An URB with its buffer."""

    def __init__(
        self, kind: int, endpoint: int, data: bytes | int, flags: int = 0, packets: tuple[int, ...] = ()
    ) -> None:
        size = data if isinstance(data, int) else len(data)
        self.buffer = (c_char * (size or 1))()
        if isinstance(data, bytes):
            self.buffer[: len(data)] = data
        self.raw = RawUrb(kind, endpoint, 99, flags, ctypes.addressof(self.buffer), size, 88)
        self.raw.number_of_packets = len(packets)
        for slot, length in zip(self.raw.packets, packets, strict=False):
            slot[0] = length

    @property
    def address(self) -> int:
        """Where the program has it."""
        return ctypes.addressof(self.raw)

    @property
    def data(self) -> bytes:
        """As much of the buffer as went over the wire."""
        return self.buffer.raw[: self.raw.actual_length]


class Usbfs:
    """One open of a USB device's node."""

    def __init__(self, node: str = "/dev/bus/usb/095/002", flags: int = os.O_RDWR) -> None:
        self.fd = os.open(node, flags | os.O_CLOEXEC)

    def __enter__(self) -> Usbfs:
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self.fd)

    def call(self, request: int, argument: object = 0) -> int:
        """ioctl(2).  argument: an int by value, or a ctypes object or bytearray by address.  Raises OSError."""
        if isinstance(argument, bytearray):
            argument = (c_char * len(argument)).from_buffer(argument)
        given = ctypes.c_ulong(argument) if isinstance(argument, int) else ctypes.byref(argument)  # type: ignore[arg-type]
        result: int = libc.ioctl(self.fd, ctypes.c_ulong(request), given)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    def number(self, request: int, value: int) -> int:
        """A request whose argument is an unsigned int."""
        return self.call(request, c_uint(value))

    def claim(self, interface: int = 0) -> None:
        """USBDEVFS_CLAIMINTERFACE."""
        self.number(0x8004550F, interface)

    def driver(self, interface: int = 0) -> str:
        """USBDEVFS_GETDRIVER: who has an interface."""
        asked = bytearray(struct.pack("I256s", interface, b""))
        self.call(0x41045508, asked)
        return asked[4:].partition(b"\0")[0].decode()

    def detach(self, interface: int = 0) -> None:
        """USBDEVFS_DISCONNECT, by USBDEVFS_IOCTL: take an interface from its driver."""
        self.call(0xC0105512, bytearray(struct.pack("iiP", interface, 0x5516, 0)))

    def submit(self, urb: Urb) -> Urb:
        """USBDEVFS_SUBMITURB."""
        self.call(0x8038550A, urb.raw)
        return urb

    def reap(self, waits: bool = False) -> int:
        """USBDEVFS_REAPURBNDELAY, or the one that waits: the URB's address."""
        address = ctypes.c_uint64()
        self.call(0x4008550C if waits else 0x4008550D, address)
        return address.value

    def discard(self, urb: Urb) -> None:
        """USBDEVFS_DISCARDURB."""
        self.call(0x550B, urb.address)

    def bulk(self, endpoint: int, data: bytes | int, timeout: int = 0) -> bytes:
        """USBDEVFS_BULK: what came, or the first so many bytes of what went."""
        size = data if isinstance(data, int) else len(data)
        buffer = ctypes.create_string_buffer(data if isinstance(data, bytes) else size, size or 1)
        count = self.call(0xC0185502, RawBulk(endpoint, size, timeout, ctypes.addressof(buffer)))
        return buffer.raw[:count]

    def control(
        self, kind: int, request: int, value: int = 0, index: int = 0, data: bytes | int = b"", timeout: int = 0
    ) -> bytes:
        """USBDEVFS_CONTROL, in the same way."""
        size = data if isinstance(data, int) else len(data)
        buffer = ctypes.create_string_buffer(data if isinstance(data, bytes) else size, size or 1)
        where = ctypes.addressof(buffer)
        count = self.call(0xC0185500, RawControl(kind, request, value, index, size, timeout, where))
        return buffer.raw[:count]

    def ready(self) -> int:
        """What poll(2) says now, of all that there is to be said."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN | select.POLLOUT)
        return dict(poll.poll(0)).get(self.fd, 0)


def setup(kind: int, request: int, value: int = 0, index: int = 0, length: int = 0) -> bytes:
    """The head of a control URB's buffer."""
    return struct.pack("<BBHHH", kind, request, value, index, length)
