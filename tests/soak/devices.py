"""The devices that the scripts of the soak use.  expected.py knows, independently, what each call must answer."""

import errno
import gc
import json
import os
from collections import deque
from ctypes import Structure, c_int, c_int32, c_int64, c_uint8, c_uint32, sizeof
from pathlib import Path
from typing import Any

from devshim import IO, IOR, IOW, IOWR, WAIT, Device, File, Serial, ioctl, pointer
from devshim.host import structures, wire
from devshim.host.waits import hung_up
from devshim.model.device import POLLIN, POLLOUT
from devshim.model.stream import Stream

CELL_SIZE = 300_000
RESET = IO("S", 10)
ENTRY = sizeof(structures.Carrier) // 8


def pattern(size: int, seed: int = 0) -> bytes:
    """Bytes as programs/operations.c fills its buffers with."""
    seed %= 251
    return (bytes(range(251)) * (size // 251 + 2))[seed : seed + size]


class Info(Structure):
    """What a CellFile tells of itself."""

    _fields_ = [("answer", c_int32), ("position", c_int64)]


class Transfer(Structure):
    """Bytes that are turned round."""

    _fields_ = [("length", c_uint32), ("flags", c_uint32), ("data", pointer(c_uint8, length="length", access="rw"))]


class Item(Structure):
    """One of a List."""

    _fields_ = [("length", c_uint32), ("reserved", c_uint32), ("data", pointer(c_uint8, length="length", access="rw"))]


class List(Structure):
    """Pointers to structures with pointers."""

    _fields_ = [("count", c_uint32), ("total", c_uint32), ("items", pointer(Item, length="count", access="rw"))]


class Cell(Device):
    """Memory that all opens share; each has a position of its own."""

    seekable = True

    def setup(self) -> None:
        """As after a reset."""
        self.reset()
        self.now = 0

    def reset(self) -> None:
        """The first contents."""
        self.store = bytearray(pattern(CELL_SIZE))

    def open(self, flags: int) -> File:
        """A new position."""
        return CellFile(self)


class CellFile(File):
    """One open of a Cell, or one that an ioctl made."""

    def __init__(self, device: Cell) -> None:
        self.device = device
        self.position = 0
        device.now += 1

    def close(self) -> None:
        """Count it."""
        self.device.now -= 1

    def read(self, size: int) -> Any:
        """The bytes at the position."""
        data = self.pread(size, self.position)
        self.position += len(data)
        return data

    def pread(self, size: int, offset: int) -> Any:
        """The bytes at an offset."""
        return bytes(self.device.store[offset : offset + size])

    def write(self, data: bytes) -> Any:
        """Put bytes at the position."""
        taken = self.pwrite(data, self.position)
        self.position += taken
        return taken

    def pwrite(self, data: bytes, offset: int) -> Any:
        """Put bytes at an offset, as many as there is room for."""
        room = CELL_SIZE - offset
        if data and room <= 0:
            raise OSError(errno.ENOSPC, "full")
        taken = data[: max(room, 0)]
        self.device.store[offset : offset + len(taken)] = taken
        return len(taken)

    def seek(self, offset: int, whence: int) -> int:
        """As lseek(2) on a disk."""
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            raise OSError(errno.EINVAL, "whence")
        offset += {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: CELL_SIZE}[whence]
        if not 0 <= offset <= 1 << 40:
            raise OSError(errno.EINVAL, "position")
        self.position = offset
        return offset

    @ioctl(IOR("S", 1, Info), query=True)
    def info(self) -> Info:
        """A number, and the position."""
        return Info(42, self.position)

    @ioctl(IOW("S", 2, c_int64))
    def set_position(self, position: c_int64) -> None:
        """Go there."""
        if not 0 <= position.value <= CELL_SIZE:
            raise OSError(errno.ERANGE, "position")
        self.position = position.value

    @ioctl(IOWR("S", 3, Transfer), query=True)
    def turn(self, transfer: Any) -> int:
        """Turn every byte round."""
        if transfer.flags == 13:
            raise OSError(errno.EPROTO, "unlucky")
        data = bytes(transfer.data)
        transfer.data[:] = bytes(byte ^ 0x5A for byte in data[:64]) + data[64:]
        transfer.flags += 1
        return int(transfer.length)

    @ioctl(IO("S", 4), value=c_int, query=True)
    def low_byte(self, number: int) -> int:
        """By value."""
        if number < 0:
            raise OSError(errno.EDOM, "negative")
        return number & 0xFF

    @ioctl(IO("S", 5))
    def another(self) -> File:
        """A new file."""
        return CellFile(self.device)

    @ioctl(IOWR("S", 6, List), query=True)
    def turn_items(self, items: Any) -> int:
        """Turn the bytes of all items round, and count them."""
        items.total = 0
        for item in items.items:
            item.data[:] = bytes(byte ^ 0x5A for byte in item.data)
            items.total += item.length
        return int(items.count)

    @ioctl(IO("S", 8))
    def count(self) -> int:
        """How many files are open on the device."""
        self.device._plug.settle()
        return self.device.now

    @ioctl(RESET, value=c_int)
    def reset(self, number: int) -> None:
        """Begin anew."""
        self.device.reset()


class Queue(Device):
    """Reads give what was written, the oldest message first; where there is none, or no room, calls wait."""

    capacity: int = 3

    def setup(self) -> None:
        """Empty."""
        self.messages: deque[bytes] = deque()

    def read(self, size: int) -> Any:
        """The oldest message, cut to size."""
        if not self.messages:
            return WAIT
        message = self.messages.popleft()
        self.wake()
        return message[:size]

    def write(self, data: bytes) -> Any:
        """One more message."""
        if len(self.messages) >= self.capacity:
            return WAIT
        self.messages.append(data)
        self.wake()
        return None

    def poll(self) -> int:
        """Readable where a message lies here, writable where there is room for one."""
        return (POLLIN if self.messages else 0) | (POLLOUT if len(self.messages) < self.capacity else 0)

    @ioctl(IO("S", 8), query=True)
    def count(self) -> int:
        """How many messages lie here."""
        return len(self.messages)

    @ioctl(RESET, value=c_int)
    def reset(self, number: int) -> None:
        """Empty."""
        self.messages.clear()
        self.wake()

    @ioctl(IOR("S", 11, c_int))
    def take(self) -> Any:
        """The length of the oldest message, when there is one."""
        if not self.messages:
            return WAIT
        message = self.messages.popleft()
        self.wake()
        return c_int(len(message))


class Records(Device):
    """Each open is a stream of records of 8 bytes, which an ioctl sends: their numbers."""

    def open(self, flags: int) -> File:
        """A stream that begins with 0."""
        return RecordsFile()


class RecordsFile(Stream):
    """One open of Records."""

    record = 8
    number = 0

    @ioctl(RESET, value=c_int)
    def push(self, count: int) -> None:
        """Send so many records."""
        self.send(b"".join(number.to_bytes(8, "little") for number in range(self.number, self.number + count)))
        self.number += count

    @ioctl(IO("S", 8))
    def count(self) -> int:
        """How many were sent."""
        return self.number


class Echo(Serial):
    """Says what it hears."""

    def received(self, data: bytes) -> None:
        """Say it again."""
        self.send(data)


def carriers(registry: Any) -> int:
    """How many carriers the registry knows."""
    inodes = memoryview(registry._map)[registry.head.carriers_at :].cast("Q")
    return sum(inode > 1 for inode in inodes[: wire.MAX_CARRIERS * ENTRY : ENTRY].tolist())


class Health(Device):
    """What the host holds: where nothing is open any more, as much as before."""

    def write(self, data: bytes) -> None:
        """Let the host take notice of all closes and deaths."""
        host: Any = self._plug.host
        host.settle_ends()

    def read(self, size: int) -> bytes:
        """Counts, as a line of JSON."""
        host: Any = self._plug.host
        host.settle_ends()
        for point in host.waits._points.values():  # whose waiter has gone goes when the next one comes
            point._ends = [end for end in point._ends if not hung_up(end)]
        gc.collect()
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        counts = {
            "descriptors": len(os.listdir("/proc/self/fd")),
            "files": sum(file is not None for file in host.files),
            "promised": len(host.promises),
            "carriers": carriers(host.registry),
            "trusted": len(host.bootstrap._trusted),
            "failures": len(host.failures),
            "mappings": Path("/proc/self/maps").read_text().count("/memfd:devshim-channel"),
            "rss": int(status["RssAnon"].split()[0]),
        }
        return (json.dumps(counts) + "\n").encode()[:size]
