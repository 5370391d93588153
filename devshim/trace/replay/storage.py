"""A replayed disk: what is read and written counts by content, wherever calls begin and end.

A read that was recorded so is answered as recorded; any other from what the trace tells of the disk's content, as far
as the program has done the writes that came before.
"""

from __future__ import annotations

import errno
import os

from devshim.model.device import POLLIN, POLLOUT, File
from devshim.trace.event import Event, Node
from devshim.trace.replay.ahead import Entry, Rules
from devshim.trace.replay.course import Course
from devshim.trace.replay.device import Replayed
from devshim.trace.replay.file import WHENCE, ReplayFile, error_of
from devshim.trace.replay.image import Image
from devshim.trace.replay.matching import Kind, kind_of
from devshim.trace.replay.opens import Opens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from devshim.trace.replay.replay import Replay
    from devshim.trace.replay.source import Feed, Source

BLKGETSIZE64, BLKGETSIZE = 0x80081272, 0x1260
SECTOR = 512


def kind_on_disk(event: Event) -> Kind:
    """What an event means for the order of others: reads, writes and positions have their own (StorageCourse)."""
    if event.name in ("read", "pread", "write", "pwrite", "lseek"):
        return Kind.READ
    return kind_of(event)


class StorageCourse(Course):
    """What is to come on a disk: its content, and the calls that are no reads or writes.

    size  of the disk, once it is known
    """

    def __init__(self, source: Source, feed: Feed, rules: Rules, see: Callable[[Event], object]) -> None:
        super().__init__(source, feed, rules, see, kind_on_disk)
        self.image = Image()
        self.size: int | None = None
        self._positions: dict[int, int] = {}
        self._left: dict[int, list[tuple[int, int]]] = {}  # of a write: what the program has not written of it yet

    def _append(self, event: Event) -> None:
        """Know where each read and write was, as it is met."""
        name = event.name
        if name in ("read", "write") and event.error is None:
            event.offset = self._positions.get(event.file, 0)
            self._positions[event.file] = event.offset + event.result
        elif name == "lseek" and event.error is None:
            self._positions[event.file] = event.result
            if event.operation == "SEEK_END" and not event.offset:
                self.size = event.result
        elif event.request in (BLKGETSIZE64, BLKGETSIZE) and event.after and event.after[0]:
            count = int.from_bytes(event.after[0][:8], "little")
            self.size = count if event.request == BLKGETSIZE64 else count * SECTOR
        if name in ("read", "pread") and event.error is None and event.result < event.size:
            self.size = max(self.size or 0, (event.offset or 0) + event.result)
        if name in ("write", "pwrite") and event.error is None:
            start = event.offset or 0
            self._left[event.number] = [(start, start + event.result)]
        super()._append(event)

    def moves(self, *names: str) -> Iterator[tuple[int, Entry]]:
        """The reads and writes that are to come, with their places."""
        for index, entry in enumerate(self.entries()):
            if entry.kind == Kind.READ and entry.event.name in names:
                yield index, entry

    def read(self, offset: int, size: int) -> Event | bytes | None:
        """The recorded read of these bytes, else the bytes as far as they are known; None where they are not."""
        writes: list[tuple[int, int]] = []
        unread = b""
        for index, entry in self.moves("read", "pread", "write", "pwrite"):
            event = entry.event
            at = event.offset or 0
            if event.name in ("write", "pwrite"):
                writes.append((at, at + len(event.data)))
            elif at == offset and event.size == size and not overlaps(writes, at, at + size):
                self.take_data(index)
                self.image.put(at, event.data)
                return event
        for _, entry in list(self.moves("read", "pread", "write", "pwrite")):
            event = entry.event
            if event.name in ("write", "pwrite"):
                break
            self.image.put_unknown(event.offset or 0, event.data)
        unread = self.image.get(offset, size)
        end = self.size
        if not unread and size and (end is None or offset < end):
            return None
        self._use(offset, offset + len(unread))
        return unread

    def _use(self, start: int, end: int) -> None:
        """The program has read this: recorded reads that are whole in it are done."""
        done = []
        for index, entry in self.moves("read", "pread", "write", "pwrite"):
            event = entry.event
            if event.name in ("write", "pwrite"):
                break
            if ((event.offset or 0) < end and (event.offset or 0) + len(event.data) > start) or not event.data:
                done.append(index)
        for index in reversed(done):
            self.take_data(index)

    def write(self, offset: int, data: bytes) -> tuple[int, Event | None]:
        """Compare what is written with what was recorded: how many bytes are alike, and the event that they are not.

        The event is that with other bytes, or one that failed so; None where nothing was recorded there.
        """
        end = offset + len(data)
        missing = [(offset, end)]
        done: list[int] = []
        for index, entry in self.moves("write", "pwrite"):
            event = entry.event
            at = event.offset or 0
            if event.error is not None:
                if at == offset and event.data == data:
                    self.take_data(index)
                    return 0, event
                continue
            left = self._left[event.number]
            for start, stop in meeting(left, missing):
                given, recorded = data[start - offset : stop - offset], event.data[start - at : stop - at]
                if given != recorded:
                    alike = next(
                        place for place, (one, other) in enumerate(zip(given, recorded, strict=True)) if one != other
                    )
                    return start - offset + alike, event
                missing = without(missing, start, stop)
                left = without(left, start, stop)
            self._left[event.number] = left
            if not left:
                done.append(index)
            if not missing:
                break
        for index in reversed(done):
            self._left.pop(self.take_data(index).number, None)
        if missing:
            return missing[0][0] - offset, None
        self.image.put(offset, data)
        return len(data), None


def overlaps(runs: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of some runs meets another."""
    return any(one < end and start < other for one, other in runs)


def meeting(runs: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where runs of both lists meet."""
    pairs = ((max(a, c), min(b, d)) for a, b in runs for c, d in others)
    return sorted({(start, end) for start, end in pairs if start < end})


def without(runs: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Runs less one that is cut out of them."""
    cut = []
    for one, other in runs:
        cut += [piece for piece in ((one, min(other, start)), (max(one, end), other)) if piece[0] < piece[1]]
    return cut


class StorageFile(ReplayFile):
    """One open of a disk, with a position of its own."""

    course: StorageCourse

    def __init__(self, recorded: Any, course: StorageCourse, number: int) -> None:
        super().__init__(recorded, course, number)
        self._position = 0

    def read(self, size: int) -> Any:
        """At the file's position."""
        data = self.pread(size, self._position)
        self._position += len(data)
        return data

    def pread(self, size: int, offset: int) -> Any:
        """What is there."""
        self.replay.calls += 1
        found = self.course.read(offset, size)
        if isinstance(found, Event):
            self.replay.came_to(found)
            if found.error is not None:
                raise error_of(found)
            return found.data
        if found is None:
            if (instead := self.other()) is not None:
                return instead.pread(size, offset)
            call = Event("pread", self.recorded.path, self.number, size=size, offset=offset)
            raise self.replay.missed(self.course, call, f"nothing is recorded of the {size} bytes at {offset}")
        return found

    def write(self, data: bytes) -> Any:
        """At the file's position."""
        taken = self.pwrite(data, self._position)
        self._position += len(data) if taken is None else taken
        return taken

    def pwrite(self, data: bytes, offset: int) -> Any:
        """What was recorded to be written there."""
        self.replay.calls += 1
        alike, event = self.course.write(offset, data)
        if event is not None and event.error is not None:
            raise error_of(event)
        if event is not None or alike < len(data):
            if (instead := self.other()) is not None:
                return instead.pwrite(data, offset)
            call = Event("pwrite", self.recorded.path, self.number, data=data, offset=offset)
            where = f"byte {alike} of what is written at {offset}, at {offset + alike}"
            why = f"{where}, is not what was recorded" if event is not None else f"{where}, was never recorded"
            raise self.replay.missed(self.course, call, why)
        self.replay.came_to_last()
        return None

    def seek(self, offset: int, whence: int) -> int:
        """As a disk does; its end is known from the trace."""
        position = self._sought(offset, whence)
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = position
        return position

    def _sought(self, offset: int, whence: int) -> int:
        if whence == os.SEEK_SET:
            return offset
        if whence == os.SEEK_CUR:
            return self._position + offset
        for index, entry in self.course.moves("lseek"):
            event = entry.event
            if event.operation == WHENCE[whence] and event.offset == offset:
                self.course.take_data(index)
                if event.error is not None:
                    raise error_of(event)
                return event.result
        if whence == os.SEEK_END and self.course.size is not None:
            return self.course.size + offset
        call = Event("lseek", self.recorded.path, self.number, offset=offset, operation=WHENCE[whence])
        raise self.replay.missed(self.course, call, "the trace does not tell where that leads")

    def poll(self) -> int:
        """A disk is always ready."""
        return POLLIN | POLLOUT


class ReplayStorage(Replayed):
    """A disk: all its files have one content."""

    carrier = "raw"
    seekable = True

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        super().begin(replay, node)
        source = replay.source
        self.course = StorageCourse(source, source.together[node.path], replay.rules, self.requests.see)
        self.opens = Opens(source.opens[node.path])
        replay.add_course(0, self.course, node.path)

    def left_alone(self, file: ReplayFile) -> None:
        """Nobody has a file of ours open any more, which does not matter to a disk."""

    def open(self, flags: int) -> File:
        """The file that was opened so at the recording."""
        self.replay.calls += 1
        call = Event("open", self.path, flags=flags)
        event = self.opens.take(call, self.replay.rules)
        if event is None:
            event = self.opens.again(call, self.replay.rules)
            if event is None:
                raise self.replay.refused(call, self.opens.near())
            if event.error is None:
                self.replay.opened_again(event)
        self.replay.came_to(event)
        if event.error is not None:
            raise error_of(event)
        return StorageFile(self, self.course, event.file)
