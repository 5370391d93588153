"""The stub of a disk: what it holds where the program read, and a file with a position."""

from __future__ import annotations

from devshim.trace.event import Event
from devshim.trace.stub.i2c import segment_after
from devshim.trace.stub.literals import bytes_literal, listed

BLKGETSIZE64 = 0x80081272
BLOCK = 512
MOST = 1 << 20  # bytes of content that are written down


def content(events: list[Event]) -> tuple[dict[int, bytes], int, int]:
    """What was on the disk before anything was written: blocks by offset; its size; and how many bytes are left out."""
    disk: dict[int, bytes] = {}
    written: set[int] = set()
    positions: dict[int, int] = {}
    size = 0
    for event in events:
        at = event.offset if event.offset is not None and event.name != "lseek" else positions.get(event.file, 0)
        if event.name in ("read", "pread") and event.error is None:
            note(disk, written, at, event.data)
        elif event.name in ("write", "pwrite") and event.error is None:
            written.update(range(at // BLOCK, (at + max(event.result, 0) + BLOCK - 1) // BLOCK))
        elif event.name == "lseek" and event.error is None:
            positions[event.file] = event.result
            if event.operation == "SEEK_END" and not event.offset:
                size = max(size, event.result)
            continue
        elif event.name == "ioctl" and event.request == BLKGETSIZE64:
            size = max(size, int.from_bytes(segment_after(event, 0), "little"))
        if event.name in ("read", "write") and event.error is None:
            positions[event.file] = at + max(event.result, 0)
            size = max(size, positions[event.file])
        elif event.name == "pread":
            size = max(size, at + len(event.data))
    kept: dict[int, bytes] = {}
    room = MOST
    for offset, data in sorted(disk.items()):
        if data.strip(b"\0") and room >= len(data):
            kept[offset] = data
            room -= len(data)
    left_out = sum(len(data) for offset, data in disk.items() if data.strip(b"\0") and offset not in kept)
    return joined(kept), size, left_out


def note(disk: dict[int, bytes], written: set[int], at: int, data: bytes) -> None:
    """Keep what was read, by blocks, unless it had been written before."""
    for offset in range(at - at % BLOCK, at + len(data), BLOCK):
        if offset // BLOCK in written:
            continue
        old = disk.get(offset, bytes(BLOCK))
        first, last = max(offset, at), min(offset + BLOCK, at + len(data))
        disk[offset] = old[: first - offset] + data[first - at : last - at] + old[last - offset :]


def joined(blocks: dict[int, bytes]) -> dict[int, bytes]:
    """Blocks that follow each other, as one; without zeros at the end."""
    found: dict[int, bytes] = {}
    start = None
    for offset, data in blocks.items():
        if start is not None and start + len(found[start]) == offset:
            found[start] += data
        else:
            start = offset
            found[start] = data
    return {offset: data.rstrip(b"\0") for offset, data in found.items()}


def file_class(name: str) -> list[str]:
    """The lines of the class of an open file."""
    return [
        "def __init__(self, disk):",
        "    self.disk = disk",
        "    self.position = 0",
        "    self.turns = disk.turns",
        "",
        "def read(self, size):",
        "    data = self.pread(size, self.position)",
        "    self.position += len(data)",
        "    return data",
        "",
        "def pread(self, size, offset):",
        "    return bytes(self.disk.image[offset : offset + size])",
        "",
        "def write(self, data):",
        "    taken = self.pwrite(data, self.position)",
        "    self.position += taken",
        "    return taken",
        "",
        "def pwrite(self, data, offset):",
        "    if offset >= len(self.disk.image):",
        "        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))",
        "    data = data[: len(self.disk.image) - offset]",
        "    self.disk.image[offset : offset + len(data)] = data",
        "    return len(data)",
        "",
        "def seek(self, offset, whence):",
        "    position = offset + (0, self.position, len(self.disk.image))[whence] if whence < 3 else -1",
        "    if not 0 <= position <= len(self.disk.image):",
        "        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))",
        "    self.position = position",
        "    return position",
    ]


def disk_class(name: str, events: list[Event]) -> list[str]:
    """The lines of the class of the disk, behind its settings."""
    held, size, left_out = content(events)
    rows = [f"{offset}: {bytes_literal(data)}" for offset, data in held.items()]
    note = [f"# fill in: {left_out} bytes that the program read are left out here."] if left_out else []
    return [
        "seekable = True",
        "",
        *note,
        "# What is on it, by offset; all else is 0.",
        f"content = {listed(rows, 4, '{', '}')}",
        "",
        "def setup(self):",
        f"    self.image = bytearray({size})",
        "    for offset, data in self.content.items():",
        "        self.image[offset : offset + len(data)] = data",
        "",
        "def open(self, flags):",
        f"    return _{name}File(self)",
    ]
