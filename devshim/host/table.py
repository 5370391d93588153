"""Compiles ioctl descriptions into the table that the shim follows: struct ioctl_table of shim/wire.h."""

from __future__ import annotations

import ctypes
import struct

from devshim.model.argument import Place, Sized, Step
from devshim.model.description import Description, Descriptions, patterns
from devshim.model.request import EXACT, SIZE_MASK, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = struct.Struct("<4I")  # exact, patterns, pointers, lengths
ENTRY = struct.Struct("<3I2H2I")  # request, mask, size, flags, pointers, first_pointer, place
#: parent, offset, element, flags, width, length_kind, length and its three parts, when_offset, when_width, first, last
POINTER = struct.Struct("<3IH2B8I")

IOCTL_IN, IOCTL_OUT, IOCTL_VALUE, IOCTL_NATIVE, IOCTL_SIZED, IOCTL_OPENS, IOCTL_FILLS = 1, 2, 4, 8, 16, 32, 64
IOCTL_FOLLOWS = 128
RESULT_PLACE = 0xFFFFFFFF
POINTER_IN, POINTER_OUT, POINTER_OPTIONAL = 1, 2, 4
LENGTH_CONSTANT, LENGTH_MEMBER, LENGTH_TABLE, LENGTH_STRING = range(4)


def compile_table(
    handlers: Iterable[Description], native: Iterable[int] = (), known: Descriptions | None = None
) -> bytes:
    """The table for a device's handlers (or for descriptions alone), and for the requests that its carrier answers.

    Exact requests come first, sorted; then patterns, the narrowest first.  Where a request is both described and
    native, the handler answers.  The entry of a sized request carries the size of one element.  known: what native
    requests carry, for recordings.
    """
    pointers: list[bytes] = []
    lengths: list[int] = []
    exact: dict[int, bytes] = {}
    wide: list[tuple[int, int, bytes]] = []
    first_of: dict[Description, int] = {}
    described = list(dict.fromkeys(handlers))

    def entry(number: int, mask: int, handler: Description, more: int = 0) -> bytes:
        if handler not in first_of:
            first_of[handler] = len(pointers)
            pointers.extend(pointer_bytes(step, lengths) for step in handler.steps)
        size = ctypes.sizeof(handler.ctype) if handler.ctype is not None else 0
        place = RESULT_PLACE if handler.new_file else handler.place or 0
        return ENTRY.pack(number, mask, size, flags_of(handler) | more, len(handler.steps), first_of[handler], place)

    for request in native:
        number, mask = native_match(request)
        carries = known.find(number) if known is not None and mask == EXACT else None
        row = ENTRY.pack(number, mask, 0, IOCTL_NATIVE, 0, 0, 0)
        if carries is not None:
            row = entry(number, mask, carries, IOCTL_NATIVE)
        if mask == EXACT:
            exact[number] = row
        else:
            wide.append((number, mask, row))
    for handler in described:
        exact.update((number, entry(number, mask, handler)) for number, mask in handler.matches if mask == EXACT)
    rows = [(number, mask, entry(number, mask, handler)) for number, mask, handler in patterns(described)]
    wide = sorted(rows + wide, key=lambda row: -row[1].bit_count())
    return b"".join(
        (
            TABLE.pack(len(exact), len(wide), len(pointers), len(lengths)),
            *(exact[number] for number in sorted(exact)),
            *(row for _, _, row in wide),
            *pointers,
            struct.pack(f"<{len(lengths)}I", *lengths),
        )
    )


def native_match(request: int) -> tuple[int, int]:
    """Number and mask of a native request; one made with sized() is native for every size."""
    is_sized = isinstance(request, Request) and isinstance(request.ctype, Sized)
    mask = EXACT & ~SIZE_MASK if is_sized else EXACT
    return int(request) & mask, mask


def flags_of(handler: Description) -> int:
    """enum ioctl_flag of a handler's entry."""
    opens = IOCTL_OPENS if handler.new_file or handler.place is not None else 0
    if not handler.access:
        return IOCTL_VALUE | opens
    flags = (IOCTL_SIZED if handler.sized else opens) | (IOCTL_FILLS if handler.fills else 0)
    flags |= IOCTL_FOLLOWS if handler.follows else 0
    return flags | (IOCTL_IN if "w" in handler.access else 0) | (IOCTL_OUT if "r" in handler.access else 0)


def pointer_bytes(step: Step, lengths: list[int]) -> bytes:
    """One struct ioctl_pointer; a length table is appended to lengths."""
    place = step.place
    pointer = place.pointer
    flags = (POINTER_IN if "w" in pointer.access else 0) | (POINTER_OUT if "r" in pointer.access else 0)
    flags |= POINTER_OPTIONAL if pointer.optional else 0
    kind, length, count = length_rule(place, lengths)
    return POINTER.pack(
        step.parent, place.offset, ctypes.sizeof(pointer.element), flags, place.width, kind,
        length, place.length_offset, place.length_width, count,
        place.when_offset, place.when_width, *(pointer.when or (None, 0, 0))[1:],
    )  # fmt: skip


def length_rule(place: Place, lengths: list[int]) -> tuple[int, int, int]:
    """enum length_kind, length and length_count of one pointer."""
    rule = place.pointer.length
    if place.pointer.is_string:
        return LENGTH_STRING, place.pointer.most, 0
    if isinstance(rule, tuple):
        first, count = len(lengths), max(rule[1], default=-1) + 1
        lengths.extend(rule[1].get(value, 0) for value in range(count))
        return LENGTH_TABLE, first, count
    if isinstance(rule, str):
        return LENGTH_MEMBER, 0, 0
    return LENGTH_CONSTANT, 1 if rule is None else rule, 0
