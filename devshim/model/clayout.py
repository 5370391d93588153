"""Lays C structures out as gcc does (System V ABI), as ctypes; what ctypes cannot express is refused, never wrong."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from devshim.model.argument import Ctype

#: Alignment of what ctypes itself does not know: structures with aligned(), or padded by hand.
ALIGNMENT = "_c_alignment_"


class Member(NamedTuple):
    """One member as declared: bits is None except for a bit-field; align is what its attributes ask for, or 0."""

    name: str | None
    ctype: Ctype
    bits: int | None = None
    align: int = 0
    packed: bool = False


class Spot(NamedTuple):
    """Where a member is: its first bit, counted from the start of the structure."""

    member: Member
    bit: int


def alignment(ctype: Ctype) -> int:
    """The alignment of a type in bytes, as gcc sees it."""
    if issubclass(ctype, ctypes.Array):
        element: Any = ctype._type_
        return alignment(element)
    known: int = vars(ctype).get(ALIGNMENT, 0)
    return known or ctypes.alignment(ctype)


def lay_out(union: bool, members: list[Member], packed: bool, aligned: int, most: int) -> tuple[list[Spot], int, int]:
    """Where each member goes, the size and the alignment, in bytes; most is #pragma pack's limit, or 0."""
    spots: list[Spot] = []
    bit = end = 0
    whole = 1
    for member in members:
        unit = ctypes.sizeof(member.ctype) * 8
        align = 1 if packed or member.packed else alignment(member.ctype)
        align = min(align, most) if most else align
        align = max(align, member.align)
        bit = 0 if union else bit
        if member.bits is None:
            bit = up(bit, align * 8)
            length = unit
        elif member.bits == 0:
            bit = up(bit, unit)
            continue
        else:
            length = member.bits
            crosses = bit // unit != (bit + length - 1) // unit
            if member.align or (crosses and not (packed or member.packed)):
                bit = up(bit, align * 8)
        spots.append(Spot(member, bit))
        bit += length
        end = max(end, bit)
        # Of bit-fields only named ones align the whole (System V ABI, AMD64 supplement 3.1.2).
        whole = max(whole, align if member.bits is None or member.name else 1)
    whole = max(whole, aligned)
    return spots, up(up(end, 8) // 8, whole), whole


def up(number: int, multiple: int) -> int:
    """The next multiple."""
    return -(-number // multiple) * multiple


def make_record(
    name: str,
    union: bool,
    members: list[Member],
    packed: bool,
    aligned: int,
    most: int,
    fail: Callable[[str], Exception],
) -> Ctype:
    """The ctypes Structure or Union with gcc's layout.  Raises what fail() makes where ctypes cannot have it."""
    spots, size, align = lay_out(union, members, packed, aligned, most)
    record = declare(name, union, members, 1 if packed else most)
    if not agrees(record, spots, size):
        record = declare(name, union, padded(spots, size, union), 1)
        if not agrees(record, spots, size):
            raise fail(f"ctypes cannot lay {name} out as gcc does (bit-fields across units); write them as one number")
    if ctypes.alignment(record) != align:
        setattr(record, ALIGNMENT, align)
    return record


def padded(spots: list[Spot], size: int, union: bool) -> list[Member]:
    """Members with explicit padding, for layouts that ctypes does not make by itself."""
    if union:
        return [*(spot.member for spot in spots), Member("_size", ctypes.c_uint8 * size)]
    found: list[Member] = []
    end = 0
    for run in runs(spots):
        at = run[0].bit // 8
        if at > end:
            found.append(Member(f"_pad{end}", ctypes.c_uint8 * (at - end)))
        if run[0].member.bits is None:
            found.append(run[0].member)
            end = at + ctypes.sizeof(run[0].member.ctype)
        else:
            unit = unit_of(run)
            found.extend(in_unit(run, unit))
            end = at + unit
    if size > end:
        found.append(Member(f"_pad{end}", ctypes.c_uint8 * (size - end)))
    return found


def runs(spots: list[Spot]) -> Iterator[list[Spot]]:
    """Each plain member alone, and together the bit-fields that share bytes."""
    run: list[Spot] = []
    for spot in spots:
        shares = run and run[-1].member.bits is not None and spot.member.bits is not None
        if run and not (shares and spot.bit // 8 <= (run[-1].bit + (run[-1].member.bits or 0) - 1) // 8):
            yield run
            run = []
        run.append(spot)
    if run:
        yield run


def unit_of(run: list[Spot]) -> int:
    """The bytes of the number in which a run of bit-fields fits: 1, 2, 4 or 8."""
    last = run[-1].bit + (run[-1].member.bits or 0)
    needed = up(last, 8) // 8 - run[0].bit // 8
    return next((unit for unit in (1, 2, 4) if unit >= needed), 8)


def in_unit(run: list[Spot], unit: int) -> Iterator[Member]:
    """A run of bit-fields as parts of one number, with the gaps between them."""
    at = run[0].bit // 8 * 8
    for spot in run:
        if spot.bit > at:
            yield Member(f"_gap{at}", getattr(ctypes, f"c_uint{unit * 8}"), spot.bit - at)
        kind = "int" if getattr(spot.member.ctype, "_type_", "I") in "bhilq" else "uint"
        yield spot.member._replace(ctype=getattr(ctypes, f"c_{kind}{unit * 8}"))
        at = spot.bit + (spot.member.bits or 0)
    rest = run[0].bit // 8 * 8 + unit * 8 - at
    if rest:
        yield Member(f"_gap{at}", getattr(ctypes, f"c_uint{unit * 8}"), rest)


def declare(name: str, union: bool, members: list[Member], pack: int) -> Ctype:
    """A ctypes class with these members; nameless ones get names, and nameless records are shown through."""
    fields: list[tuple[Any, ...]] = []
    for member, shown in zip(members, shown_names(members), strict=True):
        if member.bits != 0:
            fields.append((shown, member.ctype) if member.bits is None else (shown, member.ctype, member.bits))
    anonymous = [
        shown
        for member, shown in zip(members, shown_names(members), strict=True)
        if member.name is None and member.bits is None
    ]
    body: dict[str, Any] = {"_fields_": fields, "__module__": __name__}
    if anonymous:
        body["_anonymous_"] = tuple(anonymous)
    if pack:
        body["_pack_"] = pack
        body["_layout_"] = "ms"  # what _pack_ has always meant; said aloud because Python 3.14 asks for it
    base = ctypes.Union if union else ctypes.Structure
    return type(name, (base,), body)


def agrees(record: Ctype, spots: list[Spot], size: int) -> bool:
    """Whether ctypes put every member where gcc does."""
    if ctypes.sizeof(record) != size:
        return False
    names = shown_names([spot.member for spot in spots])
    fields = {name: bool(bits) for name, _, *bits in record._fields_}
    for spot, name in zip(spots, names, strict=True):
        field = vars(record)[name]
        if field.offset * 8 + (field.size & 0xFFFF if fields[name] else 0) != spot.bit:
            return False
    return True


def shown_names(members: list[Member]) -> list[str]:
    """The names of members, with made-up ones for those that C leaves without: _0, _1, ... and _bits0, _bits1, ..."""
    names, records, gaps = [], 0, 0
    for member in members:
        if member.name is not None:
            names.append(member.name)
        elif member.bits is None:
            names.append(f"_{records}")
            records += 1
        else:
            names.append(f"_bits{gaps}")
            gaps += member.bits != 0
    return names
