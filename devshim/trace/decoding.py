"""Memory of an ioctl as values with names: what people see of a description's structures."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence

from devshim.model.argument import Ctype, is_array, is_pointer, is_record
from devshim.model.description import Description
from devshim.trace.event import Segment
from devshim.trace.layout import Member, fields, scalar_name
from devshim.trace.memory import Lead, leads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FLOATS = {"f32": "<f", "f64": "<d", ">f32": ">f", ">f64": ">d"}
SILENT = ("reserved", "pad", "unused", "__")  # begin the names of members that are told only where they are not 0


def decode(description: Description, before: Sequence[Segment] | None, after: Sequence[Segment] | None) -> Any:
    """What a call carried, as {"in": VALUES, "out": VALUES}, each where the program hands something in, or gets it.

    VALUES are nested: a structure is a dict by member, an array or what a pointer leads to a list, a number an int;
    bytes are a str where they are text (up to its NULs), else bytes; a NULL is None.  A segment that stayed as it was
    counts in "out" as it was.  An empty dict: nothing to tell.  Raises ValueError where the memory does not fit the
    description.
    """
    found: dict[str, Any] = {}
    if description.ctype is None:
        return found
    shape = before if before is not None else after
    pointers = leads(description, shape) if shape is not None else []
    if before is not None and "w" in description.access:
        found["in"] = Walk(description, before, pointers, "w").argument()
    if after is not None and ("r" in description.access or len(after) > 1):
        merged = [new if new is not None or before is None else before[at] for at, new in enumerate(after)]
        found["out"] = Walk(description, merged, pointers, "r").argument()
    return found


class Walk:
    """One pass over the memory of one moment; way: "w" what the program hands in, "r" what it gets."""

    def __init__(
        self, description: Description, memory: Sequence[Segment], pointers: list[list[Lead]], way: str
    ) -> None:
        self.description = description
        self.memory = memory
        self.pointers = {
            (number, lead.offset, id(lead.place.pointer)): lead for number, one in enumerate(pointers) for lead in one
        }
        self.way = way

    def argument(self) -> Any:
        """What the argument itself holds."""
        ctype = self.description.ctype
        data = self.memory[0]
        if ctype is None or data is None:
            return None
        if not self.description.sized:
            return self.value(ctype, 0, 0)
        return self.elements(ctype, 0)

    def elements(self, ctype: Ctype, number: int) -> Any:
        """All elements of a segment."""
        data = self.memory[number] or b""
        size = ctypes.sizeof(ctype) or 1
        if is_bytes(ctype):
            return text_or_bytes(data, ctype)
        return [self.value(ctype, number, at) for at in range(0, len(data) // size * size, size)]

    def value(self, ctype: Ctype, number: int, at: int) -> Any:
        """What lies at a position of a segment."""
        if is_pointer(ctype):
            return self.behind(ctype, number, at)
        data = self.memory[number] or b""
        if is_array(ctype):
            size = ctypes.sizeof(ctype._type_)
            if is_bytes(ctype._type_):
                return text_or_bytes(data[at : at + ctype._length_], ctype._type_)
            return [self.value(ctype._type_, number, at + index * size) for index in range(ctype._length_)]
        if is_record(ctype):
            return self.record(ctype, number, at)
        return scalar(ctype, data[at : at + ctypes.sizeof(ctype)])

    def record(self, ctype: Ctype, number: int, at: int) -> dict[str, Any]:
        """A structure or union by its members' names; those of anonymous ones are its own."""
        shown: dict[str, Any] = {}
        for member in fields(ctype):
            if is_pointer(member.ctype) and not self.leads(member.ctype, number, at + member.offset):
                continue
            value = self.member(member, number, at)
            if member.name in getattr(ctype, "_anonymous_", ()) and isinstance(value, dict):
                shown.update(value)
            elif not (member.name.lower().startswith(SILENT) and nothing(value)):
                shown[member.name] = value
        return shown

    def member(self, member: Member, number: int, at: int) -> Any:
        """One member of the record at a position."""
        if not member.bits:
            return self.value(member.ctype, number, at + member.offset)
        held = scalar(member.ctype, (self.memory[number] or b"")[at + member.offset :][: ctypes.sizeof(member.ctype)])
        found = int(held) >> member.bit & (1 << member.bits) - 1
        signed = scalar_name(member.ctype).startswith("i") and found >> member.bits - 1
        return found - (1 << member.bits) if signed else found

    def leads(self, ctype: Ctype, number: int, at: int) -> bool:
        """Whether what could be a pointer is one."""
        return (number, at, id(ctype.description)) in self.pointers

    def behind(self, ctype: Ctype, number: int, at: int) -> Any:
        """What a pointer leads to; an empty string where bytes go the other way only."""
        lead = self.pointers.get((number, at, id(ctype.description)))
        if lead is None or not lead.target or lead.target >= len(self.memory):
            return None
        described = lead.place.pointer
        if self.way not in described.access and not self.memory[lead.target]:
            return ""
        if described.length is None:
            return self.value(described.element, lead.target, 0) if self.memory[lead.target] else None
        return self.elements(described.element, lead.target)


def is_bytes(ctype: Ctype) -> bool:
    """Whether elements of a type are shown together, as bytes or text."""
    return getattr(ctype, "_type_", None) in ("c", "B", "b") and ctypes.sizeof(ctype) == 1


def text_or_bytes(data: bytes, ctype: Ctype) -> str | bytes:
    """Text where it is printable and as long as a word, or where C says that it is; else bytes."""
    stem = data.rstrip(b"\0")
    is_text = bool(stem) or ctype._type_ == "c"
    if is_text and b"\0" not in stem and all(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in stem):
        return stem.decode("ascii")
    return data


def scalar(ctype: Ctype, data: bytes) -> int | float | bool | str:
    """A scalar's value; memory that ends before it counts as 0."""
    name = scalar_name(ctype)
    if len(data) < ctypes.sizeof(ctype):
        data = bytes(ctypes.sizeof(ctype))
    if name in FLOATS:
        return float(struct.unpack(FLOATS[name], data)[0])
    if name == "bool":
        return data != b"\0"
    if name == "char":
        return data.decode("latin-1")
    order = "big" if name.startswith(">") else "little"
    return int.from_bytes(data, order, signed=name.lstrip(">") in ("fd", "i8", "i16", "i32", "i64"))  # type: ignore[arg-type]


def nothing(value: Any) -> bool:
    """Whether a value is all zero."""
    if isinstance(value, dict):
        return all(map(nothing, value.values()))
    if isinstance(value, list):
        return all(map(nothing, value))
    return not value.strip(b"\0") if isinstance(value, bytes) else not value


def plain(value: Any) -> Any:
    """Values as JSON can have them: bytes in hex."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.hex() if isinstance(value, bytes) else value
