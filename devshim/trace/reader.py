"""Reads traces, a line at a time, so that memory does not grow with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from devshim.trace.event import Event, Header
from devshim.trace.lines import TraceError, event_of, header_of, node_of


class Trace:
    """A trace in a file: its header, and its events as often as they are asked for.

    header   grows by the node and ioctl lines that are met while events are read
    finished the words of the `end` line, "" where none was met (yet)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.finished = ""
        try:
            with open(self.path, "rb") as file:
                first = file.readline()
        except OSError as problem:
            raise TraceError(f"{self.path}: {problem.strerror}") from None
        try:
            self.header: Header = header_of(json.loads(first))
        except (KeyError, TypeError, ValueError) as problem:
            raise TraceError(f"{self.path}:1: {problem}") from None

    def __iter__(self) -> Iterator[Event]:
        """The events in order, each with its node, number and line.  Raises TraceError at a damaged line."""
        nodes: dict[int, str] = {}
        number = 0
        with open(self.path, "rb") as file:
            for at, line in enumerate(file, 1):
                if at == 1:
                    continue
                if not line.endswith(b"\n"):
                    return
                try:
                    found = json.loads(line)
                    if "call" in found:
                        number += 1
                        event = event_of(found)
                        event.number, event.line = number, at
                        if event.node:
                            nodes[event.file] = event.node
                        else:
                            event.node = nodes.get(event.file, "")
                        if event.new_file:
                            nodes[event.new_file] = event.node
                        yield event
                    elif "node" in found:
                        node = node_of(found)
                        self.header.nodes[node.path] = node
                    elif "ioctl" in found:
                        self.header.ioctls[int(found["ioctl"]["request"], 16)] = found["ioctl"]
                    elif "end" in found:
                        self.finished = found["end"]
                except (KeyError, TypeError, ValueError) as problem:
                    raise TraceError(f"{self.path}:{at}: {type(problem).__name__}: {problem}") from None
