"""Ioctls of a trace in words: by the descriptions that the trace carries, else by those of the kernel's headers."""

from __future__ import annotations

import ctypes
import sys

from devshim.known import find_for
from devshim.model.description import Description, Descriptions
from devshim.model.termioswords import member_words
from devshim.trace.description import decode, from_object
from devshim.trace.event import Event, Header, Segment
from devshim.trace.show import MOST_BYTES, escaped, quoted, raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_ITEMS = 32
MOST_KEPT = 10_000
SMALL = 4096


class Described:
    """From an ioctl to its name and its argument in words; a Decode of show.line()."""

    def __init__(self, header: Header, most: int = MOST_BYTES) -> None:
        self.header = header
        self.most = most
        self._of_node: dict[str, Descriptions] = {}
        self._found: dict[tuple[str, int], Description | None] = {}
        self._texts: dict[Any, str] = {}
        self._carried = 0
        self._own = Descriptions()

    def find(self, event: Event) -> Description | None:
        """What describes an event's request, None where nothing does."""
        if self._carried != len(self.header.ioctls):  # the trace told of more, further on
            self._carried = len(self.header.ioctls)
            self._own = own_descriptions(self.header)
            self._found.clear()
        key = (event.node, event.request)
        try:
            return self._found[key]
        except KeyError:
            found = self._own.find(event.request) or self._known(event.node).find(event.request)
            self._found[key] = found
            return found

    def _known(self, path: str) -> Descriptions:
        """What the kernel's headers say of a node's requests."""
        if path not in self._of_node:
            node = self.header.nodes.get(path)
            kind, rdev = (node.kind, node.rdev) if node is not None else ("char", (0, 0))
            # The kernel's layouts here are this machine's; another one's trace carries its own.
            ours = (self.header.word, self.header.order) == (ctypes.sizeof(ctypes.c_void_p), sys.byteorder)
            self._of_node[path] = find_for(path, kind, rdev) if ours else Descriptions()
        return self._of_node[path]

    def name(self, event: Event) -> str:
        """The request as it is called, or its number."""
        if event.label is not None:
            return event.label
        description = self.find(event)
        return description.label if description is not None else f"{event.request:#x}"

    def values(self, event: Event) -> dict[str, Any]:
        """What trace/decoding.py makes of the memory; empty where nobody describes it or it does not fit."""
        description = self.find(event)
        if description is None or (event.before is None and event.after is None):
            return {}
        try:
            found = decode(description, event.before, event.after)
        except (ValueError, OverflowError, IndexError, RecursionError):
            return {}  # a description that lies about its memory is as good as none
        return found if isinstance(found, dict) else {}

    def __call__(self, event: Event) -> str:
        """The argument in words; "" for none.  Gives the event its request's name where it has none."""
        description = self.find(event)
        if description is None:
            return raw(event, self.most)
        if event.label is None:
            event.label = description.label
        if event.argument is not None:
            return by_value(description, event.argument)
        key = text_key(event)
        if key is not None and key in self._texts:
            return self._texts[key]
        shown = self._words(event)
        if key is not None and len(self._texts) < MOST_KEPT:
            self._texts[key] = shown
        return shown

    def _words(self, event: Event) -> str:
        values = self.values(event)
        if not values:
            return raw(event, self.most)
        given = value_text(values["in"], self.most) if "in" in values else ""
        got = value_text(values["out"], self.most) if "out" in values else ""
        if not got or given == got:
            return given
        return f"{given} => {got}" if given else f"=> {got}"


def text_key(event: Event) -> tuple[Any, ...] | None:
    """What an argument's words follow from, where it is small."""
    memory: list[Segment] = [*(event.before or ()), b"=>", *(event.after or ())]
    if sum(len(one) for one in memory if one is not None) > SMALL:
        return None
    return (event.node, event.request, event.before is None, *memory)


def own_descriptions(header: Header) -> Descriptions:
    """The descriptions that a trace carries; one that cannot be used is passed over, as if it were not there."""
    found = []
    for shown in header.ioctls.values():
        try:
            found.append(from_object(shown))
        except ValueError:
            continue
    return Descriptions(found)


def by_value(description: Description, argument: int) -> str:
    """An argument that is no pointer."""
    if description.value is None and description.ctype is None:
        return f"{argument:#x}" if argument else ""
    if description.value is not None:
        return str(description.value(argument).value)
    return f"{argument:#x}"


def value_text(value: Any, most: int = MOST_BYTES) -> str:
    """Decoded values as C would have them: {name=value, ...}, [1, 2], "text"; NULL."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{escaped(str(name))}={member_text(name, one, most)}" for name, one in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        shown = [value_text(one, most) for one in value[:MOST_ITEMS]]
        return "[" + ", ".join(shown + ["..."] * (len(value) > MOST_ITEMS)) + "]"
    if isinstance(value, str):
        return quoted(value.encode("utf-8", "surrogateescape"), most)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return quoted(bytes(value), most)
    return "NULL" if value is None else str(value)


def member_text(name: object, value: Any, most: int = MOST_BYTES) -> str:
    """What value_text() makes of a structure's member: in words where its bits have names."""
    return member_words(name, value) or value_text(value, most)
