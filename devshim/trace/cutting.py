"""A part of a trace that is a valid trace: the events that are meant, and the opens that these cannot do without."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator

from devshim.trace.event import Event, Header
from devshim.trace.format.reader import Trace
from devshim.trace.format.writer import Writer

FLUSHED = 1000  # events between two writes


class Makers:
    """Which event made which file, and by which other file; enough to find what a file cannot do without."""

    def __init__(self) -> None:
        self._by: dict[int, tuple[int, int]] = {}

    def note(self, event: Event) -> None:
        """Remember what an event made."""
        if event.name in ("open", "inherit"):
            if event.file:
                self._by.setdefault(event.file, (event.number, 0))
        elif event.new_file:
            self._by.setdefault(event.new_file, (event.number, event.file))

    def of(self, file: int) -> Iterator[int]:
        """The numbers of the events that a file needs."""
        while file in self._by:
            number, file = self._by[file]
            yield number


def needed(events: Iterable[Event], meant: Iterable[Event]) -> tuple[set[int], set[str]]:
    """Numbers of the events that make files for those that are meant, and the nodes that are named by these.

    events are all of the trace, meant a part of it.
    """
    makers = Makers()
    files: dict[int, str] = {}
    for event in meant:
        files[event.file] = event.node
    for event in events:
        makers.note(event)
    return {number for file in files for number in makers.of(file)}, set(files.values())


def cut(trace: Trace, meant: Iterable[Event], makers: set[int]) -> Iterator[Event]:
    """The events of a shorter trace, in order; `since` counts those that are left.

    meant   the events that are wanted
    makers  numbers of the events that make files for them
    """
    wanted = iter(meant)
    next_wanted = next(wanted, None)
    kept = array("Q")
    rest = set(makers)
    for event in trace:
        is_wanted = next_wanted is not None and event.number == next_wanted.number
        if is_wanted:
            next_wanted = next(wanted, None)
        if is_wanted or event.number in rest:
            rest.discard(event.number)
            if event.since is not None:
                ended = bisect_right(kept, event.since)
                event.since = ended if ended < len(kept) else None
            kept.append(event.number)
            yield event
        if next_wanted is None and not rest:
            return


def header_for(header: Header, nodes: set[str], by: str) -> Header:
    """The header of a part in which these nodes are named."""
    return Header(
        by=by,
        made=header.made,
        machine=header.machine,
        word=header.word,
        order=header.order,
        program=header.program,
        command=header.command,
        stable=header.stable,
        nodes={path: node for path, node in header.nodes.items() if path in nodes},
        ioctls=header.ioctls,
    )


def keep_nodes(path: str, output: str, nodes: Collection[str]) -> None:
    """Write the part of a trace that is about these nodes, which they are even where nothing was done on them.

    Raises TraceError, OSError.
    """
    trace = Trace(path)

    def meant() -> Iterator[Event]:
        return (event for event in trace if event.node in nodes)

    makers, named = needed(trace, meant())
    writer = Writer(output, header_for(trace.header, {*named, *nodes}, trace.header.by))
    for number, (program, parent) in sorted(trace.programs.items()):
        writer.program(program, number, parent)
    for event in cut(trace, meant(), makers):
        writer.event(event)
        if not writer.events % FLUSHED:
            writer.flush()
    writer.end(trace.finished or "finished", trace.lost, trace.notes)
