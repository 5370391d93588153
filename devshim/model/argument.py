"""What an ioctl's argument looks like: plain ctypes, with pointers, sized arrays and new descriptors described."""

from __future__ import annotations

import ctypes
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

    Access = Literal["r", "w", "rw"]
    Ctype = type[Any]
    LengthRule = str | int | tuple[str, Mapping[int, int]] | None
else:
    Access, Ctype = str, type
When = tuple[str, int, int]

MOST_TABLE = 4096
MOST_TEXT = 4096
MOST_DEPTH = 8
MOST_POINTERS = 16  # the shim walks no more for one request


class BadDescription(TypeError):
    """A description that cannot be: said when the class is made, with the member's name and the way out."""


class Pointer:
    """A described pointer member: what it points to, how many elements, which way the bytes go, and when it is one."""

    def __init__(
        self, element: Ctype, length: LengthRule, access: Access, optional: bool, most: int, when: When | None = None
    ) -> None:
        self.element = element
        self.length = length
        self.access = access
        self.optional = optional
        self.most = most
        self.when = when

    @property
    def is_string(self) -> bool:
        """Whether it points to text that ends with a NUL."""
        return self.length == "nul"

    @property
    def may_be_null(self) -> bool:
        """Whether a model may find nothing there."""
        return self.optional or self.when is not None


class NewFile(ctypes.c_int32):
    """A member in which the number of a new descriptor is handed to the program, as in a GPIO line request.

    The handler returns the File that answers on it; the number itself is put there by the shim.
    """


class Sized:
    """An argument whose size is in the request's number; made by sized()."""

    def __init__(self, element: Ctype) -> None:
        self.element = element


def sized(element: Ctype) -> Sized:
    """An argument of as many elements as the size bits of the request's number say.

    IOR("E", 0x06, sized(c_uint8)) is EVIOCGNAME(len) of linux/input.h for every len, and
    IOW("k", 0, sized(spi_ioc_transfer)) is SPI_IOC_MESSAGE(n) of linux/spi/spidev.h for every n.
    """
    check_ctype(element, "sized()")
    return Sized(element)


def pointer(
    element: Ctype,
    length: LengthRule = None,
    access: Access = "rw",
    optional: bool = False,
    width: int | None = None,
    most: int = MOST_TEXT,
    when: tuple[str, int] | When | None = None,
) -> type[Any]:
    """A pointer member for use in `_fields_`; the model sees what it points to, never an address.

    element   ctype of one element: c_uint8 is seen as a memoryview, a Structure as a sequence of structures.
    length    elements: None is exactly one (seen as itself, not as a sequence); an int; the name of the member
              that holds the number ("len", or "head.len"); a pair of a member and a table, ("size", {1: 1, 2: 2}),
              where a value that is not in the table means none; "nul" for text up to its NUL.
    access    as the program sees it: "w" it hands bytes in, "r" it gets bytes back, "rw" both; of "rw" only what
              the model changed is written back.
    optional  a NULL is None; otherwise NULL with a length fails with EFAULT before the model is asked.
    width     bytes of the pointer itself: 8 where C says __u64, 4 for __u32; None is the machine's own.
    most      bytes of the longest text that "nul" looks at.
    when      ("member", value) or ("member", first, last): it is a pointer only where that member has such a value;
              otherwise nobody follows it, the model sees None, and its bytes may be another member's of a union.

    Raises BadDescription.
    """
    check_ctype(element, "pointer()")
    check_access(access, "pointer()")
    check_length(element, length, access)
    width = ctypes.sizeof(ctypes.c_void_p) if width is None else width
    if width not in (4, 8):
        raise BadDescription(f"pointer(): width={width!r}; a pointer has 4 or 8 bytes")
    base = ctypes.c_uint64 if width == 8 else ctypes.c_uint32
    description = Pointer(element, length, access, optional, most, checked_when(when))
    return type(f"pointer_to_{element.__name__}", (base,), {"description": description})


def trailing(
    element: Ctype, length: LengthRule, access: Access = "rw", when: tuple[str, int] | When | None = None
) -> type[Any]:
    """A flexible array at the end of a structure ("entries[]"), for use in `_fields_`.

    It is seen as what a pointer leads to, though it lies in the argument itself, right where this member stands, beyond
    the size that the request's number claims.  length, access and when are as in pointer().  Raises BadDescription.
    """
    check_ctype(element, "trailing()")
    check_access(access, "trailing()")
    check_length(element, length, access)
    if length is None:
        raise BadDescription("trailing(): length=None; which member says how many there are?")
    description = Pointer(element, length, access, False, MOST_TEXT, checked_when(when))
    return type(f"trailing_{element.__name__}", (element * 0,), {"description": description})


def checked_when(when: Any) -> When | None:
    """A pointer's condition as member, first and last value.  Raises BadDescription."""
    if when is None:
        return None
    shape = [type(one) for one in when] if isinstance(when, tuple) else []
    if shape not in ([str, int], [str, int, int]) or not all(0 <= value < 1 << 32 for value in when[1:]):
        raise BadDescription(f'pointer(): when={when!r}; a condition is ("member", value) or ("member", first, last)')
    return when[0], when[1], when[-1]


def check_ctype(element: Any, where: str) -> None:
    """Refuse what is not a ctype with a size, and ctypes' own pointers, whose addresses mean nothing to a model."""
    if not isinstance(element, type):
        raise BadDescription(f"{where}: {element!r} is not a ctype; take a Structure, c_uint32, c_uint8 * 16, ...")
    try:
        ctypes.sizeof(element)
    except TypeError:
        raise BadDescription(f"{where}: {element.__name__} is not a ctype") from None


def check_access(access: Any, where: str) -> None:
    """Refuse an access that is not "r", "w" or "rw"."""
    if access not in ("r", "w", "rw"):
        raise BadDescription(f'{where}: access={access!r}; the program reads ("r"), writes ("w") or both ("rw")')


def check_length(element: Ctype, length: LengthRule, access: Access) -> None:
    """Refuse a length that has no meaning; names are resolved later, in the structure that holds the pointer."""
    if length == "nul" and (ctypes.sizeof(element) != 1 or access != "w"):
        raise BadDescription('pointer(): length="nul" is for c_char that the program hands in, access="w"')
    if isinstance(length, int) and not 0 < length < 1 << 32:
        raise BadDescription(f"pointer(): length={length}; at least one element")
    if isinstance(length, tuple):
        if len(length) != 2 or not isinstance(length[0], str) or not hasattr(length[1], "items"):
            raise BadDescription(f'pointer(): length={length!r}; a table is written ("member", {{value: count}})')
        for value, count in length[1].items():
            if not (0 <= value < MOST_TABLE and 0 <= count < 1 << 32):
                raise BadDescription(f"pointer(): length table has {value}: {count}; values are below {MOST_TABLE}")
    elif length is not None and not isinstance(length, (int, str)):
        raise BadDescription(f"pointer(): length={length!r}; None, a number, a member's name, a table, or 'nul'")


class Place:
    """One pointer as it lies in a ctype: where it is, where its length is, and where what tells that it is one.

    width  0 for what lies in place: a flexible array
    """

    length_offset = length_width = when_offset = when_width = 0
    length_signed = False

    def __init__(self, path: str, offset: int, width: int, pointer: Pointer) -> None:
        self.path = path
        self.offset = offset
        self.width = width
        self.pointer = pointer

    def holds(self, element: bytes | bytearray | memoryview) -> bool:
        """Whether it is a pointer in an element with these bytes."""
        if self.pointer.when is None:
            return True
        at, (_, first, last) = self.when_offset, self.pointer.when
        return first <= int.from_bytes(element[at : at + self.when_width], "little") <= last


class Step:
    """A place in the order in which the shim follows pointers; parent 0 is the argument, k the k-th step."""

    def __init__(self, parent: int, place: Place) -> None:
        self.parent = parent
        self.place = place


def is_pointer(ctype: Any) -> bool:
    """Whether a member's type was made by pointer()."""
    return isinstance(getattr(ctype, "description", None), Pointer)


def is_record(ctype: Any) -> bool:
    """Whether a ctype is a Structure or a Union."""
    return isinstance(ctype, type) and issubclass(ctype, (ctypes.Structure, ctypes.Union))


def is_array(ctype: Any) -> bool:
    """Whether a ctype is an array type."""
    return isinstance(ctype, type) and issubclass(ctype, ctypes.Array)


def members(record: Ctype) -> Iterator[tuple[str, Ctype, int, int | None]]:
    """Name, ctype, offset and bits (None: no bit-field) of each member, inherited ones first."""
    for klass in reversed(record.__mro__):
        for name, ctype, *bits in vars(klass).get("_fields_", ()):
            yield name, ctype, vars(klass)[name].offset, bits[0] if bits else None


def places(ctype: Ctype) -> tuple[Place, ...]:
    """The pointers that lie in one element of a ctype, by position in its declaration.  Raises BadDescription."""
    return tuple(walk(ctype, 0, "", ()))


def walk(ctype: Ctype, base: int, path: str, around: tuple[tuple[Ctype, int], ...]) -> Iterator[Place]:
    """Yield the places below one member; around are the records that hold it and where they begin, innermost first."""
    if is_pointer(ctype):
        yield place(ctype, base, path, around)
    elif is_array(ctype):
        if count_pointers(ctype._type_):
            for index in range(ctype._length_):
                at = base + index * ctypes.sizeof(ctype._type_)
                yield from walk(ctype._type_, at, f"{path}[{index}]", around)
    elif is_record(ctype):
        inside = ((ctype, base), *around)
        for name, kind, offset, _ in members(ctype):
            yield from walk(kind, base + offset, f"{path}.{name}" if path else name, inside)


def count_pointers(ctype: Ctype) -> int:
    """How many pointers lie in one element of a ctype."""
    if is_pointer(ctype):
        return 1
    if is_array(ctype):
        return int(ctype._length_) * count_pointers(ctype._type_)
    return sum(count_pointers(kind) for _, kind, _, _ in members(ctype)) if is_record(ctype) else 0


def place(ctype: Ctype, base: int, path: str, around: tuple[tuple[Ctype, int], ...]) -> Place:
    """The place of one pointer, with the member that holds its length found in the records around it."""
    description: Pointer = ctype.description
    width = ctypes.sizeof(ctype)
    rule = description.length
    name = rule[0] if isinstance(rule, tuple) else rule
    found = Place(path, base, width, description)
    if isinstance(name, str) and not description.is_string:
        kind, at = member_around(name, path, around, ctype, "its length")
        found.length_offset, found.length_width, found.length_signed = at, ctypes.sizeof(kind), is_signed(kind)
    if description.when is not None:
        kind, at = member_around(description.when[0], path, around, ctype, "its condition")
        found.when_offset, found.when_width = at, ctypes.sizeof(kind)
    return found


def member_around(
    name: str, path: str, around: tuple[tuple[Ctype, int], ...], ctype: Ctype, what: str
) -> tuple[Ctype, int]:
    """The ctype and position of a member of the records around a pointer, innermost first.  Raises BadDescription."""
    for record, at in around:
        found = find_member(record, name)
        if found is not None:
            return found[0], at + found[1]
    owner = around[0][0] if around else ctype
    known = ", ".join(member for member, *_ in members(owner))
    raise BadDescription(f"{owner.__name__}.{path}: no member {name!r} holds {what}; there are: {known}")


def find_member(record: Ctype, name: str) -> tuple[Ctype, int] | None:
    """The ctype and offset of a whole-number member ("len", "head.len"), or None.  Raises BadDescription."""
    first, _, rest = name.partition(".")
    for member, kind, offset, bits in members(record):
        if member != first:
            if member in getattr(record, "_anonymous_", ()) and (inner := find_member(kind, name)) is not None:
                return inner[0], offset + inner[1]
            continue
        if rest:
            inner = find_member(kind, rest) if is_record(kind) else None
            return None if inner is None else (inner[0], offset + inner[1])
        if bits is not None or not is_whole(kind):
            raise BadDescription(f"{record.__name__}.{name} cannot be a length: it is no whole number of 1 to 8 bytes")
        return kind, offset
    return None


def is_whole(kind: Ctype) -> bool:
    """Whether a ctype holds a whole number in the machine's own byte order, which is the one that the shim reads."""
    swapped = getattr(kind, "__ctype_be__" if sys.byteorder == "little" else "__ctype_le__", None)
    return getattr(kind, "_type_", None) in tuple("bBhHiIlLqQ?") and (kind is not swapped or ctypes.sizeof(kind) == 1)


def is_signed(kind: Ctype) -> bool:
    """Whether a whole-number ctype has a sign."""
    return kind._type_ in tuple("bhilq")


def steps(ctype: Ctype) -> tuple[Step, ...]:
    """All pointers reached from an argument, parents before their children.  Raises BadDescription."""
    found: list[Step] = []
    follow(ctype, 0, found, 1)
    return tuple(found)


def follow(ctype: Ctype, parent: int, found: list[Step], depth: int) -> None:
    """Append the places of one element, each followed by what lies behind it."""
    for where in places(ctype):
        if depth > MOST_DEPTH or len(found) >= MOST_POINTERS:
            raise BadDescription(f"{ctype.__name__}.{where.path}: too many pointers; is it a linked list?")
        found.append(Step(parent, where))
        behind = where.pointer.element
        if "w" not in where.pointer.access and count_pointers(behind):
            raise BadDescription(
                f"{ctype.__name__}.{where.path}: {behind.__name__} holds pointers, which the shim must read first; "
                f'use access="rw"'
            )
        follow(behind, len(found), found, depth + 1)


def new_file_at(ctype: Ctype, base: int = 0) -> int | None:
    """The offset of the NewFile member, or None where there is none.  Raises BadDescription for a second one."""
    if ctype is NewFile:
        return base
    offsets = []
    for _, kind, offset, _ in members(ctype) if is_record(ctype) else ():
        at = new_file_at(kind, base + offset)
        if at is not None:
            offsets.append(at)
    if len(offsets) > 1:
        raise BadDescription(f"{ctype.__name__}: two NewFile members; one call hands over one descriptor")
    return offsets[0] if offsets else None
