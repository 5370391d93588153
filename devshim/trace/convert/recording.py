"""Recording: what a converter reads a trace from, in two passes, so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from devshim.known import find_for
from devshim.model.description import Description, Descriptions
from devshim.trace.description import to_object
from devshim.trace.event import Event, Header, Node
from devshim.trace.show import escaped


class ConversionError(ValueError):
    """Something that cannot be converted; the message begins with file:line where they are known."""


@dataclass
class Recording:
    """Somebody else's recording as events.

    header  what is known before the first event; a whole pass over events() completes it
    events  a fresh pass over the events each time it is called; may raise ConversionError
    notes   what the converter has to say, by what it says: how often
    lost    how many calls are known to be missing
    passed  tells how many bytes of the input a pass has read, for a progress bar; size: how many there are
    """

    header: Header
    events: Callable[[], Iterator[Event]]
    notes: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    passed: Callable[[], int] = lambda: 0
    size: int = 0

    def note(self, text: str) -> None:
        """Say something, once however often it happens."""
        text = escaped(text)
        self.notes[text] = self.notes.get(text, 0) + 1

    def said(self) -> list[str]:
        """The notes as text."""
        return [text if times == 1 else f"{text} ({times} times)" for text, times in self.notes.items()]


class Describer:
    """Finds the description of a request on a node, and puts those that were used into the header."""

    def __init__(self, header: Header, own: Descriptions | None = None) -> None:
        self.header = header
        self.own = own or Descriptions()
        self._families: dict[str, Descriptions] = {}

    def family(self, node: Node) -> Descriptions:
        """What is known of a node's requests."""
        found = self._families.get(node.path)
        if found is None:
            found = self._families[node.path] = find_for(node.path, node.kind, node.rdev)
        return found

    def find(self, node: Node, request: int) -> Description | None:
        """The description of a request; the header will carry it from now on."""
        found = self.own.find(request) or self.family(node).find(request)
        if found is not None and found.number not in self.header.ioctls:
            self.header.ioctls[found.number] = to_object(found)
        return found
