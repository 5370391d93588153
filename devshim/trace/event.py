"""Event: one call of a program on a device, with its answer; and what a trace says beside events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The bytes behind one pointer of an ioctl's argument; None where the pointer was NULL, or (after) where they stayed as they were.
Segment = bytes | None


class Event:
    """One call, as it stands in a line of a trace (traces/README.md has each member's meaning).

    name      the call: open, inherit, read, write, pread, pwrite, lseek, ioctl, poll, close, mmap, flock, fcntl, fsync, ...
    node      path of the node that the file is open on
    file      number of the open file, from 1, in the order of their opens; 0 where an open failed
    process, thread  by first appearance, from 1; threads within their process
    result    what the call returned; -1 where it failed
    error     the errno's name where it failed, else None
    data      bytes that were read (also short ones), or that were given to a write; else b""
    size      bytes asked for (read, pread, mmap), else 0
    offset    position (pread, pwrite, lseek, mmap), else None
    flags     of open, as a number; of others: whence, operation, asked poll bits: see `operation`, `asked`
    request   number of an ioctl, else 0
    label     its name where a description knows it, else None
    argument  its argument where that is passed by value, else None
    before    memory behind its argument when it was called: segment 0 is the argument itself, the others stand in the
              order of struct segments in shim/wire.h; None where the program hands nothing in.  Where memory holds a
              pointer, the pointer's bytes are 0 for NULL, else the number of the (first) segment that it points to.
    after     the same when it returned; an element is None where it stayed as it was; None where all did
    new_file  number of the file whose descriptor the ioctl returned or put into its argument, else 0
    place     offset of that descriptor's number in the argument; None where it is the result
    asked, ready  poll bits, as numbers
    timeout   of a poll, in seconds; None: for ever
    operation text of what flock, fcntl, lseek (whence) or mmap (protection) was asked to do
    pointers  offsets in the argument that look like pointers which nobody described
    incomplete  whether memory that the call passed is missing in the trace
    finished  False for a call that never returned: its program was killed in it
    since     how many events of the trace had ended when this one began; None: all before it
    time      seconds from the trace's start to the call's begin; None in a stable trace
    took      seconds that the call took; None in a stable trace
    number    of the event in its trace, from 1
    line      in the file, from 1
    """

    __slots__ = (
        "after", "argument", "asked", "before", "data", "error", "file", "finished", "flags", "incomplete", "label",
        "line", "mode", "name", "new_file", "node", "number", "offset", "operation", "place", "pointers", "process",
        "ready", "request", "result", "since", "size", "thread", "time", "timeout", "took",
    )  # fmt: skip

    def __init__(self, name: str, node: str = "", file: int = 0, **members: Any) -> None:
        self.name = name
        self.node = node
        self.file = file
        self.process = self.thread = 1
        self.result = 0
        self.error: str | None = None
        self.data = b""
        self.size = self.flags = self.mode = self.request = self.new_file = self.asked = self.ready = 0
        self.offset: int | None = None
        self.label: str | None = None
        self.argument: int | None = None
        self.before: list[Segment] | None = None
        self.after: list[Segment] | None = None
        self.place: int | None = None
        self.timeout: float | None = None
        self.operation = ""
        self.pointers: tuple[int, ...] = ()
        self.incomplete = False
        self.finished = True
        self.since: int | None = None
        self.time: float | None = None
        self.took: float | None = None
        self.number = self.line = 0
        for member, value in members.items():
            setattr(self, member, value)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("node", "file", "result", "error", "data"))
        return f"<Event {self.number} {self.name} {shown}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Node:
    """A node as a trace describes it.

    kind         "tty", "block" or "char"
    rdev         major and minor number, as st_rdev has them
    mode         permission bits
    surroundings what /sys and /run/udev show of it, by absolute path: bytes of a file, or Link (model/device.py)
    """

    path: str
    kind: str = "char"
    rdev: tuple[int, int] = (0, 0)
    mode: int = 0o666
    surroundings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Header:
    """What a trace says of itself.

    by        name and version of what wrote it
    made      how: "record", "strace", "umockdev", ...
    machine   as uname -m; word: bytes of a pointer; order: "little" or "big"
    program   name of the recorded program; command: its arguments, empty unless they were asked for
    stable    whether times are left out
    nodes     by path
    ioctls    descriptions by request number, as JSON objects (trace/description.py makes and reads them)
    """

    by: str = ""
    made: str = "record"
    machine: str = "x86_64"
    word: int = 8
    order: str = "little"
    program: str = ""
    command: list[str] = field(default_factory=list)
    stable: bool = False
    nodes: dict[str, Node] = field(default_factory=dict)
    ioctls: dict[int, dict[str, Any]] = field(default_factory=dict)
