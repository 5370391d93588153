"""Makes events of a trace from the records that programs wrote into the ring (struct record of shim/wire.h).

Each call is two records, in the order of which all else follows: what overlapped, and what never returned.  What comes
out of the ring comes from strangers: whatever makes no sense is left out and counted.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.host import wire
from devshim.host.ringmemory import memory_after, memory_before
from devshim.trace.event import Event

if TYPE_CHECKING:
    from devshim.host.recorded import Recorded

HEAD = wire.RECORD.size
LARGEFILE = 0o100000  # what open64() adds; means nothing where files are large anyway
MOST = (1 << 63) - 1
LONGEST = 10**18  # ns; some thirty years
MOST_KEPT = 1 << 18
MOST_DATA = 1 << 30  # of one call, in pieces; more than any program reads at once


class Record(NamedTuple):
    """The head of a record, as it stands in the ring."""

    state: int
    length: int
    kind: int
    call: int
    number: int
    time: int
    process: int
    thread: int
    file: int
    device: int
    flags: int
    error: int
    data: int
    new_file: int
    first: int
    second: int
    third: int


class Begun:
    """A call that has begun: its first record, the data behind it, and how many events had ended then."""

    __slots__ = ("data", "ended", "more", "record", "size")

    def __init__(self, record: Record, data: bytes, ended: int) -> None:
        self.record = record
        self.data = data
        self.ended = ended
        self.more: list[bytes] = []
        self.size = 0  # of more


class Program(NamedTuple):
    """A process that takes part."""

    name: str
    process: int
    parent: int


class Assembler:
    """Puts records together.

    recorded  finds what is recorded by its index in the registry; None where there is no such
    started   the trace's start, on CLOCK_MONOTONIC, in ns
    ended     how many events have come out
    lost      how often which call could not be recorded, by (name, node)
    strange   records that made no sense
    """

    def __init__(self, recorded: Callable[[int], Recorded | None], started: int) -> None:
        self.recorded = recorded
        self.started = started
        self.ended = 0
        self.lost: Counter[tuple[str, str]] = Counter()
        self.strange = 0
        self.begun: dict[int, Begun] = {}
        self.known_programs: set[int] = set()

    def take(self, raw: bytes) -> Iterator[tuple[Recorded, Event, str] | Program]:
        """What a record completes: a process, or an event with what it is recorded of and the path it was opened by."""
        record = Record._make(wire.RECORD.unpack_from(raw))
        if record.data > len(raw) - HEAD:
            self.strange += 1
            return
        data = raw[HEAD : HEAD + record.data]
        if record.kind == wire.RECORD_BEGIN:
            self.begun[record.number] = Begun(record, data, self.ended)
        elif record.kind == wire.RECORD_END:
            yield from self.end(record, data)
        elif record.kind == wire.RECORD_MORE:
            self.more(record, data)
        elif record.kind == wire.RECORD_PROCESS:
            again = record.process in self.known_programs  # it has executed another program
            self.known_programs.add(record.process)
            name = "".join(letter if letter.isprintable() else "?" for letter in data[:255].decode(errors="replace"))
            yield Program(name, max(record.process, 1), 0 if again or record.first < 0 else record.first)
        elif record.kind == wire.RECORD_LOST:
            found = self.recorded(record.device)
            self.lost[data.decode(errors="replace"), found.node.path if found else "?"] += 1
        else:
            self.strange += 1

    def more(self, record: Record, data: bytes) -> None:
        """A further piece of data."""
        begun = self.begun.get(record.number)
        if begun is None or record.call != 1 or begun.size > MOST_DATA:
            self.strange += 1
            return
        begun.more.append(data)
        begun.size += len(data)

    def end(self, record: Record, data: bytes) -> Iterator[tuple[Recorded, Event, str]]:
        """A call has returned."""
        begun = self.begun.pop(record.number, None)
        recorded = self.recorded(record.device)
        if begun is None or recorded is None or begun.record.call not in MAKE:
            self.strange += 1
            return
        event = self.event(begun, recorded)
        event.file = record.file
        if record.error:
            event.error, event.result = errno.errorcode.get(record.error, UNNAMED.get(record.error, "EIO")), -1
        else:
            event.result = record.first
        data = b"".join([*begun.more, data])
        if (record.flags | begun.record.flags) & wire.RECORD_INCOMPLETE:
            data = self.lack(event, recorded, data)
        MAKE[begun.record.call](event, begun, record, data, recorded)
        event.took = seconds(record.time - begun.record.time)
        if begun.ended != self.ended:
            event.since = begun.ended
        self.ended += 1
        yield recorded, event, path_of(begun)

    def lack(self, event: Event, recorded: Recorded, data: bytes) -> bytes:
        """Memory that a call passed could not be read: the kernel has not looked at it either, as for /dev/null."""
        event.incomplete = event.name == "ioctl"
        if event.name not in ("read", "write") or event.result <= len(data):
            return data
        self.lost[event.name, recorded.node.path] += 1
        return data.ljust(min(event.result, MOST_DATA), b"\0")

    def event(self, begun: Begun, recorded: Recorded) -> Event:
        """What is the same for all calls."""
        record = begun.record
        event = Event(NAMES[record.call], recorded.node.path, record.file)
        event.process, event.thread = max(record.process, 1), max(record.thread, 1)
        event.time = seconds(record.time - self.started)
        return event

    def unfinished(self) -> Iterator[tuple[Recorded, Event, str]]:
        """At the end: the calls that never returned, because their programs were killed in them."""
        for number in sorted(self.begun):
            begun = self.begun[number]
            recorded = self.recorded(begun.record.device)
            if recorded is None or begun.record.call not in MAKE:
                continue
            event = self.event(begun, recorded)
            event.finished, event.result = False, -1
            nothing = begun.record._replace(kind=wire.RECORD_END, error=0, first=-1, new_file=0, data=0)
            MAKE[begun.record.call](event, begun, nothing, b"", recorded)
            event.result = -1
            if begun.ended != self.ended:
                event.since = begun.ended
            self.ended += 1
            yield recorded, event, path_of(begun)
        self.begun.clear()

    # ---- For whoever has to go on with it

    def state(self) -> dict[str, Any]:
        """What there is to know, for JSON; without calls that are in the middle of moving much data."""
        begun = [one for one in self.begun.values() if one.size <= MOST_KEPT]
        return {
            "ended": self.ended,
            "strange": self.strange,
            "programs": sorted(self.known_programs),
            "lost": [[*what, times] for what, times in self.lost.items()],
            "begun": [[[*one.record], one.data.hex(), b"".join(one.more).hex(), one.ended] for one in begun],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what state() said."""
        self.ended, self.strange = state["ended"], state["strange"]
        self.known_programs = set(state["programs"])
        self.lost = Counter({(name, node): times for name, node, times in state["lost"]})
        for head, data, more, ended in state["begun"]:
            begun = Begun(Record(*head), bytes.fromhex(data), ended)
            begun.more = [bytes.fromhex(more)]
            begun.size = len(begun.more[0])
            self.begun[begun.record.number] = begun


def seconds(nanoseconds: int) -> float:
    """A time; what only a program can have written that has no business in the ring is none."""
    return nanoseconds / 1e9 if 0 <= nanoseconds < LONGEST else 0.0


def size(number: int) -> int:
    """A size_t that travelled as a signed number."""
    return number if number >= 0 else MOST


def path_of(begun: Begun) -> str:
    """The path that a file was opened by; empty where that is not known."""
    return os.fsdecode(begun.data) if begun.record.call == wire.CALL_OPEN else ""


# ---- What each call has beside ------------------------------------------------------------------------


def make_open(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """open, inherit."""
    event.flags = begun.record.first & 0xFFFFFFFF & ~LARGEFILE
    if event.flags & (os.O_CREAT | os.O_TMPFILE & ~os.O_DIRECTORY):
        event.mode = begun.record.second & 0o7777
    event.result = -1 if event.error or not event.finished else 0


def make_read(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """read, pread."""
    event.size, event.data = size(begun.record.first), data
    event.result = len(data) if event.error is None and event.finished else -1
    at_offset(event, begun.record.second)


def make_write(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """write, pwrite."""
    event.data = data
    event.result = min(event.result, len(data))
    at_offset(event, begun.record.second)


def at_offset(event: Event, offset: int) -> None:
    """A call at a position of its own has another name."""
    if offset >= 0:
        event.name, event.offset = "p" + event.name, offset


def make_seek(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """lseek."""
    event.offset = begun.record.first
    event.operation = WHENCE.get(begun.record.second, str(begun.record.second))


def make_poll(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """poll and its kin."""
    event.asked = begun.record.first & 0xFFFF
    event.ready = event.result & 0xFFFF if event.result > 0 else 0
    event.timeout = None if begun.record.second < 0 else seconds(begun.record.second)
    event.result = -1 if event.error else 0


def make_mmap(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """mmap."""
    event.size, event.offset = size(begun.record.first), begun.record.second
    event.operation = f"{words(begun.record.third & 0xFFFFFFFF, PROTECTION)} {words(begun.record.third >> 32, MAPPING)}"


def make_flock(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """flock."""
    event.operation = words(begun.record.first, LOCKS)


def make_fcntl(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """Record locks of fcntl."""
    command, kind = begun.record.first, begun.record.second
    event.operation = f"{COMMANDS.get(command, str(command))} {LOCK_TYPES.get(kind, str(kind))}"


def make_size(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """ftruncate."""
    event.size = size(begun.record.first)


def make_nothing(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """close, fsync, fdatasync."""


def make_ioctl(event: Event, begun: Begun, end: Record, data: bytes, recorded: Recorded) -> None:
    """ioctl: the memory behind its argument, and the file that it opened."""
    event.request = begun.record.first & 0xFFFFFFFF
    description = recorded.descriptions.find(event.request)
    if description is not None:
        event.label = description.label
    if begun.record.flags & wire.RECORD_VALUE:
        if description is not None and description.value is not None:
            event.argument = int(description.value(begun.record.second).value)
        elif description is None and begun.record.third:
            event.incomplete, event.pointers = True, (0,)
        elif description is None:
            event.argument = begun.record.second & 0xFFFFFFFFFFFFFFFF
    else:
        memory_before(event, description, begun.data, begun.record.third)
        memory_after(event, description, begun.data, data, end.second if end.new_file else None, end.third)
    if end.new_file:
        event.new_file = end.new_file
        if end.second == wire.NO_PLACE:
            event.result = 0
        else:
            event.place = end.second


MAKE: dict[int, Callable[[Event, Begun, Record, bytes, Recorded], None]] = {
    wire.CALL_OPEN: make_open, wire.CALL_INHERIT: make_open, wire.CALL_READ: make_read, wire.CALL_WRITE: make_write,
    wire.CALL_SEEK: make_seek, wire.CALL_IOCTL: make_ioctl, wire.CALL_POLL: make_poll, wire.CALL_CLOSE: make_nothing,
    wire.CALL_MMAP: make_mmap, wire.CALL_FLOCK: make_flock, wire.CALL_FCNTL: make_fcntl,
    wire.CALL_FSYNC: make_nothing, wire.CALL_FDATASYNC: make_nothing, wire.CALL_FTRUNCATE: make_size,
}  # fmt: skip

NAMES = {
    wire.CALL_OPEN: "open", wire.CALL_INHERIT: "inherit", wire.CALL_READ: "read", wire.CALL_WRITE: "write",
    wire.CALL_SEEK: "lseek", wire.CALL_IOCTL: "ioctl", wire.CALL_POLL: "poll", wire.CALL_CLOSE: "close",
    wire.CALL_MMAP: "mmap", wire.CALL_FLOCK: "flock", wire.CALL_FCNTL: "fcntl", wire.CALL_FSYNC: "fsync",
    wire.CALL_FDATASYNC: "fdatasync", wire.CALL_FTRUNCATE: "ftruncate",
}  # fmt: skip

UNNAMED = {524: "EOPNOTSUPP"}  # ENOTSUPP, which the kernel should keep to itself (include/linux/errno.h)
WHENCE = {0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END", 3: "SEEK_DATA", 4: "SEEK_HOLE"}
PROTECTION = {"PROT_READ": mmap.PROT_READ, "PROT_WRITE": mmap.PROT_WRITE, "PROT_EXEC": mmap.PROT_EXEC}
MAPPING = {
    "MAP_SHARED": 0x1, "MAP_PRIVATE": 0x2, "MAP_FIXED": 0x10, "MAP_LOCKED": 0x2000, "MAP_NORESERVE": 0x4000,
    "MAP_POPULATE": 0x8000, "MAP_SYNC": 0x80000,
}  # fmt: skip
LOCKS = {"LOCK_SH": fcntl.LOCK_SH, "LOCK_EX": fcntl.LOCK_EX, "LOCK_UN": fcntl.LOCK_UN, "LOCK_NB": fcntl.LOCK_NB}
COMMANDS = {
    5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 36: "F_OFD_GETLK", 37: "F_OFD_SETLK", 38: "F_OFD_SETLKW",
}  # fmt: skip
LOCK_TYPES = {0: "F_RDLCK", 1: "F_WRLCK", 2: "F_UNLCK"}


def words(value: int, names: Mapping[str, int]) -> str:
    """Bits as C writes them; those without a name as one number, none as 0."""
    found = [name for name, bits in names.items() if value & bits]
    rest = value & ~sum(names.values())
    if rest or not found:
        found.append(f"{rest:#x}" if rest else "0")
    return "|".join(found)
