"""An ioctl in strace(1)'s output as an event: its number, its memory as far as it is told, the descriptor it made."""

from __future__ import annotations

import re
from typing import NamedTuple

from devshim.model.description import Description
from devshim.model.request import direction_of, size_of
from devshim.trace.convert.memory_file import MemoryFile, memory_of, outcome
from devshim.trace.convert.nodes import Nodes
from devshim.trace.convert.recording import Describer, Recording
from devshim.trace.convert.request_names import request_of
from devshim.trace.convert.strace_files import OpenFile
from devshim.trace.convert.strace_line import BadLine, Call
from devshim.trace.convert.strace_struct import memory_shown
from devshim.trace.convert.strace_values import number, string
from devshim.trace.event import Event


class Made(NamedTuple):
    """A descriptor that an ioctl made: its number, what -y calls it, and where in the argument it stands."""

    fd: int
    name: str
    place: int | None


class Ioctls:
    """Makes the events of ioctls."""

    def __init__(self, recording: Recording, nodes: Nodes, describer: Describer, memory: MemoryFile | None) -> None:
        self.recording = recording
        self.nodes = nodes
        self.describer = describer
        self.memory = memory

    def event(self, call: Call, file: OpenFile) -> tuple[Event, Made | None]:
        """The event of a call on a file, and the descriptor that it made.  Raises BadLine."""
        node = self.nodes.node(file.node)
        request = request_of(call.arguments[1], self.describer.family(node))
        if request is None:
            raise BadLine(f"what number {call.arguments[1][:40]} has is not known; let strace run with -X raw")
        description = self.describer.find(node, request)
        event = Event("ioctl", file.node, file.number, request=request)
        event.label = description.label if description is not None else None
        event.result = call.result if call.result is not None else -1
        given = call.arguments[2] if len(call.arguments) > 2 else "0"
        if description is not None and description.ctype is None:
            event.argument = value_of(description, given)
        elif not self.remembered(event, file.anonymous or node.path, description, given):
            event.error = call.error
            self.shown(event, description, given)
        return event, made_file(description, call) if event.error is None else None

    def remembered(self, event: Event, path: str, description: Description | None, given: str) -> bool:
        """Fill in memory from the file beside strace's; False where that does not have it."""
        if self.memory is None:
            return False
        entry = self.memory.next(path, event.request, tuple(self.nodes.nodes))
        if entry is None:
            self.recording.note("ioctls whose memory is in no line of the file beside strace's")
            return False
        found = memory_of(description, event.request, entry, strings_in(given))
        event.before, event.after = found.before, found.after
        event.incomplete = not found.complete
        event.result, event.error = outcome(entry.result)
        return True

    def shown(self, event: Event, description: Description | None, given: str) -> None:
        """What strace itself shows of an argument; the rest is missing."""
        if description is None and not size_of(event.request) and (given.lstrip("-").isdigit() or given == "NULL"):
            event.argument = 0 if given == "NULL" else int(given)
            return
        if description is None and direction_of(event.request) == "":
            event.argument = 0
        told = memory_shown(description, given) if description is not None else None
        if told is None or description is None:
            event.incomplete = True
            return
        event.incomplete = not told.complete
        event.before = [told.before] if "w" in description.access else None
        event.after = [told.after] if "r" in description.access and event.error is None else None


def made_file(description: Description | None, call: Call) -> Made | None:
    """The descriptor that an ioctl made."""
    if description is None or call.result is None or call.result < 0:
        return None
    if description.new_file:
        return Made(call.result, call.shown.strip("<>"), None)
    if description.place is None:
        return None
    inside = re.search(r"=>.*\bfd=(\d+)(?:<([^>]*)>)?|^.*\bfd=(\d+)<([^>]*)>", " ".join(call.arguments[2:]))
    if inside is None:
        return None
    return Made(int(inside[1] or inside[3]), inside[2] or inside[4] or "", description.place)


def value_of(description: Description, given: str) -> int:
    """An argument by value; a request without one has 0, whatever lay there."""
    if description.value is None:
        return 0
    try:
        return number(given)
    except BadLine:
        return 0


def strings_in(given: str) -> list[bytes]:
    """The strings that strace shows in an argument."""
    return [string(shown)[0] for shown in re.findall(r'"(?:[^"\\]|\\.)*"', given)]
