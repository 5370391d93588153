"""What a model sees of an ioctl's argument: the described pointers followed, and never an address.

A structure without pointers is plain ctypes.  One with pointers is seen through a subclass made once for it, in which
each pointer member is a property that gives what it points to.
"""

from __future__ import annotations

import ctypes
import operator
from collections.abc import Callable

from devshim.host.segments import Segment
from devshim.model.argument import Ctype, Pointer, count_pointers, is_array, is_pointer, is_record, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BYTES = {"c_ubyte": "B", "c_char": "B", "c_byte": "b"}
VIEWS: dict[Ctype, Ctype] = {}


def sequence(element: Ctype, room: bytearray, at: int, count: int, writable: bool) -> Any:
    """So many elements without pointers in room: bytes as a memoryview, everything else as a ctypes array."""
    code = BYTES.get(element.__name__)
    if code is None:
        return (element * count).from_buffer(room, at)
    view = memoryview(room)[at : at + count]
    if code != "B":
        view = view.cast("b")
    return view if writable else view.toreadonly()


def text(room: bytearray, at: int, length: int) -> bytes:
    """What a string pointer shows: the bytes before the NUL."""
    return bytes(room[at : at + length]).partition(b"\0")[0]


def view_class(record: Ctype) -> Ctype:
    """The subclass of a structure or union through which a model sees it, made once."""
    made = VIEWS.get(record)
    if made is None:
        made = VIEWS[record] = make_view_class(record)
    return made


def make_view_class(record: Ctype) -> Ctype:
    """The subclass of a structure or union through which a model sees it; the layout is the same."""
    shown: dict[str, Any] = {"_behind": ()}
    first = 0
    for name, kind, offset, _ in members(record):
        count = count_pointers(kind)
        if count:
            shown[name] = member_property(name, member_getter(kind, offset, first))
            if name in getattr(record, "_anonymous_", ()):
                promote(shown, name, kind)
        first += count
    return type(record.__name__, (record,), shown)


def promote(shown: dict[str, Any], name: str, kind: Ctype) -> None:
    """Show the pointers of an anonymous member as the record's own, as C does."""
    for inner, inner_kind, _, _ in members(kind):
        if count_pointers(inner_kind):
            shown[inner] = member_property(inner, operator.attrgetter(f"{name}.{inner}"))


def member_getter(kind: Ctype, offset: int, first: int) -> Callable[[Any], Any]:
    """How to get one member that is, or holds, pointers; first is its first place among the record's."""
    if is_pointer(kind):
        return lambda self: self._behind[first]
    return lambda self: held(kind, self, offset, self._behind[first:])


def held(kind: Ctype, owner: Any, offset: int, behind: tuple[Any, ...]) -> Any:
    """A member by value that holds pointers: a record's view, or a tuple for an array of them."""
    if is_pointer(kind):
        return behind[0]
    if is_record(kind):
        view = view_class(kind).from_buffer(owner, offset)
        view._behind = behind
        return view
    assert is_array(kind)
    each, size = count_pointers(kind._type_), ctypes.sizeof(kind._type_)
    return tuple(
        held(kind._type_, owner, offset + index * size, behind[index * each :]) for index in range(kind._length_)
    )


def member_property(name: str, get: Callable[[Any], Any]) -> property:
    """A property that can be read, and says how to write when it is assigned to."""

    def refuse(self: Any, value: Any) -> None:
        shown = f"{type(self).__name__}.{name}"
        raise TypeError(f"{shown} is a pointer of the program: write to what it points to, .{name}[:] = ...")

    return property(get, refuse)


def viewer(pointer: Pointer) -> Callable[[bytearray, Segment], Any]:
    """How to show the model what lies behind one pointer, in which no pointers are."""
    element, size, may_be_null = pointer.element, ctypes.sizeof(pointer.element), pointer.may_be_null
    code, writable = BYTES.get(element.__name__), "r" in pointer.access

    def show_text(room: bytearray, segment: Segment) -> Any:
        return None if may_be_null and segment.null else text(room, segment.at, segment.length)

    def show_one(room: bytearray, segment: Segment) -> Any:
        return None if segment.null else element.from_buffer(room, segment.at)

    def show_bytes(room: bytearray, segment: Segment) -> Any:
        if may_be_null and segment.null:
            return None
        return memoryview(room)[segment.at : segment.at + segment.length]

    def show_sequence(room: bytearray, segment: Segment) -> Any:
        if may_be_null and segment.null:
            return None
        return sequence(element, room, segment.at, segment.length // size, writable)

    if pointer.is_string:
        return show_text
    if pointer.length is None:
        return show_one
    return show_bytes if code == "B" and writable else show_sequence
