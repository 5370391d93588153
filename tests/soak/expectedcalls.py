"""What reads, writes and ioctls on devices.py must answer: the other half of expected.World."""

from __future__ import annotations

import errno
import zlib

from tests.soak.expected import (
    CELL_SIZE,
    EDGE,
    MOST,
    QUEUE_ROOM,
    READING,
    WRITING,
    Description,
    Expected,
    Fails,
    Process,
    Waits,
    World,
    pattern,
)

GUARD = bytes([0xA5]) * 64


class Calls(World):
    """All that actors can do."""

    # ---- read and write: VAR SIZE ADDRESS PARTS OFFSET SEED

    def do_read(
        self, actor: int, process: Process, variable: int, size: int, address: int, parts: int, offset: int, seed: int
    ) -> Expected:
        """read(2), readv(2), pread(2), preadv(2)."""
        if offset < -1:
            raise Fails(errno.EINVAL)
        description = self.at(process, variable)
        if description.node == "records0" and offset >= 0:
            raise Fails(errno.ESPIPE)
        if description.access not in READING:
            raise Fails(errno.EBADF)
        data = self.taken(description, size, offset, address)
        if len(data) > reach(address, writing=True) and description.node != "null":
            raise Fails(errno.EFAULT)
        return Expected(len(data), crc=zlib.crc32(data) if address in (0, 3) else 0)

    def taken(self, description: Description, size: int, offset: int, address: int) -> bytes:
        """The bytes that a read takes out of a device."""
        if description.node == "zero":
            return bytes(size)
        size = min(size, MOST)
        if description.node in self.cells:
            at = description.position if offset < 0 else offset
            data = bytes(self.cells[description.node][at : at + size])
            description.position += len(data) if offset < 0 else 0
            return data
        if description.node in self.queues:
            queue = self.queues[description.node]
            if not queue:
                description.asked, description.stale = True, self.ready(description)
                self.wait(description)
            data = queue.popleft()[:size]
            self.changed(description)
            return data
        if description.node == "records0":
            return self.records(description, size, address)
        return b""

    def records(self, description: Description, size: int, address: int) -> bytes:
        """Whole records; what cannot be copied stays."""
        if not size:
            return b""
        if size < 8:
            raise Fails(errno.EINVAL)
        if not description.unread:
            self.wait(description)
        if reach(address, writing=True) < 8:
            raise Fails(errno.EFAULT)
        count = min(size // 8, len(description.unread))
        return b"".join(description.unread.popleft().to_bytes(8, "little") for _ in range(count))

    def do_write(
        self, actor: int, process: Process, variable: int, size: int, address: int, parts: int, offset: int, seed: int
    ) -> Expected:
        """write(2), writev(2), pwrite(2), pwritev(2)."""
        if offset < -1:
            raise Fails(errno.EINVAL)
        description = self.at(process, variable)
        if description.access not in WRITING:
            raise Fails(errno.EBADF)
        if description.node in ("zero", "null"):
            return Expected(size)
        given = min(size, MOST)
        if given > reach(address, writing=False):
            raise Fails(errno.EFAULT)
        data = bytes(given) if address == 4 else pattern(given, seed)
        return Expected(self.given(description, data, offset))

    def given(self, description: Description, data: bytes, offset: int) -> int:
        """How much of it a device takes."""
        if description.node in self.cells:
            at = description.position if offset < 0 else offset
            room = max(CELL_SIZE - at, 0)
            if data and not room:
                raise Fails(errno.ENOSPC)
            data = data[:room]
            self.cells[description.node][at : at + len(data)] = data
            description.position += len(data) if offset < 0 else 0
            return len(data)
        if description.node in self.queues:
            queue = self.queues[description.node]
            if len(queue) >= QUEUE_ROOM:
                description.stale = self.ready(description)
                self.wait(description)
            queue.append(data)
            self.changed(description)
            return len(data)
        raise Fails(errno.EINVAL)

    def wait(self, description: Description) -> None:
        """Nothing yet."""
        raise Fails(errno.EAGAIN) if description.nonblock else Waits

    # ---- ioctl: VAR KIND WORD ADDRESS MORE

    def do_ioctl(
        self, actor: int, process: Process, variable: int, kind: int, word: int, address: int, more: int
    ) -> Expected:
        """What devices.py says to each."""
        description = self.at(process, variable)
        family = description.node[:-1] if description.node[-1].isdigit() else description.node
        method = getattr(self, f"{family}_{kind}", None)
        if method is None:
            crc = 0
            if kind == 3 and address == 0:
                crc = zlib.crc32(pattern(word, word) + GUARD) ^ more
            elif kind == 6:
                crc = self.items_crc(word, turned=False)
            return Expected(-1, errno.ENOTTY, crc)
        return method(process, description, word, address, more)  # type: ignore[no-any-return]

    def cell_1(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """IOR of 16 bytes."""
        if reach(address, writing=True) < 16:
            raise Fails(errno.EFAULT)
        return Expected(0, crc=(42 + description.position) & 0xFFFFFFFF if address == 0 else 0)

    def cell_2(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """IOW of 8 bytes."""
        if reach(address, writing=False) < 8:
            raise Fails(errno.EFAULT)
        word = 0 if address == 4 else word
        if not 0 <= word <= CELL_SIZE:
            raise Fails(errno.ERANGE)
        description.position = word
        return Expected(0)

    def cell_3(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """A pointer to bytes, both ways."""
        before = pattern(word, word)
        if word > reach(address, writing=False):
            return Expected(-1, errno.EFAULT)
        crc = zlib.crc32(before + GUARD) ^ more if address == 0 else 0
        if more == 13:
            return Expected(-1, errno.EPROTO, crc)
        if word > reach(address, writing=True):
            return Expected(-1, errno.EFAULT)
        after = bytes(byte ^ 0x5A for byte in before[:64]) + before[64:]
        return Expected(word, crc=zlib.crc32(after + GUARD) ^ (more + 1) if address == 0 else 0)

    def cell_4(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """By value."""
        if word < 0:
            raise Fails(errno.EDOM)
        return Expected(word & 0xFF)

    def cell_5(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """A new file."""
        return self.put(process, more, Description(description.node, 2, False), True)

    def cell_6(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """Structures with pointers behind a pointer."""
        return Expected(word, crc=self.items_crc(word, turned=True))

    def items_crc(self, count: int, turned: bool) -> int:
        """Of all items, before or after."""
        whole = b""
        for index in range(count):
            length = index * 3 if turned else 0
            data = pattern(64, index)
            whole += bytes(byte ^ 0x5A for byte in data[:length]) + data[length:]
        return zlib.crc32(whole) ^ (sum(index * 3 for index in range(count)) if turned else 0)

    def cell_8(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """How many are open."""
        return Expected(sum(one is not None and one.node == description.node for one in self.open_ones()))

    def cell_10(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """Begin anew."""
        self.cells[description.node][:] = pattern(CELL_SIZE)
        return Expected(0)

    def queue_8(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """How many messages."""
        description.stale = self.ready(description)
        return Expected(len(self.queues[description.node]))

    def queue_10(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """Empty."""
        self.queues[description.node].clear()
        self.changed(description)
        return Expected(0)

    def queue_11(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """The length of the oldest message; an ioctl waits unless the file is O_NONBLOCK."""
        queue = self.queues[description.node]
        if not queue:
            self.wait(description)
        length = len(queue.popleft())
        self.changed(description)
        return Expected(0, crc=length)

    def records_8(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """How many were sent."""
        return Expected(description.sent)

    def records_10(self, process: Process, description: Description, word: int, address: int, more: int) -> Expected:
        """Send some."""
        description.unread.extend(range(description.sent, description.sent + word))
        description.sent += word
        return Expected(0)

    # ---- A serial port: VAR SIZE SEED

    def do_echo(self, actor: int, process: Process, variable: int, size: int, seed: int) -> Expected:
        """Goes out and comes back."""
        if self.at(process, variable).node != "ttyS90":
            raise Fails(errno.ENOTTY)
        return Expected(size, crc=zlib.crc32(pattern(size, seed)))


def reach(address: int, writing: bool) -> int:
    """How many bytes lie at an address of a kind (programs/operations.c)."""
    return {0: 1 << 30, 3: EDGE, 4: 0 if writing else 4096}.get(address, 0)
