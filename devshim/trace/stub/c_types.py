"""The ctypes of a stub: structures as Python source, and values of them."""

from __future__ import annotations

import ctypes
import keyword
from typing import Any

from devshim.model.argument import is_array, is_pointer, is_record
from devshim.model.description import Description
from devshim.trace.layout import fields
from devshim.trace.stub.literals import bytes_literal, class_name, listed

#: Scalars by the code of ctypes that stands in a stub.
SCALARS = {
    name: getattr(ctypes, name)
    for name in (
        "c_char", "c_bool", "c_uint8", "c_uint16", "c_uint32", "c_uint64", "c_int8", "c_int16", "c_int32", "c_int64",
        "c_float", "c_double",
    )
}  # fmt: skip


class Types:
    """What a stub needs of ctypes.

    used     names to be imported from it
    classes  the source of each structure, in the order in which they must stand
    """

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.classes: list[list[str]] = []
        self._names: dict[Any, str | None] = {}

    def of(self, description: Description | None, request: int, size: int) -> str:
        """The ctype of an ioctl's argument of so many bytes, as source."""
        ctype = description.ctype if description is not None else None
        if ctype is not None and not description_is_sized(description):
            shown = self.source(ctype)
            if shown is not None and ctypes.sizeof(ctype) == size:
                return shown
        if size in (4, 8) and ctype is None:
            self.used.add(f"c_uint{8 * size}")
            return f"c_uint{8 * size}"
        self.used.add("c_uint8")
        return f"c_uint8 * {size}"

    def source(self, ctype: Any) -> str | None:
        """A ctype as source; None where it is too strange for that: unions, bit-fields, pointers, other byte orders."""
        if is_pointer(ctype):
            return None
        if is_array(ctype):
            inner = self.source(ctype._type_)
            return None if inner is None else f"({inner} * {ctype._length_})"
        if is_record(ctype):
            return self._record(ctype)
        name = scalar(ctype)
        if name is not None:
            self.used.add(name)
        return name

    def _record(self, ctype: Any) -> str | None:
        if ctype in self._names:
            return self._names[ctype]
        self._names[ctype] = None
        if issubclass(ctype, ctypes.Union) or getattr(ctype, "_anonymous_", None):
            return None
        at, rows = 0, []
        for member in fields(ctype):
            kind = self.source(member.ctype)
            if kind is None or member.bits or not usable(member.name) or member.offset < at:
                return None
            if member.offset > at:
                rows.append(self._gap(at, member.offset - at))
            rows.append(row(member.name, kind))
            at = member.offset + ctypes.sizeof(member.ctype)
        if ctypes.sizeof(ctype) > at:
            rows.append(self._gap(at, ctypes.sizeof(ctype) - at))
        if natural(ctype):
            rows = [row(member.name, str(self.source(member.ctype))) for member in fields(ctype)]
        name = class_name(getattr(ctype, "c_name", ctype.__name__), [one for one in self._names.values() if one])
        self._names[ctype] = name
        self.used.add("Structure")
        self.classes.append(
            [
                f"class {name}(Structure):",
                *["    _pack_ = 1"] * (not natural(ctype)),
                f"    _fields_ = {listed(rows, 4)}",
            ]
        )
        return name

    def _gap(self, at: int, size: int) -> str:
        self.used.add("c_uint8")
        return f'("_{at}", c_uint8 * {size})'

    def value(self, description: Description | None, ctype: str, data: bytes) -> str:
        """Memory as a value of the ctype that of() gave."""
        kind = description.ctype if description is not None else None
        if kind is not None and ctypes.sizeof(kind) == len(data) and self.source(kind) == ctype:
            return self._value(kind, data)
        if ctype in ("c_uint32", "c_uint64"):
            return f"{ctype}({int.from_bytes(data, 'little')})"
        return f"({ctype})(*{bytes_literal(data)})"

    def _value(self, ctype: Any, data: bytes) -> str:
        if is_record(ctype):
            rows = []
            for member in fields(ctype):
                part = data[member.offset : member.offset + ctypes.sizeof(member.ctype)]
                if part.strip(b"\0"):
                    rows.append(f"{member.name}={self._plain(member.ctype, part)}")
            return f"{self.source(ctype)}({', '.join(rows)})"
        if is_array(ctype):
            return f"{self.source(ctype)}({', '.join(self._items(ctype, data))})"
        return f"{self.source(ctype)}({self._plain(ctype, data)})"

    def _items(self, ctype: Any, data: bytes) -> list[str]:
        if scalar(ctype._type_) == "c_uint8":
            return [f"*{bytes_literal(data)}"]
        if scalar(ctype._type_) == "c_char":
            return [f"*({bytes_literal(data)}[at : at + 1] for at in range({len(data)}))"]
        size = ctypes.sizeof(ctype._type_)
        return [self._plain(ctype._type_, data[at : at + size]) for at in range(0, len(data), size)]

    def _plain(self, ctype: Any, data: bytes) -> str:
        """A value as a structure's constructor takes it."""
        if is_array(ctype) and scalar(ctype._type_) == "c_char" and b"\0" not in data.rstrip(b"\0"):
            return bytes_literal(data.rstrip(b"\0"))
        if is_record(ctype) or is_array(ctype):
            return self._value(ctype, data)
        return repr(ctype.from_buffer_copy(data).value)


def usable(name: str) -> bool:
    """Whether a structure's member may be called so in Python."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def row(name: str, kind: str) -> str:
    """One member of a structure."""
    return f'("{name}", {kind.removeprefix("(").removesuffix(")") if kind.startswith("(") else kind})'


def natural(ctype: Any) -> bool:
    """Whether a structure lies in memory as C would lay it out by itself."""
    again = type(ctype.__name__, (ctypes.Structure,), {"_fields_": [(one.name, one.ctype) for one in fields(ctype)]})
    offsets = [getattr(again, one.name).offset for one in fields(ctype)]
    return ctypes.sizeof(again) == ctypes.sizeof(ctype) and offsets == [one.offset for one in fields(ctype)]


def description_is_sized(description: Description | None) -> bool:
    """Whether the argument's size is in the request's number."""
    return description is not None and description.sized


def scalar(ctype: Any) -> str | None:
    """The name of a scalar in the machine's byte order."""
    return next((name for name, known in SCALARS.items() if ctype is known), None)
