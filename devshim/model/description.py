"""Description: what is known of an ioctl's argument, whether or not a model answers it."""

from __future__ import annotations

from devshim.model.argument import (
    Access,
    BadDescription,
    Ctype,
    Sized,
    Step,
    check_access,
    check_ctype,
    new_file_at,
    steps,
)
from devshim.model.request import EXACT, SIZE_MASK, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeVar

    Some = TypeVar("Some", bound="Description")


class Description:
    """What one request, or a run of requests, carries.

    label    of the request, for people: what C calls it
    request  its number as it was given
    numbers  the nr of all requests that it describes
    matches  (number, mask) pairs; a request is described where request & mask == number
    access   "" no argument, "r", "w" or "rw"
    ctype    what the argument points to, None where nothing; for a sized one, of one element
    sized    the size is in the request's number: the argument is an array of ctype
    value    ctype of an argument that is passed by value, else None
    first    the first nr of a run of requests; else None
    steps    the pointers behind the argument, in the order in which the shim follows them
    place    the offset of the NewFile member, None where there is none
    new_file whether the call's result is the number of a new descriptor
    asks     how many bytes of the argument, from its start, the driver looks at, where that is not all: the rest is
             for the answer, and what a program leaves there means nothing
    fills    whether the answer may fill memory that earlier calls named (model/kept.py)
    follows  whether the pointers in the argument are those of the answer: a recording follows them after the call
    """

    fills = False

    def __init__(
        self,
        request: int,
        ctype: Ctype | Sized | None,
        access: str,
        value: Ctype | None,
        label: str,
        new_file: bool = False,
        asks: int | None = None,
        follows: bool = False,
    ) -> None:
        self.request = int(request)
        self.access = access
        self.value = value
        self.sized = isinstance(ctype, Sized)
        self.ctype: Ctype | None = ctype.element if isinstance(ctype, Sized) else ctype
        self.label = label
        self.numbers: range = getattr(request, "numbers", range(self.request & 0xFF, (self.request & 0xFF) + 1))
        self.first: int | None = self.numbers[0] if len(self.numbers) > 1 else None
        self.matches = tuple(matches(self.request, self.numbers, self.sized))
        self.steps: tuple[Step, ...] = steps(self.ctype) if self.ctype is not None else ()
        self.place = new_file_at(self.ctype) if self.ctype is not None and not self.sized else None
        self.new_file = new_file
        self.asks = asks
        self.follows = follows

    @property
    def number(self) -> int:
        """The request's number, without its size bits where those vary; the first one of a run."""
        return self.matches[0][0]

    @property
    def mask(self) -> int:
        """Which bits of a request are compared with number."""
        return self.matches[0][1]

    def __repr__(self) -> str:
        return f"<ioctl {self.label} {self.number:#010x}>"

    def index(self, request: int) -> int:
        """Where in its run of requests one is; 0 for a request that stands alone."""
        return 0 if self.first is None else (request & 0xFF) - self.first


def matches(number: int, numbers: range, is_sized: bool) -> Iterator[tuple[int, int]]:
    """(number, mask) pairs that match exactly a run of numbers: aligned blocks, each of a power of two."""
    mask = EXACT & ~SIZE_MASK if is_sized else EXACT
    stem = number & mask & ~0xFF if len(numbers) > 1 else number & mask
    if len(numbers) == 1:
        yield stem, mask
        return
    start, end = numbers[0], numbers[-1] + 1
    while start < end:
        block = start & -start or 256
        while start + block > end:
            block //= 2
        yield stem | start, mask & ~(block - 1)
        start += block


def describe(
    request: int,
    ctype: Ctype | Sized | None = None,
    *,
    access: Access | None = None,
    value: Ctype | None = None,
    name: str | None = None,
    new_file: bool = False,
    asks: int | None = None,
    follows: bool = False,
) -> Description:
    """The description of a request, from what @ioctl takes; new_file, asks and follows are as in Description.

    Raises BadDescription (a TypeError) for what cannot be.
    """
    where = named(request)
    kind, way = checked(where, request, ctype, access, value)
    label = name or getattr(request, "name", None) or f"{request:#010x}"
    description = Description(request, kind, way, value, label, new_file, asks, follows)
    check_ways(description, where)
    return description


def named(request: Any) -> str:
    """A request as messages call it.  Raises BadDescription for what is none."""
    if not isinstance(request, int) or isinstance(request, bool) or not 0 <= request <= EXACT:
        raise BadDescription(
            f"@ioctl({request!r}): a request is IO(...), IOR(...), IOW(...), IOWR(...) or a number of 32 bits"
        )
    return f"@ioctl({request!r})" if isinstance(request, Request) else f"@ioctl({request:#x})"


def checked(
    where: str, request: int, ctype: Ctype | Sized | None, access: Access | None, value: Ctype | None
) -> tuple[Ctype | Sized | None, str]:
    """What an argument points to, and its access.  Raises BadDescription."""
    declared: str = getattr(request, "access", "")
    if access is not None:
        check_access(access, where)
    if value is not None:
        if ctype is not None or access is not None:
            raise BadDescription(f"{where}: value= is the whole argument; it has neither a ctype nor an access")
        check_value(value, where)
        return None, ""
    kind = ctype if ctype is not None else getattr(request, "ctype", None)
    if kind is not None and not isinstance(kind, Sized):
        check_ctype(kind, where)
    if kind is not None and access is None and not declared:
        raise BadDescription(f'{where}: which way does {kind!r} go? Add access="r", "w" or "rw"')
    if kind is None and access is not None:
        raise BadDescription(f"{where}: access={access!r} of what? Name the argument's ctype, or value=c_int")
    return kind, "" if kind is None else access or declared


def check_value(value: Any, where: str) -> None:
    """Refuse a by-value ctype that is no number of at most 8 bytes."""
    check_ctype(value, where)
    if not hasattr(value, "value") or getattr(value, "_type_", None) not in tuple("bBhHiIlLqQ?P"):
        raise BadDescription(f"{where}: value={value.__name__}; by value goes a whole number such as c_int or c_ulong")


def check_ways(description: Description, where: str) -> None:
    """Refuse an access with which the argument's pointers could not be read, or its new descriptor not handed over."""
    if description.access == "r" and description.steps and not description.follows:
        raise BadDescription(
            f"{where}: {description.steps[0].place.path} is a pointer, which the shim must read first; "
            f'use IOWR, or access="rw"'
        )
    if description.access == "w" and description.place is not None:
        raise BadDescription(f'{where}: a NewFile goes back to the program; use access="rw"')


def patterns(described: Iterable[Some]) -> list[tuple[int, int, Some]]:
    """(number, mask, description) of what matches several requests, the narrowest first; of equals, the last one."""
    found = {(number, mask): one for one in described for number, mask in one.matches if mask != EXACT}
    rows = [(number, mask, one) for (number, mask), one in reversed(found.items())]
    return sorted(rows, key=lambda row: -row[1].bit_count())


class Descriptions(dict[int, Description]):
    """Descriptions by the number of the requests that they match exactly; find() knows patterns too."""

    def __init__(self, described: Iterable[Description] = ()) -> None:
        self.all = list(described)
        exact = {number: one for one in self.all for number, mask in one.matches if mask == EXACT}
        super().__init__(exact)
        self.wide = patterns(self.all)

    def find(self, request: int) -> Description | None:
        """The description of a request: the exact one, else the narrowest pattern that fits, else None."""
        request &= EXACT
        found = self.get(request)
        if found is not None:
            return found
        return next((one for number, mask, one in self.wide if request & mask == number), None)
