"""The memory of ioctls, which strace does not show: a file beside its output, one JSON object a line for each ioctl.

{"path": NODE, "req": "0x...", "ret": RESULT or -ERRNO, "in": HEX, "out": HEX, "nested_in": [{"what": NAME, "hex": HEX},
...], "nested_out": [...]}, in and out being the bytes at the argument before and after the call, and each nested one
bytes that a pointer led to, in the order in which they lie in the argument.  A line that begins with ## says that some
are left out there.
"""

from __future__ import annotations

import ctypes
import errno
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from devshim.model.argument import Place
from devshim.model.description import Description
from devshim.model.request import direction_of, size_of
from devshim.trace.convert.recording import ConversionError
from devshim.trace.event import Segment
from devshim.trace.memory import without_addresses
from devshim.trace.replay.meaning import meaningful

#: Other names by which nested memory goes, by the name of the pointer member that leads to it.
NAMES = {
    "msgs": ("i2c_msg",), "buf": ("i2c_msg.buf", "data"), "cmdp": ("cdb",), "dxferp": ("data",), "sbp": ("sense",),
    "addr": ("addr", "data"), "data": ("data", "i2c_smbus_data"), "tx_buf": ("tx",), "rx_buf": ("rx",),
    "ptr": ("controls.ptr", "data"),
}  # fmt: skip

Nested = dict[str, list[bytes]]


class Entry(NamedTuple):
    """One ioctl: its result (-errno where it failed), and memory before and after."""

    result: int
    before: bytes
    after: bytes
    nested_before: Nested
    nested_after: Nested


class MemoryFile:
    """Gives the memory of each ioctl in turn, by node and request.

    gaps  whether some are left out: then the ones before the gap count from the front, those behind it from the back
    """

    def __init__(self, path: str | Path) -> None:
        self._front: dict[tuple[str, int], list[Entry]] = {}
        self._back: dict[tuple[str, int], list[Entry]] = {}
        self.gaps = False
        self._given: dict[tuple[str, int], int] = {}
        self._all: dict[tuple[str, int], int] = {}
        into = self._front
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.startswith("##"):
                    self.gaps, into = True, self._back
                elif line.strip():
                    try:
                        node, request, entry = read(json.loads(line))
                    except (ValueError, KeyError, TypeError, AttributeError) as problem:
                        raise ConversionError(f"{path}:{number}: {problem}") from None
                    into.setdefault((node, request), []).append(entry)

    def again(self) -> None:
        """Begin another pass; how many of each were asked for is known by now."""
        if self._given:
            self._all = self._given
        self._given = {}

    def next(self, path: str, request: int, nodes: Sequence[str]) -> Entry | None:
        """The memory of a node's next ioctl of this request; nodes are those that the transcript has."""
        key = (path, request)
        if key not in self._front and key not in self._back:
            key = self._elsewhere(request, nodes) or key
        at = self._given[key] = self._given.get(key, -1) + 1
        front, back = self._front.get(key, []), self._back.get(key, [])
        if at < len(front):
            return front[at]
        to_the_end = self._all.get(key, 0) - at
        return back[-to_the_end] if 0 < to_the_end <= len(back) else None

    def _elsewhere(self, request: int, nodes: Sequence[str]) -> tuple[str, int] | None:
        """The same request on a node that the transcript does not have: names change from run to run."""
        for key in self._front:
            if key[1] == request and key[0] not in nodes and key[0].startswith("/dev/"):
                return key
        return None


def read(line: dict[str, Any]) -> tuple[str, int, Entry]:
    """One line's object."""
    return (
        line["path"],
        int(line["req"], 16),
        Entry(
            int(line["ret"]),
            bytes.fromhex(line["in"]),
            bytes.fromhex(line["out"]),
            nested(line.get("nested_in", [])),
            nested(line.get("nested_out", [])),
        ),
    )


def nested(listed: list[dict[str, Any]]) -> Nested:
    """Nested memory by name, in order."""
    found: Nested = {}
    for one in listed:
        found.setdefault(one["what"].partition("[")[0], []).append(bytes.fromhex(one["hex"]))
    return found


class Memory(NamedTuple):
    """The memory of a call as a trace has it, and whether it is all there."""

    before: list[Segment] | None
    after: list[Segment] | None
    complete: bool


def memory_of(description: Description | None, request: int, entry: Entry, shown: Sequence[bytes] = ()) -> Memory:
    """The memory of a call from its line in the file; shown: strings in strace's line, for what that file lacks."""
    if description is None:
        return plain_memory(request, entry)
    if description.ctype is None:
        return Memory(None, None, True)
    size = size_of(request) if description.sized else ctypes.sizeof(description.ctype)
    complete = len(entry.before) >= size and len(entry.after) >= size
    argument, changed = entry.before[:size].ljust(size, b"\0"), entry.after[:size].ljust(size, b"\0")
    if description.sized and description.access == "r" and 0 < entry.result < size:
        changed = changed[: entry.result]  # a driver that says how much it wrote wrote no more
    walk = Walk(description, argument, shown)
    before = walk.segments(argument, entry.nested_before)
    after = walk.segments(argument, entry.nested_after)
    after[0] = changed
    complete = complete and walk.complete
    accesses = [description.access, *walk.accesses]
    hidden = without_addresses(description, before)
    returned = without_addresses(description, before, after)
    told = meaningful(request, description, list(hidden))
    idle = meaningless(request, description, hidden)
    idle |= {at for at, access in enumerate(accesses) if "w" not in access}
    given = [old if old is None or at == 0 or "w" in accesses[at] else b"" for at, old in enumerate(told)]
    got = [
        new
        if new is not None and "r" in accesses[at] and (new != hidden[at] or (at in idle and entry.result >= 0))
        else None
        for at, new in enumerate(returned)
    ]
    if description.access == "r" and not description.steps:
        return Memory(None, None if entry.result < 0 and hidden == returned else [returned[0]], complete)
    return Memory(given, got if any(one is not None for one in got) else None, complete)


def meaningless(request: int, description: Description, hidden: Sequence[Segment]) -> set[int]:
    """The segments of which bytes mean nothing at the call's begin: the argument itself, and buffers to be filled.

    Where such a one comes back as it was, that was chance, and what is in it must be told.
    """
    probe: list[Segment] = [hidden[0], *(one and b"\xff" * len(one) for one in hidden[1:])]
    changed = meaningful(request, description, list(probe))
    return {0} | {at for at, (one, other) in enumerate(zip(probe, changed, strict=True)) if one != other}


def plain_memory(request: int, entry: Entry) -> Memory:
    """The memory of a request that nobody describes: as much as its number says, else as the file has."""
    size, way = size_of(request), direction_of(request) or "rw"
    length = size if size else min(len(entry.before), len(entry.after))
    if not length:
        return Memory(None, None, True)
    before: list[Segment] | None = [entry.before[:length]] if "w" in way else None
    changed = entry.after != entry.before or way == "r"
    after: list[Segment] | None = [entry.after[:length]] if "r" in way and changed else None
    return Memory(before, after, len(entry.before) >= length)


class Walk:
    """Deals nested memory out to the pointers of a description, as the shim walks them.

    complete  whether all that they lead to was there; accesses: of each segment behind the first
    """

    def __init__(self, description: Description, argument: bytes, shown: Sequence[bytes]) -> None:
        self.description = description
        self.argument = argument
        self.shown = shown
        self.complete = True
        self.accesses: list[str] = []

    def segments(self, argument: bytes, found: Nested) -> list[Segment]:
        """The argument, and behind it what its pointers lead to; counts and pointers are those of the call's begin."""
        taken = {name: iter(pieces) for name, pieces in found.items()}
        self.accesses = []
        self._strings = list(self.shown)
        memory: list[Segment] = [argument]
        shape: list[Segment] = [self.argument]
        assert self.description.ctype is not None
        groups: list[list[tuple[int, int]]] = [[(0, ctypes.sizeof(self.description.ctype))]]
        for step in self.description.steps:
            group = []
            for parent, size in groups[step.parent]:
                held = shape[parent] or b""
                for at in range(0, len(held) // (size or 1) * size, size or 1):
                    segment = self.behind(step.place, held[at : at + size], taken)
                    group.append((len(memory), ctypes.sizeof(step.place.pointer.element)))
                    memory.append(segment)
                    shape.append(segment)
                    self.accesses.append(step.place.pointer.access)
            groups.append(group)
        return memory

    def behind(self, place: Place, element: bytes, taken: dict[str, Iterator[bytes]]) -> Segment:
        """What one pointer leads to."""
        leads = place.width == 0 or any(element[place.offset : place.offset + place.width])
        if not place.holds(element) or not leads:
            return None
        wanted = length_behind(place, element)
        last = place.path.rpartition(".")[2]
        names = [name for name in (place.path, last, *NAMES.get(last, ())) if name in taken]
        data = b""
        while len(data) < wanted and names:
            piece = next(taken[names[0]], None)
            if piece is None:
                break
            data += piece
        if not data and wanted:
            data = next((one for one in self._strings if len(one) == wanted), b"")
            if data:
                self._strings.remove(data)
        if len(data) < wanted:
            self.complete = False
        return data[:wanted].ljust(wanted, b"\0")


def length_behind(place: Place, element: bytes) -> int:
    """How many bytes a pointer leads to."""
    rule = place.pointer.length
    count = 1
    if isinstance(rule, int):
        count = rule
    elif rule is not None and not place.pointer.is_string:
        count = int.from_bytes(element[place.length_offset : place.length_offset + place.length_width], "little")
        count = rule[1].get(count, 0) if isinstance(rule, tuple) else count
    return count * ctypes.sizeof(place.pointer.element)


def outcome(result: int) -> tuple[int, str | None]:
    """Result and errno's name."""
    return (-1, errno.errorcode.get(-result, str(-result))) if result < 0 else (result, None)
