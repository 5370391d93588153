"""Writes a recording as a trace."""

from __future__ import annotations

from collections.abc import Iterator

from devshim import __version__
from devshim.trace.convert.recording import ConversionError, Recording
from devshim.trace.event import Event
from devshim.trace.format.writer import Writer

OFTEN = 1024


def write_trace(recording: Recording, path: str) -> int:
    """Write a trace; returns how many events it has.  Raises OSError, ConversionError.

    The first pass over the recording tells what the header must say, the second writes the events.
    """
    for _ in recording.events():
        pass
    recording.header.by = recording.header.by or f"devshim {__version__}"
    writer = Writer(path, recording.header)
    for event in recording.events():
        try:
            writer.event(event)
        except ValueError as problem:
            raise ConversionError(f"call {writer.events + 1}, {event.name}: {problem}") from None
        if not writer.events % OFTEN:
            writer.flush()
    writer.end("finished", recording.lost, recording.said())
    return writer.events


def numbered(recording: Recording) -> Iterator[Event]:
    """The events with their numbers, for formats that no header precedes; nodes are filled in."""
    nodes: dict[int, str] = {}
    for number, event in enumerate(recording.events(), 1):
        event.number = number
        event.node = event.node or nodes.get(event.file, "")
        nodes[event.file] = event.node
        yield event
