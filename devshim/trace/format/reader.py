"""Reads traces, a line at a time, so that memory does not grow with them; strict, because they come from strangers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from devshim.trace.event import Event, Header
from devshim.trace.format import checks
from devshim.trace.format.checks import Wrong
from devshim.trace.format.files import cut_off, open_to_read, packing_errors
from devshim.trace.format.headers import header_of, ioctl_of, listed, members, node_of
from devshim.trace.format.json_line import LONGEST_LINE, members_of, pairs_of, plain
from devshim.trace.format.lines import TraceError, event_of
from devshim.trace.format.repeated import Repeated
from devshim.trace.format.shapes import Shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, BinaryIO, NoReturn

__all__ = ["Trace", "TraceError"]


class Trace:
    """A trace in a file: its header, and its events as often as they are asked for.

    path      as it was given; "-" is stdin, whose events come once
    header    grows by the node and ioctl lines that are met while events are read
    files     node of each file that was met, by the file's number
    finished  the words of the `end` line, "" where none was met (yet)
    lost      calls that the end line knows to be missing; notes: what the recorder had to say
    promised  how many events the end line tells of; None where there is none
    left_out  bytes of a last line that has no end and was left out, 0 where all is whole; 1 where a packed file is cut
    lines     how many lines were read
    programs  process number to (program, parent or None)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.files: dict[int, str] = {}
        self.finished = ""
        self.lost = 0
        self.notes: list[str] = []
        self.promised: int | None = None
        self.left_out = 0
        self.lines = 0
        self.programs: dict[int, tuple[str, int | None]] = {}
        self._damages: tuple[type[Exception], ...] = (OSError, *packing_errors(self.path))
        self._stream: BinaryIO | None = None
        file = open_to_read(self.path)
        self.header: Header = self._read_header(file)
        self._begin = self._header_length
        if seekable(file):
            file.close()
        else:
            self._stream = file

    def _read_header(self, file: BinaryIO) -> Header:
        try:
            first = file.readline(LONGEST_LINE + 1)
            self._header_length = len(first)
            if not first.strip():
                raise Wrong("it is empty" if not first else "no trace: it does not begin with a header")
            if len(first) > LONGEST_LINE:
                raise Wrong(f"longer than {LONGEST_LINE >> 20} MiB")
            if not first.endswith(b"\n"):
                raise Wrong("the header is cut off")
            if not first.startswith(b"{"):
                raise Wrong('no trace: it does not begin with {"format": "devtrace/1"; devshim convert reads others')
            return header_of(plain(pairs_of(first)))
        except self._damages as problem:
            file.close()
            raise TraceError(f"{self.path}: {reason(problem)}") from None
        except ValueError as problem:
            file.close()
            raise TraceError(f"{self.path}:1: {problem}") from None

    def __eq__(self, other: object) -> bool:
        """Whether another trace, or a list of calls, says the same, as devshim diff has it."""
        from devshim.trace.comparison import is_calls, say_the_same

        if not isinstance(other, Trace) and not is_calls(other):
            return NotImplemented
        return self is other or say_the_same(self, other)

    __hash__ = object.__hash__

    def __iter__(self) -> Iterator[Event]:
        """The events in order, each with its node, number, line and position.  Raises TraceError at a damaged line."""
        return self.events()

    def events(
        self, position: int = 0, number: int = 1, line: int = 2, damage: Callable[[int, str], object] | None = None
    ) -> Iterator[Event]:
        """The events from one that was met before, which is told by its position, number and line; or from the first.

        Any number of these may be under way at once, except of a trace from a pipe, which is read once.
        damage is told of each damaged line and why, and the line is passed over; without it TraceError is raised.
        """
        file = self._from(position or self._begin)
        at = position or self._begin
        number -= 1
        line -= 1
        readline = file.readline
        repeated, shapes = Repeated(), Shapes()
        try:
            while True:
                read = readline(LONGEST_LINE + 1)
                line += 1
                if read[-1:] != b"\n":
                    if len(read) <= LONGEST_LINE:
                        self.left_out = len(read) or int(cut_off(file))
                        break
                    if damage is None:
                        raise Wrong(f"longer than {LONGEST_LINE >> 20} MiB")
                    damage(line, f"longer than {LONGEST_LINE >> 20} MiB")
                    at += len(read) + pass_over(file)
                    continue
                looks = number >= repeated.starts
                event = repeated.find(read) if looks else None
                is_new = looks and event is None
                if event is None and shapes.useful:
                    event = shapes.find(read, number)
                if event is None:
                    try:
                        event = self._new_event(read, number)
                    except ValueError as problem:
                        if damage is None:
                            raise
                        damage(line, str(problem))
                    if event is None:
                        at += len(read)
                        continue
                    if shapes.useful:
                        shapes.keep(read, event, number)
                if is_new:
                    repeated.keep(read, event, number)
                number += 1
                event.number, event.line, event.position = number, line, at
                at += len(read)
                yield event
        except self._damages as problem:
            self._fail(line, reason(problem))
        except ValueError as problem:
            self._fail(line, f"{problem}; devshim verify lists all damage")
        finally:
            self.lines = max(self.lines, line - 1)
            file.close()

    def _new_event(self, line: bytes, before: int) -> Event | None:
        """The event of a line, behind so many others; None where the line is of another kind.  Raises ValueError."""
        found = members_of(pairs_of(line))
        if "call" not in found:
            self._take(found)
            return None
        event = event_of(found)
        self._place(event)
        if event.since is not None and event.since > before:
            raise Wrong(f"since {event.since}: only {before} events ended before this one")
        return event

    def _place(self, event: Event) -> None:
        """Find an event's node by its file.  Raises ValueError."""
        files = self.files
        if event.node:
            if event.file and files.setdefault(event.file, event.node) != event.node:
                raise Wrong(f"file {event.file} is open on {files[event.file]} already")
            return
        node = files.get(event.file)
        if node is None:
            raise Wrong(f"file {event.file} was never opened: an open or inherit must come before")
        event.node = node
        if event.new_file and files.setdefault(event.new_file, node) != node:
            raise Wrong(f"file {event.new_file} is open on {files[event.new_file]} already")

    def _fail(self, line: int, why: str) -> NoReturn:
        raise TraceError(f"{self.path}:{line}: {why}") from None

    def _from(self, position: int) -> BinaryIO:
        """The stream, at a position."""
        if self._stream is not None:
            if self._stream.closed or position != self._begin:
                raise TraceError(f"{self.path}: a pipe is read once; save it in a file first")
            return self._stream
        file = open_to_read(self.path)
        file.seek(position)
        return file

    def _take(self, found: dict[str, Any]) -> None:
        """A line that is no event.  Raises ValueError."""
        if "node" in found:
            node = node_of(plain(tuple(found.items())))
            self.header.nodes[node.path] = node
        elif "ioctl" in found:
            members(found, {"ioctl": lambda value: value}, "the line", "ioctl")
            number, description = ioctl_of(plain(found["ioctl"]))
            self.header.ioctls[number] = description
        elif "end" in found:
            end = members(plain(tuple(found.items())), END, "the last line", "end")
            self.finished = end["end"]
            self.promised = end.get("events")
            self.lost = end.get("lost", 0)
            self.notes = end.get("notes", [])
        elif "program" in found:
            program = members(plain(tuple(found.items())), PROGRAM, "a program", "program")
            self.programs[program.get("process", 1)] = (program["program"], program.get("parent"))
        else:
            raise Wrong("a line begins with format, call, node, ioctl, program or end, and this one has none of them")


PIECE = 1 << 20
COUNT = checks.INT64
END = {
    "end": checks.text,
    "events": lambda value: checks.whole(value, 0, COUNT),
    "lost": lambda value: checks.whole(value, 0, COUNT),
    "notes": lambda value: [checks.text(one) for one in listed(value, checks.MOST_SEGMENTS)],
}
PROGRAM = {
    "program": checks.text,
    "process": lambda value: checks.whole(value, 1, COUNT),
    "parent": lambda value: checks.whole(value, 1, COUNT),
}


def pass_over(file: BinaryIO) -> int:
    """Read to the end of a line, in pieces; return how many bytes that were."""
    passed = 0
    while True:
        piece = file.readline(PIECE)
        passed += len(piece)
        if len(piece) < PIECE or piece.endswith(b"\n"):
            return passed


def seekable(file: BinaryIO) -> bool:
    """Whether a stream can be read again."""
    try:
        return file.seekable()
    except OSError:
        return False


def reason(problem: BaseException) -> str:
    """Why a file cannot be read, in words."""
    return getattr(problem, "strerror", None) or f"damaged: {problem}"
