"""Lines of one shape: a pattern made of a line that was read strictly knows the later ones that differ in data alone.

A program does the same few things again and again, with other bytes.  Reading such a line takes half the time.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from codecs import escape_decode
from collections.abc import Callable, Sequence
from json import dumps

from devshim.trace.event import Event
from devshim.trace.format.calls import MOVES_BYTES
from devshim.trace.format.json_line import pairs_of
from devshim.trace.format.repeated import END

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Convert = Callable[[str], Any]

#: Members that differ from line to line; all others are part of the shape.  A text's patterns are possessive: otherwise
#: a line of escapes alone would cost seventy times its length.
TEXT = r'"([ !#-\[\]-~]*+(?:\\[nrt"\\][ !#-\[\]-~]*+)*+)"'
DIGITS = '"([0-9a-f]*)"'
NATURAL = "(0|[1-9][0-9]{0,17})"
NUMBER = "(0|-?[1-9][0-9]{0,17})"
SEGMENT = '(?:null|"[0-9a-f]*")'

#: Calls that make files, and change what later lines mean, are always read strictly.
MAKERS = frozenset(("open", "inherit"))
UNSHAPED = frozenset(("new", "pointers", "decoded", "finished"))

MOST_SHAPES = 64
OFTEN = 64  # lines of one call after which making a shape for them pays
MOST_MET = 4096
LONG = 512  # bytes of a line from which on its runs of bytes are searched for their ends
LONGEST = 1 << 16  # bytes of a line that a shape is made of
MOST_SEGMENTS = 64  # of an ioctl's memory in it
PATIENCE = 16384  # lines, after which one in two must have been known


def text_bytes(shown: str) -> bytes:
    """The bytes of a text; its escapes are those that JSON and Python share."""
    return escape_decode(shown)[0] if "\\" in shown else shown.encode("ascii")


def one_segment(shown: str) -> list[bytes | None]:
    """Memory that is one segment."""
    return [unhexlify(shown)]


def segments(shown: str) -> list[bytes | None]:
    """Memory of several segments, as they stand between brackets."""
    return [None if one == "null" else unhexlify(one[1:-1]) for one in shown.split(", ")]


#: Member to its pattern, the event's attribute, and what makes the one of the other.
VARIABLE: dict[str, tuple[str, str, Convert]] = {
    "text": (TEXT, "data", text_bytes),
    "hex": (DIGITS, "data", unhexlify),
    "in": (DIGITS, "before", one_segment),
    "out": (DIGITS, "after", one_segment),
    "size": (NATURAL, "size", int),
    "value": (NUMBER, "argument", int),
    "offset": (NUMBER, "offset", int),
    "result": (NUMBER, "result", int),
    "since": (NATURAL, "since", int),
}
RUNS = (TEXT, DIGITS)
PLAIN = bytes(range(0x20, 0x7F))


new = Event.__new__


class Shape:
    """What lines have in common.

    rows   of each value its place, the attribute, and the conversion; behind these time and took, unless it has none
    kept   the members of all events of the shape
    moves  whether the result follows from the bytes that were moved
    bound  whether there are members whose values may contradict others
    next   the shape of the line that came behind it last time: programs go round in loops
    """

    __slots__ = ("_end", "_match", "_parts", "_runs", "bound", "kept", "moves", "next", "rows", "timed")

    def __init__(
        self, parts: list[str], rows: list[tuple[int, str, Convert]], kept: dict[str, Any], moves: bool
    ) -> None:
        self._match = re.compile("".join(parts)).fullmatch
        self._parts = parts
        self._runs: list[tuple[Callable[..., re.Match[str] | None], bool]] | None = None
        self._end = self._match
        self.rows = rows
        self.kept = kept
        self.moves = moves
        self.timed = "times" in kept
        self.bound = any(attribute in ("size", "since") for _, attribute, _ in rows)
        self.next = self

    def values(self, line: str) -> Sequence[str] | None:
        """What stands in a line; None where it is of another shape."""
        if len(line) >= LONG:
            return self._values_between(line)
        found = self._match(line)
        return None if found is None else found.groups()

    def _values_between(self, line: str) -> Sequence[str] | None:
        """The same of a long line: finding the end of a run of bytes takes a tenth of matching them one by one."""
        if self._runs is None:
            self._prepare()
        values: list[str] = []
        end = 0
        for before, is_text in self._runs or ():
            found = before(line, end)
            begin = -1 if found is None else found.end()
            end = line.find('"', begin)
            if found is None or end < 0:
                return None
            run = line[begin:end]
            if is_text and not is_plain(run):
                whole = self._match(line)
                return None if whole is None else whole.groups()
            values += found.groups()
            values.append(run)
        found = self._end(line, end)
        return None if found is None else (*values, *found.groups())

    def _prepare(self) -> None:
        """Make the patterns of what stands before each run of bytes, and behind the last."""
        begin, self._runs = "", []
        for part in self._parts:
            if part in RUNS:
                self._runs.append((re.compile(f'{begin}"').match, part == TEXT))
                begin = '"'
            else:
                begin += part
        self._end = re.compile(begin).fullmatch


def is_plain(run: str) -> bool:
    """Whether a text has neither escapes nor what JSON, or a trace, would not have in it."""
    return run.isascii() and "\\" not in run and not run.encode().translate(None, PLAIN)


def shape_of(line: bytes, event: Event) -> Shape | None:
    """The shape of a line that the strict way has made an event of; None where it is none that others will have."""
    if len(line) > LONGEST:
        return None
    pairs = dict(pairs_of(line))
    if event.name in MAKERS or not UNSHAPED.isdisjoint(pairs) or (event.name in MOVES_BYTES and "result" in pairs):
        return None
    parts: list[str] = []
    rows: list[tuple[int, str, Convert]] = []
    kept = event.__dict__.copy()
    timed = [*pairs][-2:] == ["time", "took"]
    for name, value in pairs.items():
        pattern, attribute, convert = VARIABLE.get(name, ("", "", int))
        if timed and name in ("time", "took"):
            del kept[name]
            kept["times"] = None
            continue
        if value.__class__ is list:
            if len(value) > MOST_SEGMENTS:
                return None
            pattern, convert = rf"\[({', '.join([SEGMENT] * len(value))})\]", segments
        parts.append(re.escape(f'{", " if parts else "{"}"{name}": '))
        if attribute:
            rows.append((len(rows), attribute, convert))
            del kept[attribute]
        parts.append(pattern if attribute else re.escape(dumps(value)))
    parts.append(END if timed else r"\}\n")
    shape = Shape(parts, rows, kept, event.name in MOVES_BYTES and event.error is None)
    return shape if shape.values(line.decode()) is not None else None  # it may be written in another way than ours


class Shapes:
    """The shapes that one pass over a trace has met."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, int], int] = {}  # by call and request, since there was a shape last
        self._shapes: list[Shape] = []
        self._last: Shape | None = None
        self._new = 0
        self.useful = True

    def find(self, line: str, before: int) -> Event | None:
        """The event of a line, given with a letter for each byte; None where only the strict way can tell.

        before: how many events stand before it.
        """
        last = self._last
        if last is None:
            return None
        shape = last.next
        values = shape.values(line)
        if values is None:
            for shape in self._shapes:
                values = shape.values(line)
                if values is not None:
                    last.next = shape
                    break
            else:
                return None
        self._last = shape
        members = shape.kept.copy()
        try:
            for at, attribute, convert in shape.rows:
                members[attribute] = convert(values[at])
        except ValueError:
            return None  # an odd number of digits, say
        if shape.timed:
            members["times"] = values[-2:]
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
