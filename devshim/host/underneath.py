"""What lies beneath a computed device's file: the real descriptor from which the answer REAL comes.

It is the one that the file holds as `real`, or the node's own hardware, opened when it is first needed.  Nothing here
blocks: where the system has nothing yet, the loop looks out for it and wakes the file.
"""

from __future__ import annotations

import errno
import os
import select

from devshim import real
from devshim.host import wire
from devshim.host.segments import SEGMENT, SEGMENT_WRITE, SEGMENTS, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.answering import Answer
    from devshim.host.files import OpenFile

OPENED_WITH = os.O_ACCMODE | os.O_APPEND | os.O_SYNC | os.O_DSYNC | os.O_DIRECT


class Underneath:
    """The real descriptor of one open file."""

    def __init__(self, open_file: OpenFile) -> None:
        self._file = open_file
        self._fd = -1
        self._waits_for = 0

    def descriptor(self) -> int:
        """The descriptor.  Raises OSError where there is no real node, or it cannot be opened."""
        given: int | None = self._file.file.real
        if given is not None:
            return given
        if self._fd < 0:
            if not self._file.plug.has_node:
                raise OSError(errno.ENXIO, "nothing real is known of it; set `real` to a descriptor")
            flags = self._file.file.flags & OPENED_WITH
            self._fd = real.open(self._file.plug.node, flags | os.O_NONBLOCK | os.O_NOCTTY)
        return self._fd

    def read(self, size: int, offset: int) -> bytes | None:
        """What read(2) gives, or pread(2) at an offset of 0 or more; None: nothing yet, and the file will be woken."""
        fd = self.descriptor()
        if not self._is_ready(fd, select.POLLIN):
            return None
        return real.read(fd, size) if offset < 0 else real.pread(fd, size, offset)

    def write(self, data: bytes, offset: int) -> int | None:
        """How much write(2) or pwrite(2) took; None: it takes nothing yet."""
        fd = self.descriptor()
        if not self._is_ready(fd, select.POLLOUT):
            return None
        return real.write(fd, data) if offset < 0 else real.pwrite(fd, data, offset)

    def ioctl(self, request: int, argument: int, data: bytes) -> Answer:
        """The answer to an ioctl; its argument a number or flat, for pointers inside lead to the program's memory."""
        fd = self.descriptor()
        if not data:
            result = real.ioctl(fd, request, argument - (1 << 64) if argument >> 63 else argument)
            return (int(result), 0, 0, 0, None, wire.NO_PLACE)
        segments = parse(data)
        if len(segments) != 1:
            raise OSError(errno.EOPNOTSUPP, "an argument with pointers in it cannot be passed on")
        at, length, _ = segments[0]
        memory = bytearray(data[at : at + length])
        result = real.ioctl(fd, request, memory)
        answer = bytearray(data)
        answer[at : at + length] = memory
        SEGMENT.pack_into(answer, SEGMENTS.size, at, length, SEGMENT_WRITE, 0, length, 0)
        return (int(result), 0, 0, 0, bytes(answer), wire.NO_PLACE)

    def _is_ready(self, fd: int, event: int) -> bool:
        if real.poll(fd, event):
            return True
        loop = self._file.host.loop
        if self._waits_for:
            loop.unwatch(fd)
        self._waits_for |= event

        def arrived(events: int) -> None:
            loop.unwatch(fd)
            self._waits_for = 0
            self._file.wake()

        loop.watch(fd, self._waits_for, arrived)
        return False

    def close(self) -> None:
        """The file is closed."""
        fd = self._fd if self._file.file.real is None else self._file.file.real
        if fd < 0:
            return
        if self._waits_for:
            self._file.host.loop.unwatch(fd)
            self._waits_for = 0
        real.close(fd)
        self._fd = -1
