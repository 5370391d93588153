"""The nodes of a trace, found before it is replayed, without reading all of it."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator

from devshim.trace.event import Event, Node
from devshim.trace.format.files import open_to_read
from devshim.trace.format.reader import Trace, TraceError
from devshim.trace.replay.source import OPENS

#: Events in which nodes are looked for that no line of the trace describes.
MOST_SEARCHED = 500
DESCRIBED = re.compile(rb'\n\{"(?:node|ioctl)"')
OVERLAP = 8  # bytes of such a beginning that may stand in the chunk before
CHUNK = 1 << 18


def nodes_of(trace: Trace) -> dict[str, Node]:
    """The nodes of a trace by path, wherever it tells of them.  Raises TraceError."""
    for position in described_at(trace.path):
        with contextlib.suppress(TraceError):  # damage is told when the replay comes to it
            next(trace.events(position), None)
    found = dict(trace.header.nodes)
    for event in readable(trace, MOST_SEARCHED):
        if event.name in OPENS and event.error != "ENOENT" and event.node not in found:
            kind = "tty" if re.match(r"/dev/(tty|pts/|console)", event.node) else "char"
            found[event.node] = trace.header.nodes.get(event.node) or Node(event.node, kind)
    for path, node in trace.header.nodes.items():
        found.setdefault(path, node)
    return found


def readable(trace: Trace, count: int) -> Iterator[Event]:
    """The first events, up to a damaged line."""
    with contextlib.suppress(TraceError):  # damage is told when the replay comes to it
        yield from itertools.islice(trace.events(), count)


def described_at(path: str) -> Iterator[int]:
    """Where the lines of a trace begin that tell of a node or a request, found without reading the others."""
    room = bytearray(OVERLAP + CHUNK)
    with open_to_read(path) as file, memoryview(room) as view:
        at = 0
        while count := file.readinto(view[OVERLAP:]):  # type: ignore[attr-defined]
            for match in DESCRIBED.finditer(view[: OVERLAP + count]):
                yield at - OVERLAP + match.start() + 1
            at += count
            view[:OVERLAP] = bytes(view[count : count + OVERLAP])
