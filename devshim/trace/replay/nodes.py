"""The nodes of a trace, found before it is replayed, without reading all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devshim.known.names import is_terminal
from devshim.trace.event import Event, Node
from devshim.trace.format.files import open_to_read
from devshim.trace.format.reader import Trace, TraceError
from devshim.trace.replay.source import OPENS

#: Lines that tell of a node, or how it is described; and in the first piece of a trace those that open one, too.
DESCRIBED = rb'\n\{"(?:node|ioctl)"'
BLANKS = rb"[ \t]{0,8}"  # and no more: where a stranger's trace has nothing else, a search would take ever longer
TOLD = BLANKS.join((rb"\n", rb"\{", rb'"(?:node"|ioctl"|call"', rb":", rb'"(?:open|inherit)")'))
OVERLAP = 64  # bytes of such a beginning that may stand in the piece before
PIECE = 1 << 18
#: Opens that are looked at for nodes that no line describes.
MOST_OPENS = 500
#: In the place of an event's number, which nobody knows who has not read those before it.
SOME = 1 << 62


def nodes_of(trace: Trace) -> dict[str, Node]:
    """The nodes of a trace by path, wherever it tells of them.  Raises TraceError."""
    opened: dict[str, Node] = {}
    opens = 0
    for position, is_open in told_at(trace.path):
        opens += is_open
        if is_open and opens > MOST_OPENS:
            continue
        event = first_event(trace, position)
        if is_open and event is not None and event.name in OPENS and event.error != "ENOENT":
            opened.setdefault(event.node, Node(event.node, "tty" if is_terminal(event.node) else "char"))
    return trace.header.nodes | {path: node for path, node in opened.items() if path not in trace.header.nodes}


def first_event(trace: Trace, position: int) -> Event | None:
    """The first event from a line on, whose own description is taken in; None where there is none, or damage before.

    Damage is told when the replay comes to it.
    """
    try:
        return next(trace.events(position, number=SOME), None)
    except TraceError:
        return None


def told_at(path: str) -> Iterator[tuple[int, bool]]:
    """Where lines begin that tell of a node or a request, each with whether it opens one; the others are not read."""
    room = bytearray(OVERLAP + PIECE)
    pattern = TOLD
    with open_to_read(path) as file, memoryview(room) as view:
        at = 0
        while count := file.readinto(view[OVERLAP:]):  # type: ignore[attr-defined]
            for match in re.finditer(pattern, view[: OVERLAP + count]):
                yield at - OVERLAP + match.start() + 1, b'"call"' in match[0]
            at += count
            view[:OVERLAP] = bytes(view[count : count + OVERLAP])
            pattern = DESCRIBED
