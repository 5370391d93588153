"""From strace(1)'s output to events: strace -f -xx -s 65535 -o FILE PROGRAM; -y -v -X raw -tt -T make it better."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from devshim.model.description import Descriptions
from devshim.trace.convert.memory_file import MemoryFile
from devshim.trace.convert.nodes import Nodes
from devshim.trace.convert.recording import Describer, Recording
from devshim.trace.convert.strace_calls import Conversion
from devshim.trace.convert.surroundings import Surroundings
from devshim.trace.event import Event, Header

FIRST = re.compile(r"^(?:\[pid +\d+\] |P?\d+ +)?(?:[\d:.]+ +)*[a-z_0-9]+\(.*(?:\) += |<unfinished)", re.DOTALL)


def is_strace(start: str) -> bool:
    """Whether text begins as strace's does."""
    return any(FIRST.match(line) for line in start.splitlines()[:20])


def read(
    path: str | Path,
    memory: str | Path | None = None,
    wanted: tuple[str, ...] = (),
    described: Descriptions | None = None,
) -> Recording:
    """The recording in a file of strace's.

    memory     a file with the memory of its ioctls (memory_file.py); by default ioctl.jsonl in the same folder
    wanted     nodes that are converted though they are everybody's: /dev/ptmx
    described  descriptions of requests that the kernel's headers do not have

    Raises OSError, ConversionError.
    """
    beside = Path(path).with_name("ioctl.jsonl")
    found = MemoryFile(memory) if memory else MemoryFile(beside) if beside.exists() else None
    header = Header(made="strace")
    reading = [0]
    recording = Recording(header, lambda: iter(()), size=os.path.getsize(path), passed=lambda: reading[0])
    nodes = Nodes(header.nodes, wanted)
    surroundings = Surroundings(header.nodes)
    describer = Describer(header, described)

    def events() -> Iterator[Event]:
        recording.notes.clear()
        recording.lost = 0
        if found is not None:
            found.again()
        one = Conversion(recording, nodes, surroundings, describer, found)
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            reading[0] = 0
            for at, line in enumerate(file, 1):
                reading[0] += len(line)
                yield from one.line(line, at, str(path))
        yield from one.unfinished()
        nodes.seen()
        surroundings.settle()

    recording.events = events
    return recording
