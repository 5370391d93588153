"""Request numbers of ioctls, made and taken apart as the _IO macros do.

Numbers are those of asm-generic/ioctl.h: 8 bits nr, 8 bits type, 14 bits size, 2 bits direction.
"""

from __future__ import annotations

import ctypes

from devshim.model.argument import BadDescription, Ctype, Sized, check_ctype

SIZE_SHIFT, SIZE_BITS, DIRECTION_SHIFT = 16, 14, 30
MOST_SIZE = (1 << SIZE_BITS) - 1
SIZE_MASK = MOST_SIZE << SIZE_SHIFT
NONE, WRITE, READ = 0, 1, 2
DIRECTIONS: dict[str, int] = {"": NONE, "w": WRITE, "r": READ, "rw": WRITE | READ}
EXACT = 0xFFFFFFFF


class Request(int):
    """An ioctl's number, usable as an int, that knows what it was made of."""

    access: str  #: "", "r", "w" or "rw", as the program sees it
    ctype: Ctype | Sized | None  #: what the argument points to
    name: str | None  #: as C calls it, where known
    numbers: range  #: more than one where a whole run of numbers was described

    def __new__(
        cls,
        number: int,
        access: str,
        ctype: Ctype | Sized | None,
        name: str | None = None,
        numbers: range | None = None,
    ) -> Request:
        request = super().__new__(cls, number)
        request.access, request.ctype, request.name = access, ctype, name
        request.numbers = range(number & 0xFF, (number & 0xFF) + 1) if numbers is None else numbers
        return request

    def named(self, name: str) -> Request:
        """The same request with the name that C gives it."""
        return Request(int(self), self.access, self.ctype, name, self.numbers)

    def __repr__(self) -> str:
        macro = {"": "IO", "r": "IOR", "w": "IOW", "rw": "IOWR"}[self.access]
        kind, _ = type_and_number(self)
        nr = repr(self.numbers) if len(self.numbers) > 1 else str(self & 0xFF)
        what = (
            f"sized({self.ctype.element.__name__})"
            if isinstance(self.ctype, Sized)
            else getattr(self.ctype, "__name__", "")
        )
        return f"{macro}({kind!r}, {nr}{', ' + what if what else ''})"


def request(access: str, type: str | int, nr: int | range, ctype: Ctype | Sized | None) -> Request:
    """A Request from the parts of its number.  Raises BadDescription where one does not fit its bits."""
    kind = ord(type) if isinstance(type, str) and len(type) == 1 else type
    numbers = nr if isinstance(nr, range) else range(nr, nr + 1)
    if not isinstance(kind, int) or not 0 <= kind < 256:
        raise BadDescription(f"ioctl type {type!r}: one character, or a number below 256")
    if not numbers or numbers.step != 1 or numbers[0] < 0 or numbers[-1] > 255:
        raise BadDescription(f"ioctl nr {nr!r}: a number below 256, or a range of them")
    size = 0
    if ctype is not None and not isinstance(ctype, Sized):
        check_ctype(ctype, f"ioctl {type!r}, {nr!r}")
        size = ctypes.sizeof(ctype)
    if size > MOST_SIZE:
        raise BadDescription(f"ioctl {type!r}, {nr!r}: {size} bytes do not fit; a request's number holds {MOST_SIZE}")
    number = DIRECTIONS[access] << DIRECTION_SHIFT | size << SIZE_SHIFT | kind << 8 | numbers[0]
    return Request(number, access, ctype, None, numbers)


def IO(type: str | int, nr: int | range) -> Request:
    """_IO of asm-generic/ioctl.h: no argument, or one by value."""
    return request("", type, nr, None)


def IOR(type: str | int, nr: int | range, ctype: Ctype | Sized) -> Request:
    """_IOR: the program reads a ctype.  A range as nr is a run of requests: the handler gets the index first."""
    return request("r", type, nr, ctype)


def IOW(type: str | int, nr: int | range, ctype: Ctype | Sized) -> Request:
    """_IOW: the program writes a ctype."""
    return request("w", type, nr, ctype)


def IOWR(type: str | int, nr: int | range, ctype: Ctype | Sized) -> Request:
    """_IOWR: the program writes a ctype and reads it back."""
    return request("rw", type, nr, ctype)


def size_of(number: int) -> int:
    """_IOC_SIZE: the bytes that a request's number claims."""
    return number >> SIZE_SHIFT & MOST_SIZE


def direction_of(number: int) -> str:
    """_IOC_DIR as access: "", "r", "w" or "rw"."""
    return ("", "w", "r", "rw")[number >> DIRECTION_SHIFT & 3]


def type_and_number(number: int) -> tuple[str | int, int]:
    """_IOC_TYPE (as a character where it is a printable one) and _IOC_NR."""
    kind = number >> 8 & 0xFF
    return chr(kind) if 0x21 <= kind < 0x7F else kind, number & 0xFF
