"""Writes traces: appends whole lines, so that what was cut off is a valid shorter trace."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from devshim.trace.event import Event, Header, Node
from devshim.trace.format.files import PACKED, Packer
from devshim.trace.format.lines import event_text, header_object, node_object

encode = json.JSONEncoder(separators=(", ", ": "), ensure_ascii=True, allow_nan=False).encode


class Writer:
    """Appends to a trace; the header is the first thing that it writes.

    path    "-" is stdout; a name that ends with .zst is packed, which each flush() makes a little larger
    header  what the first line says; grows by node() and ioctl()
    events  how many were put

    Raises OSError as open(2) and write(2) do; what stands in the file then ends with a whole line, where the file can
    be shortened, and nothing more will be written.
    """

    def __init__(self, path: str, header: Header) -> None:
        self.header = header
        self.events = 0
        self._packer = Packer(path) if path.endswith(PACKED) else None
        self._file = os.dup(1) if path == "-" else os.open(path, FLAGS | os.O_TRUNC, 0o666)
        self._pending: list[str] = []
        self._broken = False
        self.put(header_object(header))
        self.flush()

    @classmethod
    def resume(cls, path: str, header: Header, events: int) -> Writer:
        """Go on with a trace that has so many events, and lacks its last line; not one that is packed."""
        writer = cls.__new__(cls)
        writer.header, writer.events = header, events
        writer._packer = None
        writer._file = os.open(path, FLAGS)
        writer._pending, writer._broken = [], False
        return writer

    def put(self, line: dict[str, Any]) -> None:
        """Append one line's object; it reaches the file with the next flush()."""
        self._pending.append(encode(line))

    def node(self, node: Node) -> None:
        """Tell of a node that the header does not know."""
        self.header.nodes[node.path] = node
        self.put(node_object(node))

    def ioctl(self, description: dict[str, Any]) -> None:
        """Tell of a request that the header does not know."""
        self.header.ioctls[int(description["request"], 16)] = description
        self.put({"ioctl": description})

    def program(self, program: str, process: int, parent: int | None = None) -> None:
        """Tell of a process that takes part: its program, its number, and that of the process that started it."""
        line: dict[str, Any] = {"program": program, "process": process}
        if parent is not None:
            line["parent"] = parent
        self.put(line)

    def event(self, event: Event, decoded: Any = None) -> None:
        """Append an event, and number it.  Raises ValueError where the format has no place for it."""
        self._pending.append(event_text(event, decoded))
        self.events += 1
        event.number = self.events

    def flush(self) -> None:
        """Bring what was put into the file, in whole lines."""
        if not self._pending:
            return
        data = "".join([f"{line}\n" for line in self._pending]).encode()
        self._pending.clear()
        self._write(self._packer.pack(data) if self._packer is not None else data)

    def _write(self, data: bytes) -> None:
        if self._broken:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._broken = True
            self._take_back(data[: len(data) - len(rest)])
            raise

    def _take_back(self, written: bytes) -> None:
        """Shorten the file by a line that was not written as a whole."""
        torn = len(written) if self._packer is not None else len(written) - written.rfind(b"\n") - 1
        status = os.fstat(self._file)
        if torn and stat.S_ISREG(status.st_mode):
            os.ftruncate(self._file, status.st_size - torn)

    def end(self, why: str = "finished", lost: int = 0, notes: list[str] | None = None) -> None:
        """Write the last line and close the file."""
        line: dict[str, Any] = {"end": why, "events": self.events}
        if lost:
            line["lost"] = lost
        if notes:
            line["notes"] = notes
        self.put(line)
        try:
            self.flush()
            if self._packer is not None:
                self._write(self._packer.end())
        finally:
            os.close(self._file)


FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
