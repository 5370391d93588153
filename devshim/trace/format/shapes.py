"""Lines of one shape: a pattern made of a line that was read strictly knows the later ones that differ in data alone.

A program does the same few things again and again, with other bytes.  Reading such a line takes a third of the time.
"""

from __future__ import annotations

from json import dumps

from devshim.errors import REBUILD, ShimNotBuilt
from devshim.trace.event import Event
from devshim.trace.format.calls import MOVES_BYTES
from devshim.trace.format.json_line import pairs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.format._pattern import Pattern

#: Members that differ from line to line, with the event's attribute, and how the value stands there (_pattern.c); all
#: others are part of the shape.
VARIABLE = {
    "text": ("data", "t"),
    "hex": ("data", "h"),
    "in": ("before", "m"),
    "out": ("after", "m"),
    "size": ("size", "u"),
    "value": ("argument", "i"),
    "offset": ("offset", "i"),
    "result": ("result", "i"),
    "since": ("since", "u"),
}
QUOTED = "thm"
TIMES = ("time", "took")

#: Calls that make files, and change what later lines mean, are always read strictly.
MAKERS = frozenset(("open", "inherit"))
UNSHAPED = frozenset(("new", "pointers", "decoded", "finished"))

MOST_SHAPES = 64
OFTEN = 64  # lines of one call after which making a shape for them pays
MOST_MET = 4096
LONGEST = 1 << 16  # bytes of a line that a shape is made of
MOST_SEGMENTS = 64  # of an ioctl's memory in it
PATIENCE = 16384  # lines, after which one in two must have been known

new = Event.__new__


class Shape:
    """What lines have in common.

    moves  whether the result follows from the bytes that were moved
    bound  whether there are members whose values may contradict others
    next   the shape of the line that came behind it last time: programs go round in loops
    """

    __slots__ = ("bound", "moves", "next", "read")

    def __init__(self, pattern: Pattern, moves: bool, bound: bool) -> None:
        self.read = pattern.read
        self.moves = moves
        self.bound = bound
        self.next = self


def shape_of(line: bytes, event: Event) -> Shape | None:
    """The shape of a line that the strict way has made an event of; None where it is none that others will have."""
    if len(line) > LONGEST:
        return None
    pairs = dict(pairs_of(line))
    if event.name in MAKERS or not UNSHAPED.isdisjoint(pairs) or (event.name in MOVES_BYTES and "result" in pairs):
        return None
    parts: list[bytes | tuple[str, str] | tuple[str, str, int]] = []
    kept = event.__dict__.copy()
    timed = (*pairs,)[-2:] == TIMES
    before = "{"
    for name, value in pairs.items():
        before += f'"{name}": '
        if timed and name in TIMES:
            del kept[name]
            parts += [before.encode(), ("times", "s")]
            before = ", "
            continue
        attribute, kind = VARIABLE.get(name, ("", ""))
        if not attribute:
            before += f"{dumps(value)}, "
            continue
        del kept[attribute]
        if value.__class__ is list:
            if len(value) > MOST_SEGMENTS:
                return None
            parts += [before.encode(), (attribute, "[", len(value))]
            before = ", "
        else:
            quote = '"' if kind in QUOTED else ""
            parts += [(before + quote).encode(), (attribute, kind)]
            before = f"{quote}, "
    parts.append((before.removesuffix(", ") + "}\n").encode())
    pattern = made_of(parts, kept)
    if pattern.read(line) is None:
        return None  # it is written in another way than ours
    attributes = {part[0] for part in parts if part.__class__ is tuple}
    moves = event.name in MOVES_BYTES and event.error is None
    return Shape(pattern, moves, not attributes.isdisjoint(("size", "since")))


def made_of(parts: list[bytes | tuple[str, str] | tuple[str, str, int]], kept: dict[str, Any]) -> Pattern:
    """The pattern of these parts.  Raises ShimNotBuilt."""
    try:
        from devshim.trace.format._pattern import Pattern
    except ImportError as error:
        raise ShimNotBuilt(f"the C module that reads traces cannot be loaded ({error}): {REBUILD}") from error
    return Pattern(parts, kept)


class Shapes:
    """The shapes that one pass over a trace has met."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, int], int] = {}  # by call and request, since there was a shape last
        self._shapes: list[Shape] = []
        self._last: Shape | None = None
        self._new = 0
        self.useful = True

    def find(self, line: bytes, before: int) -> Event | None:
        """The event of a line; None where only the strict way can tell.

        before: how many events stand before it.
        """
        last = self._last
        if last is None:
            return None
        shape = last.next
        members = shape.read(line)
        if members is None:
            for shape in self._shapes:
                members = shape.read(line)
                if members is not None:
                    last.next = shape
                    break
            else:
                return None
        self._last = shape
        if shape.moves:
            members["result"] = len(members["data"]) if "data" in members else 0
        if shape.bound:
            if "since" in members and members["since"] > before:
                return None
            if shape.moves and "size" in members and members["result"] > members["size"]:
                return None
        event = new(Event)
        event.__dict__ = members
        return event

    def keep(self, line: bytes, event: Event, before: int) -> None:
        """Know lines like this one from now on, of which the strict way has made this event."""
        self._new += 1
        if self._new > PATIENCE and 2 * self._new > before:
            self.useful = False
        if len(self._shapes) < MOST_SHAPES and self._is_often((event.name, event.request)):
            shape = shape_of(line, event)
            if shape is not None:
                self._shapes.append(shape)
                self._last = shape

    def _is_often(self, key: tuple[str, int]) -> bool:
        """Whether so many lines of a call have come by now."""
        if len(self._met) >= MOST_MET:
            self._met.clear()
        met = self._met.get(key, 0) + 1
        self._met[key] = met if met < OFTEN else 0
        return met >= OFTEN
