"""Event: one call of a program on a device, with its answer; and what a trace says beside events."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: The bytes behind one pointer of an ioctl's argument; None: NULL, or (after) unchanged.
Segment = bytes | None


class Event:
    """One call, as it stands in a line of a trace (traces/README.md has each member's meaning).

    name      the call: open, inherit, read, write, pread, pwrite, lseek, ioctl, poll, close, mmap, flock, ...
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
    position  of that line's first byte in the (unpacked) file: where Trace.events() can begin again
    alike     the same number for events that one reading found to differ only in time and took; 0: not known
    times     the bytes of time and took in the line, where they are made numbers only when asked for; else None
    """

    # Defaults are the class's, so that an event costs only what it has; a million of them are read in seconds.
    name: str
    node: str = ""
    file: int = 0
    process: int = 1
    thread: int = 1
    result: int = 0
    error: str | None = None
    data: bytes = b""
    size: int = 0
    offset: int | None = None
    flags: int = 0
    mode: int = 0
    request: int = 0
    label: str | None = None
    argument: int | None = None
    before: list[Segment] | None = None
    after: list[Segment] | None = None
    new_file: int = 0
    place: int | None = None
    asked: int = 0
    ready: int = 0
    timeout: float | None = None
    operation: str = ""
    pointers: tuple[int, ...] = ()
    incomplete: bool = False
    finished: bool = True
    since: int | None = None
    time: float | None = None
    took: float | None = None
    number: int = 0
    line: int = 0
    position: int = 0
    alike: int = 0
    times: tuple[bytes, bytes] | None = None

    def __init__(self, name: str, node: str = "", file: int = 0, **members: Any) -> None:
        self.name = name
        self.node = node
        self.file = file
        for member, value in members.items():
            if member not in MEMBERS:
                raise TypeError(f"an event has no member {member!r}")
            setattr(self, member, value)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("node", "file", "result", "error", "data"))
        return f"<Event {self.number} {self.name} {shown}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in MEMBERS if name not in NOWHERE)

    __hash__ = None  # type: ignore[assignment]


MEMBERS = tuple(Event.__annotations__)
NOWHERE = ("position", "alike", "times")  # members that say nothing of the call


class Later:
    """time, or took, of an event that has only their digits: a number when it is first asked for.

    As it has no __set__, a number in the event's own dictionary comes before it.
    """

    def __init__(self, name: str, place: int) -> None:
        self._name = name
        self._place = place

    def __get__(self, event: Event | None, owner: object = None) -> float | None:
        if event is None or event.times is None:
            return None
        value = event.__dict__[self._name] = float(event.times[self._place])
        return value


Event.time = Later("time", 0)  # type: ignore[assignment]
Event.took = Later("took", 1)  # type: ignore[assignment]


class Said:
    """What a trace says beside events; equal to what says the same.

    Plain classes: importing dataclasses takes longer than importing all that replays a trace.
    """

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


class SysFile(Said):
    """A file of /sys that does not just hold what everybody may read.

    content  what it shows
    mode     permission bits
    failure  name of the errno with which a read fails; "" where it does not
    writes   what was written at once, each with the name of the errno that this got; "" where it was taken
    """

    def __init__(
        self, content: bytes = b"", mode: int = 0o444, failure: str = "", writes: dict[bytes, str] | None = None
    ) -> None:
        self.content = content
        self.mode = mode
        self.failure = failure
        self.writes: dict[bytes, str] = {} if writes is None else writes


class Node(Said):
    """A node as a trace describes it.

    kind         "tty", "block" or "char"; "sysfs" for a folder of /sys where nothing under /dev was opened
    rdev         major and minor number, as st_rdev has them
    mode         permission bits
    surroundings what /sys and /run/udev show of it, by absolute path: bytes of a file, SysFile, or Link (model)
    """

    def __init__(
        self,
        path: str,
        kind: str = "char",
        rdev: tuple[int, int] = (0, 0),
        mode: int = 0o666,
        surroundings: dict[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.kind = kind
        self.rdev = rdev
        self.mode = mode
        self.surroundings: dict[str, Any] = {} if surroundings is None else surroundings


class Header(Said):
    """What a trace says of itself.

    by        name and version of what wrote it
    made      how: "record", "strace", "umockdev", ...
    machine   as uname -m; word: bytes of a pointer; order: "little" or "big"
    program   name of the recorded program; command: its arguments, empty unless they were asked for
    stable    whether times are left out
    nodes     by path
    ioctls    descriptions by request number, as JSON objects (trace/description.py makes and reads them)
    """

    def __init__(
        self,
        by: str = "",
        made: str = "record",
        machine: str = "x86_64",
        word: int = 8,
        order: str = "little",
        program: str = "",
        command: list[str] | None = None,
        stable: bool = False,
        nodes: dict[str, Node] | None = None,
        ioctls: dict[int, dict[str, Any]] | None = None,
    ) -> None:
        self.by = by
        self.made = made
        self.machine = machine
        self.word = word
        self.order = order
        self.program = program
        self.command: list[str] = [] if command is None else command
        self.stable = stable
        self.nodes: dict[str, Node] = {} if nodes is None else nodes
        self.ioctls: dict[int, dict[str, Any]] = {} if ioctls is None else ioctls
