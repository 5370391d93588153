"""Does the calls of a trace one after the other, and says where the answers are others.

`devshim verify` runs it, as python -m devshim.trace.player TRACE, against the replay of the same trace, which must
answer as it says itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import Any

from devshim.model.description import Description
from devshim.trace.described import Described
from devshim.trace.event import Event, Segment
from devshim.trace.format.reader import Trace, TraceError
from devshim.trace.memory import leads, without_addresses
from devshim.trace.show import line

PATIENCE = 10.0  # seconds for one call
MOST_TOLD = 20
MOST_ARGUMENT = 1 << 14  # bytes that a request's number has room for
ASIDE = os.O_CREAT | os.O_EXCL | os.O_TRUNC

#: Calls that the kernel answers, whatever is replayed, and failures that depend on the moment.
KERNELS = ("mmap", "flock", "fcntl", "fsync", "fdatasync", "ftruncate", "poll")
MOMENTARY = ("EAGAIN", "EINTR", "ERESTARTSYS")


class Player:
    """Plays one trace.

    wrong  how many answers were others than recorded
    """

    def __init__(self, path: str) -> None:
        self.trace = Trace(path)
        self.path = path
        self.wrong = 0
        self._described = Described(self.trace.header)
        self._fds: dict[int, int] = {}
        self._came: dict[int, bytes] = {}
        self._last: dict[int, int] = {}
        self._ioctl: Any = ctypes.CDLL(None, use_errno=True).ioctl
        self._ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)

    def play(self) -> None:
        """Do all calls.  Raises TraceError."""
        for event in self.trace:
            for file in (event.file, event.new_file):
                if file:
                    self._last[file] = event.number
        for event in self.trace:
            if event.finished and event.name not in KERNELS and event.error not in MOMENTARY:
                signal.setitimer(signal.ITIMER_REAL, PATIENCE)
                try:
                    self._do(event)
                except TimeoutError:
                    self._tell(event, f"nothing for {PATIENCE:.0f} seconds")
            if event.file in self._fds and self._last[event.file] == event.number:
                os.close(self._fds.pop(event.file))
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _do(self, event: Event) -> None:
        if event.name in ("open", "inherit"):
            self._open(event)
        elif event.file not in self._fds:
            return  # it could not be opened, which was told
        elif event.name == "ioctl":
            self._do_ioctl(event)
        elif event.name in ("read", "pread"):
            self._read(event)
        elif event.name != "close":
            self._compare(event, self._simple, None)

    def _open(self, event: Event) -> None:
        def opened() -> int:
            fd = os.open(event.node, event.flags & ~ASIDE | os.O_NOCTTY)
            if event.file:
                self._fds[event.file] = fd
            else:
                os.close(fd)
            return 0

        self._compare(event, lambda _: opened(), 0)

    def _simple(self, event: Event) -> int:
        fd = self._fds[event.file]
        if event.name == "write":
            return os.write(fd, event.data)
        if event.name == "pwrite":
            return os.pwrite(fd, event.data, event.offset or 0)
        return os.lseek(fd, event.offset or 0, getattr(os, event.operation, os.SEEK_SET))

    def _compare(self, event: Event, call: Any, expected: int | None) -> bool:
        """Do a call and compare its result, or its failure; whether it succeeded."""
        try:
            result = call(event)
        except TimeoutError:
            raise
        except OSError as problem:
            if problem.errno != getattr(errno, event.error or "", 0):  # some have two names: ENOTSUP, EOPNOTSUPP
                self._tell(event, f"failed with {errno.errorcode.get(problem.errno or 0, problem.errno)}")
            return False
        if event.error is not None:
            self._tell(event, "did not fail")
        elif result != (event.result if expected is None else expected):
            self._tell(event, f"returned {result}")
        return True

    def _read(self, event: Event) -> None:
        """Read as much as was recorded; a terminal may hand it over in other pieces."""
        fd, wanted = self._fds[event.file], len(event.data)
        kind = self.trace.header.nodes.get(event.node)
        if event.error is not None or not wanted or event.name == "pread" or kind is None or kind.kind != "tty":
            self._compare(event, lambda _: self._read_once(event, fd), None)
            return
        while len(self._came.setdefault(event.file, b"")) < wanted:
            select.select([fd], [], [])
            try:
                piece = os.read(fd, event.size)
            except BlockingIOError:
                continue
            if not piece:
                break
            self._came[event.file] += piece
        found, self._came[event.file] = self._came[event.file][:wanted], self._came[event.file][wanted:]
        if found != event.data:
            self._tell(event, f"gave {found!r:.100}")

    def _read_once(self, event: Event, fd: int) -> int:
        if event.data:
            select.select([fd], [], [])
        data = os.read(fd, event.size) if event.name == "read" else os.pread(fd, event.size, event.offset or 0)
        if data != event.data:
            self._tell(event, f"gave {data!r:.100}")
        return event.result

    # ---- Ioctls

    def _do_ioctl(self, event: Event) -> None:
        description = self._described.find(event)
        memory = event.before if event.before is not None else blank(event.after)
        if memory is None:
            if event.incomplete:
                return
            argument: int | None = event.argument or 0
            rooms: list[Any] = []
        else:
            rooms = self._lay_out(event, description, memory)
            argument = ctypes.addressof(rooms[0]) if rooms and rooms[0] is not None else None

        def call(_: Event) -> int:
            result = int(self._ioctl(self._fds[event.file], event.request, argument))
            if result < 0:
                raise OSError(ctypes.get_errno(), "ioctl")
            return result

        made = event.new_file if event.error is None else 0
        if made and event.place is None:
            self._compare(event, lambda _: self._keep(made, call(event)), event.result)
            return
        if not self._compare(event, call, None) or memory is None:
            return
        if made and event.place is not None:
            self._keep(made, int.from_bytes(bytes(rooms[0])[event.place : event.place + 4], "little"))
            return
        self._compare_memory(event, description, memory, rooms)

    def _keep(self, file: int, fd: int) -> int:
        self._fds[file] = fd
        return 0

    def _lay_out(self, event: Event, description: Description | None, memory: Sequence[Segment]) -> list[Any]:
        """Room for each segment, with the addresses of others where pointers are."""
        after = event.after or []
        rooms: list[Any] = []
        for number, segment in enumerate(memory):
            size = max(len(segment or b""), len((after[number] if number < len(after) else None) or b""))
            if event.incomplete:
                size = max(size, MOST_ARGUMENT)
            rooms.append(None if segment is None else ctypes.create_string_buffer(segment, max(size, len(segment))))
        if description is not None and len(memory) > 1:
            for number, pointers in enumerate(leads(description, memory)):
                for lead in pointers:
                    target = rooms[lead.target] if lead.target else None
                    address = ctypes.addressof(target) if target is not None else 0
                    width = lead.place.width
                    rooms[number][lead.offset : lead.offset + width] = address.to_bytes(width, "little")
        return rooms

    def _compare_memory(
        self, event: Event, description: Description | None, memory: Sequence[Segment], rooms: Sequence[Any]
    ) -> None:
        found: list[Segment] = [None if room is None else bytes(room.raw) for room in rooms]
        if description is not None and len(memory) > 1:
            found = without_addresses(description, memory, found)
        for number, segment in enumerate(event.after or ()):
            got = found[number] if number < len(found) else None
            if segment is not None and got is not None and got[: len(segment)] != segment:
                self._tell(event, f"gave in segment {number} {got[: len(segment)].hex():.100}")
                return

    def _tell(self, event: Event, what: str) -> None:
        self.wrong += 1
        if self.wrong <= MOST_TOLD:
            print(f"{event.line}: it {what} where the trace has {line(event, self._described)}", flush=True)


def blank(after: Sequence[Segment] | None) -> list[Segment] | None:
    """Memory for what comes back where nothing was handed in."""
    return None if after is None else [None if segment is None else bytes(len(segment)) for segment in after]


def too_long(number: int, frame: Any) -> None:
    """A call takes too long."""
    raise TimeoutError


def main(path: str) -> int:
    """Play a trace; 0 where all was as recorded, 1 where it was not, 2 where it is none."""
    signal.signal(signal.SIGALRM, too_long)
    try:
        player = Player(path)
        player.play()
    except TraceError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 1 if player.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
