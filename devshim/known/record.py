"""How families of known ioctls are written down: structures by tag and members, requests by C's name and number."""

from __future__ import annotations

import ctypes

from devshim.model.argument import BadDescription, Ctype, NewFile, pointer, sized, trailing
from devshim.model.description import Description, describe
from devshim.model.request import direction_of, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

__all__ = [
    "BYTES", "NewFile", "address", "family", "known", "packed", "pointer", "record", "sized", "trailing",
    "union", "value",
]  # fmt: skip

SCALARS: dict[str, Ctype] = {
    "char": ctypes.c_char, "f64": ctypes.c_double,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
    "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64,
}  # fmt: skip
BYTES = ctypes.c_uint8


def kind(shown: str | Ctype) -> Ctype:
    """A member's type: a ctype, or a text such as "u32" or "char*16"."""
    if not isinstance(shown, str):
        return shown
    name, *counts = shown.split("*")
    found = SCALARS[name]
    for count in counts:
        found = found * int(count)
    return found


def build(base: type[Any], tag: str, members: dict[str, str | Ctype], pack: int | None) -> Ctype:
    """A ctypes structure or union; members called _0, _1, ... are those that have no name in C."""
    unnamed = tuple(name for name in members if name[0] == "_" and name[1:].isdigit())
    body: dict[str, Any] = {"c_name": tag, "_anonymous_": unnamed}
    if pack is not None:
        body.update(_pack_=pack, _layout_="ms")
    body["_fields_"] = [(name, kind(shown)) for name, shown in members.items()]
    return type(tag or "unnamed", (base,), body)


def record(tag: str = "", /, **members: str | Ctype) -> Ctype:
    """struct TAG of the header, its members in C's order; _0, _1, ... have no name there."""
    return build(ctypes.Structure, tag, members, None)


def packed(tag: str = "", /, **members: str | Ctype) -> Ctype:
    """The same where the header says packed."""
    return build(ctypes.Structure, tag, members, 1)


def union(tag: str = "", /, **members: str | Ctype) -> Ctype:
    """union TAG of the header, or one without a tag."""
    return build(ctypes.Union, tag, members, None)


def address(beside: str, optional: bool = True) -> Ctype:
    """An address that nobody follows: what it is says nothing, and what lies there is not known; beside: any member."""
    return pointer(BYTES, length=(beside, {}), access="w", optional=optional, width=8)


def known(
    name: str,
    request: int,
    argument: str | Ctype | None = None,
    access: Literal["r", "w", "rw"] | None = None,
    new_file: bool = False,
    asks: str | None = None,
    follows: bool = False,
) -> Description:
    """A request by its name in C.

    argument  what it points to; where none is given as many bytes as its number claims, or nothing
    access    where the number does not tell; pointers are read first, so that a number that says "r" then means "rw"
    new_file  whether its result is a new descriptor
    asks      the last member of the argument that the driver looks at, where the others behind it are for its answer
    follows   pointers are those that the driver has written: they are followed when the call has returned
    """
    way = access or direction_of(request)
    if argument is None:
        if not way or not size_of(request):
            return describe(request, name=name, new_file=new_file)
        return describe(request, BYTES * size_of(request), access=way, name=name, new_file=new_file)  # type: ignore[arg-type]
    ctype = argument if not isinstance(argument, str) else kind(argument)
    end = None if asks is None else end_of(ctype, asks)
    if follows:
        return describe(request, ctype, access=access, name=name, follows=True)
    try:
        return describe(request, ctype, access=way or None, name=name, new_file=new_file, asks=end)  # type: ignore[arg-type]
    except BadDescription:
        if access is not None or way != "r":
            raise
        return describe(request, ctype, access="rw", name=name, new_file=new_file)


def end_of(ctype: Ctype, member: str) -> int:
    """The position behind a member."""
    found = getattr(ctype, member)
    return int(found.offset + found.size)


def value(name: str, request: int, kind: str = "i32", new_file: bool = False) -> Description:
    """A request whose argument is a number itself."""
    return describe(request, value=SCALARS[kind], name=name, new_file=new_file)


def family(access: Literal["r", "w", "rw"], argument: str | Ctype, **requests: int) -> list[Description]:
    """Several requests that carry the same."""
    return [known(name, request, argument, access) for name, request in requests.items()]
