"""Writes traces: appends whole lines, so that what was cut off is a valid shorter trace."""

from __future__ import annotations

import json
import os
from typing import Any

from devshim.trace.event import Event, Header, Node
from devshim.trace.lines import event_object, header_object, node_object

encode = json.JSONEncoder(separators=(", ", ": "), ensure_ascii=True).encode


class Writer:
    """Appends to a trace; the header is the first thing that it writes.

    Raises OSError as open(2) and write(2) do.
    """

    def __init__(self, path: str, header: Header) -> None:
        self.header = header
        self.events = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._pending: list[str] = []
        self.put(header_object(header))
        self.flush()

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

    def event(self, event: Event, decoded: Any = None) -> None:
        """Append an event, and number it."""
        self.events += 1
        event.number = self.events
        self.put(event_object(event, decoded))

    def flush(self) -> None:
        """Bring what was put into the file, in whole lines."""
        if not self._pending:
            return
        data = memoryview("".join(f"{line}\n" for line in self._pending).encode())
        self._pending.clear()
        while data:
            data = data[os.write(self._file, data) :]

    def end(self, why: str = "finished", lost: int = 0, notes: list[str] | None = None) -> None:
        """Write the last line and close the file."""
        line: dict[str, Any] = {"end": why, "events": self.events}
        if lost:
            line["lost"] = lost
        if notes:
            line["notes"] = notes
        self.put(line)
        self.flush()
        os.close(self._file)
