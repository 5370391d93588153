"""Layouts of C types in traces: ctypes as JSON and back, every offset said, so that they mean the same anywhere."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping

from devshim.model.argument import (
    Ctype,
    NewFile,
    Pointer,
    is_array,
    is_pointer,
    is_record,
    members,
    pointer,
    trailing,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Json = Any

#: Scalars by their name in a trace; big-endian ones have a ">" before it.
SCALARS: dict[str, Ctype] = {
    "char": ctypes.c_char, "bool": ctypes.c_bool, "f32": ctypes.c_float, "f64": ctypes.c_double,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
    "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64,
    "fd": NewFile,
}  # fmt: skip
SWAPPED = "__ctype_be__" if sys.byteorder == "little" else "__ctype_le__"
SCALARS |= {
    f">{name}": getattr(SCALARS[name], SWAPPED) for name in ("u16", "u32", "u64", "i16", "i32", "i64", "f32", "f64")
}

LONGEST_NAME = 100
MOST_SIZE = 1 << 20  # bytes of one type
MOST_TYPES = 4000  # in one description
MOST_DEPTH = 16
HIDDEN = "@"  # begins the names of padding and of bit-fields' storage in a type made from a trace


class Member:
    """One member of a record; bits is 0 where it is no bit-field."""

    __slots__ = ("bit", "bits", "ctype", "name", "offset")

    def __init__(self, name: str, ctype: Ctype, offset: int, bit: int = 0, bits: int = 0) -> None:
        self.name = name
        self.ctype = ctype
        self.offset = offset
        self.bit = bit
        self.bits = bits


def fields(record: Ctype) -> list[Member]:
    """The members of a structure or union, whether a program's or made from a trace, in the order of declaration."""
    found = []
    for name, ctype, offset, bits in members(record):
        if name.startswith(HIDDEN):
            found += [member for member in getattr(record, "_bit_members_", ()) if f"{HIDDEN}{member.offset}" == name]
        elif bits is None:
            found.append(Member(name, ctype, offset))
        else:
            found.append(Member(name, ctype, offset, getattr(record, name).size & 0xFFFF, bits))
    return found


# ---- To JSON


def to_json(ctype: Ctype) -> Json:
    """A ctype as a trace has it."""
    if is_pointer(ctype):
        return pointer_json(ctype)
    if is_array(ctype):
        return {"of": to_json(ctype._type_), "count": ctype._length_}
    if is_record(ctype):
        shown: dict[str, Json] = {
            "union" if issubclass(ctype, ctypes.Union) else "struct": getattr(ctype, "c_name", ctype.__name__),
            "size": ctypes.sizeof(ctype),
            "members": [member_json(member) for member in fields(ctype)],
        }
        if anonymous := getattr(ctype, "_anonymous_", ()):
            shown["anonymous"] = list(anonymous)
        return shown
    return scalar_name(ctype)


def member_json(member: Member) -> list[Json]:
    """[name, offset, type], and for a bit-field its first bit and how many there are."""
    shown = [member.name, member.offset, to_json(member.ctype)]
    return [*shown, member.bit, member.bits] if member.bits else shown


def pointer_json(ctype: Ctype) -> Json:
    """A pointer, or a flexible array, whose width is 0."""
    described: Pointer = ctype.description
    shown: dict[str, Json] = {"to": to_json(described.element), "width": ctypes.sizeof(ctype)}
    shown["access"] = described.access
    if described.is_string:
        shown["text"] = described.most
    elif isinstance(described.length, tuple):
        shown["length"] = described.length[0]
        shown["table"] = {str(value): count for value, count in sorted(described.length[1].items())}
    elif described.length is not None:
        shown["length"] = described.length
    if described.optional:
        shown["optional"] = True
    if described.when is not None:
        shown["when"] = list(described.when)
    return shown


def scalar_name(ctype: Ctype) -> str:
    """The name of a scalar; whatever is an address is a number of its size."""
    if ctype is NewFile or issubclass(ctype, NewFile):
        return "fd"
    code, size = getattr(ctype, "_type_", None), ctypes.sizeof(ctype)
    swapped = ">" if size > 1 and getattr(ctype, SWAPPED, None) is ctype else ""
    if code == "c":
        return "char"
    if code == "?":
        return "bool"
    if code in ("f", "d"):
        return f"{swapped}f{8 * size}"
    return f"{swapped}{'i' if code in tuple('bhilq') else 'u'}{8 * size}"


# ---- From JSON, which anybody may have written


class Reader:
    """Reads the types of one description; refuses what is no type, or would be a huge one.  Raises ValueError."""

    def __init__(self) -> None:
        self.types = 0

    def ctype(self, shown: Json, depth: int = 0) -> Ctype:
        """The ctype of a type's JSON."""
        self.types += 1
        if self.types > MOST_TYPES or depth > MOST_DEPTH:
            raise ValueError(f"a type of more than {MOST_TYPES} types, or {MOST_DEPTH} levels")
        if isinstance(shown, str):
            if shown not in SCALARS:
                raise ValueError(f"type {shown!r}; scalars are {', '.join(SCALARS)}")
            return SCALARS[shown]
        if not isinstance(shown, dict):
            raise ValueError(f"type {shown!r}: a scalar's name, or an object")
        if "of" in shown:
            return self.array(shown, depth)
        if "to" in shown:
            return self.pointer(shown, depth)
        return self.record(shown, depth)

    def array(self, shown: Mapping[str, Json], depth: int) -> Ctype:
        """{"of": TYPE, "count": N}."""
        only(shown, "of", "count")
        element, count = self.ctype(shown["of"], depth + 1), whole(shown.get("count"), "count", MOST_SIZE)
        if ctypes.sizeof(element) * count > MOST_SIZE:
            raise ValueError(f"an array of {count} times {ctypes.sizeof(element)} bytes")
        found: Ctype = element * count
        return found

    def pointer(self, shown: Mapping[str, Json], depth: int) -> Ctype:
        """{"to": TYPE, "width": 8, "access": "rw", ...}."""
        only(shown, "to", "width", "access", "text", "length", "table", "optional", "when")
        element, width = self.ctype(shown["to"], depth + 1), whole(shown.get("width", 8), "width", 8)
        length = shown.get("length")
        if length is not None and not isinstance(length, str):
            length = whole(length, "length", MOST_SIZE)
        if "table" in shown:
            length = (name_of(length), table(shown["table"]))
        if "text" in shown:
            length = "nul"
        access = shown.get("access", "rw")
        if not isinstance(access, str) or not isinstance(shown.get("optional", False), bool):
            raise ValueError("access is a string, optional is true or false")
        if width == 0:
            return trailing(element, length, access, when(shown.get("when")))  # type: ignore[arg-type]
        return pointer(
            element,
            length,
            access,  # type: ignore[arg-type]
            optional=shown.get("optional", False),
            width=width,
            most=whole(shown.get("text", 4096), "text", MOST_SIZE),
            when=when(shown.get("when")),
        )

    def record(self, shown: Mapping[str, Json], depth: int) -> Ctype:
        """{"struct": NAME, "size": N, "members": [[NAME, OFFSET, TYPE], ...]}; a union likewise."""
        kind = "union" if "union" in shown else "struct"
        only(shown, kind, "size", "members", "anonymous")
        name, size = shown.get(kind), whole(shown.get("size"), "size", MOST_SIZE)
        name = name_of(name) if name != "" else "unnamed"
        listed, anonymous = shown.get("members"), shown.get("anonymous", [])
        if not isinstance(listed, list) or not isinstance(anonymous, list):
            raise ValueError(f"{name}: members is a list, and so is anonymous")
        read = [self.member(member, depth) for member in listed]
        names = [member.name for member in read]
        if len(set(names)) < len(names) or not set(map(name_of, anonymous)) <= set(names):
            raise ValueError(f"{name}: a member stands twice, or is anonymous without being there")
        body: dict[str, Any] = {"c_name": shown[kind], "_pack_": 1, "_layout_": "ms", "_anonymous_": tuple(anonymous)}
        body["_bit_members_"] = [member for member in read if member.bits]
        body["_fields_"] = list(union(name, size, read) if kind == "union" else struct(name, size, read))
        return type(name, (ctypes.Union if kind == "union" else ctypes.Structure,), body)

    def member(self, shown: Json, depth: int) -> Member:
        """[NAME, OFFSET, TYPE] or [NAME, OFFSET, TYPE, BIT, BITS]."""
        if not isinstance(shown, list) or len(shown) not in (3, 5):
            raise ValueError(f"member {shown!r}: it is [name, offset, type], or has its first bit and bits behind that")
        name, offset = name_of(shown[0]), whole(shown[1], "offset", MOST_SIZE)
        if hasattr(ctypes.Structure, name):
            raise ValueError(f"member {name!r}: Python's ctypes needs that name itself")
        ctype = self.ctype(shown[2], depth + 1)
        if len(shown) == 3:
            return Member(name, ctype, offset)
        bit, bits = whole(shown[3], "bit", 63), whole(shown[4], "bits", 64)
        if not bits or getattr(ctype, "_type_", "") not in tuple("bBhHiIlLqQ?"):
            raise ValueError(f"member {name!r}: a bit-field of {bits} bits in a {shown[2]!r}")
        if bit + bits > 8 * ctypes.sizeof(ctype):
            raise ValueError(f"member {name!r}: bits {bit} to {bit + bits} of {8 * ctypes.sizeof(ctype)}")
        return Member(name, ctype, offset, bit, bits)


def struct(name: str, size: int, read: list[Member]) -> Iterator[tuple[str, Ctype]]:
    """The `_fields_` of a structure: its members, with the gaps between them filled."""
    at = stored = 0
    for member in read:
        length = ctypes.sizeof(member.ctype)
        if member.bits and member.offset == stored and at == stored + length and at:
            continue  # in the same storage as the one before
        if member.offset < at:
            raise ValueError(f"{name}.{member.name} begins at {member.offset}, inside the member before it")
        if member.offset > at:
            yield f"{HIDDEN}pad{at}", ctypes.c_uint8 * (member.offset - at)
        stored, at = member.offset, member.offset + length
        yield f"{HIDDEN}{member.offset}" if member.bits else member.name, member.ctype
    if at > size:
        raise ValueError(f"{name} has {size} bytes, its members need {at}")
    if at < size:
        yield f"{HIDDEN}pad{at}", ctypes.c_uint8 * (size - at)


def union(name: str, size: int, read: list[Member]) -> Iterator[tuple[str, Ctype]]:
    """The `_fields_` of a union: all at its start, and as long as it says."""
    for member in read:
        if member.offset or member.bits or ctypes.sizeof(member.ctype) > size:
            raise ValueError(f"union {name} of {size} bytes: {member.name} does not fit into it")
        yield member.name, member.ctype
    if size:
        yield f"{HIDDEN}pad", ctypes.c_uint8 * size


def only(shown: Mapping[str, Json], *names: str) -> None:
    """Refuse members that are not among names."""
    if unknown := [name for name in shown if name not in names]:
        raise ValueError(f"unknown member {unknown[0]!r}; there are {', '.join(names)}")


def whole(value: Json, name: str, most: int) -> int:
    """A whole number from 0 to most."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{name} {value!r}: a number from 0 to {most}")
    return value


def name_of(value: Json) -> str:
    """A name of C."""
    name = value if isinstance(value, str) and value.isascii() else ""
    is_name = name.replace(".", "_").isidentifier() and len(name) <= LONGEST_NAME
    if not is_name or name[:2] == name[-2:] == "__":
        raise ValueError(f"name {value!r}: letters, digits and underscores")
    return name


def table(shown: Json) -> dict[int, int]:
    """{"VALUE": COUNT, ...}."""
    if not isinstance(shown, dict) or len(shown) > 4096 or not all(key.isascii() and key.isdigit() for key in shown):
        raise ValueError("table is an object of at most 4096 numbers")
    return {int(key[:20]): whole(count, f"table[{key}]", MOST_SIZE) for key, count in shown.items()}


def when(shown: Json) -> tuple[str, int, int] | None:
    """[MEMBER, FIRST, LAST], or nothing."""
    if shown is None:
        return None
    if not isinstance(shown, list) or len(shown) != 3:
        raise ValueError("when is [member, first, last]")
    return name_of(shown[0]), whole(shown[1], "first", 2**32 - 1), whole(shown[2], "last", 2**32 - 1)
