"""Ioctls as a device author describes them: @ioctl handlers, and which class answers what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MethodType
from typing import Any

from devshim.model.argument import (
    Access,
    BadDescription,
    Ctype,
    NewFile,
    Sized,
    Step,
    check_access,
    check_ctype,
    new_file_at,
    pointer,
    sized,
    steps,
)
from devshim.model.request import EXACT, IO, IOR, IOW, IOWR, SIZE_MASK, Request, direction_of, size_of, type_and_number

__all__ = [
    "IO", "IOR", "IOW", "IOWR", "BadDescription", "Handler", "NewFile", "Request", "collect_handlers", "direction_of",
    "find_handler", "ioctl", "patterns", "pointer", "size_of", "sized", "type_and_number",
]  # fmt: skip


class Handler:
    """A method that answers ioctls, and the description of their argument; made by @ioctl.

    As an attribute of an instance it is the plain method.

    name     of the method: dispatch is getattr(file, name), so that an override or a monkeypatch is called
    label    of the request, for people: what C calls it, else the method's name
    matches  (number, mask) pairs; a request is answered where request & mask == number
    access   "" no argument, "r", "w" or "rw"
    ctype    what the argument points to, None where nothing; for a sized one, of one element
    sized    the size is in the request's number: the argument is an array of ctype
    value    ctype of an argument that is passed by value, else None
    first    the first nr of a run of requests, whose index the method gets as its first argument; else None
    steps    the pointers behind the argument, in the order in which the shim follows them
    place    the offset of the NewFile member, None where there is none
    plan     the host's: what it compiled from this description
    """

    def __init__(
        self,
        method: Callable[..., Any],
        request: int,
        ctype: Ctype | Sized | None,
        access: str,
        value: Ctype | None,
        label: str | None,
    ) -> None:
        self.method = method
        self.name = method.__name__
        self.request = int(request)
        self.access = access
        self.value = value
        self.sized = isinstance(ctype, Sized)
        self.ctype: Ctype | None = ctype.element if isinstance(ctype, Sized) else ctype
        self.label = label or getattr(request, "name", None) or method.__name__
        numbers = getattr(request, "numbers", range(1))
        self.first: int | None = numbers[0] if len(numbers) > 1 else None
        self.matches = tuple(matches(self.request, numbers, self.sized))
        self.steps: tuple[Step, ...] = steps(self.ctype) if self.ctype is not None else ()
        self.place = new_file_at(self.ctype) if self.ctype is not None and not self.sized else None
        self.plan: Any = None
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    @property
    def number(self) -> int:
        """The request's number, without its size bits where those vary; the first one of a run."""
        return self.matches[0][0]

    @property
    def mask(self) -> int:
        """Which bits of a request are compared with number."""
        return self.matches[0][1]

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self.method, instance)

    def __repr__(self) -> str:
        return f"<ioctl {self.label} {self.number:#010x}: {self.method.__qualname__}>"

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


def ioctl(
    request: int,
    ctype: Ctype | Sized | None = None,
    *,
    access: Access | None = None,
    value: Ctype | None = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Handler]:
    """Make a method answer an ioctl request.

        @ioctl(IOR("M", 1, MotorState))            def get_state(self): return MotorState(...)
        @ioctl(IOW("M", 2, c_int32))               def set_speed(self, speed): self.speed = speed.value
        @ioctl(IO("M", 4), value=c_int)            def set_mode(self, mode): ...     (mode is an int)
        @ioctl(0x1234, Xfer, access="rw")          for numbers that no macro made, or whose size or direction lies

    A request that the program only reads ("r") has no argument, nor has IO without value=; all others have one, which
    is changed in place; a run of requests (a range as nr) has its index before it.  Arguments: the ctype's instance (a
    memoryview of a sized c_uint8, a sequence of sized structures), an int by value.

    The method returns None (the call gives 0), an int (what it gives instead), an instance of the declared type (copied
    out), a File (a new descriptor), a pair of a result and what is copied out, WAIT or REAL; it raises OSError to fail.
    A sized "r" request may return bytes: as many as fit are copied out and their number is the result.

    access is the program's view and overrides the number's.  Raises BadDescription (a TypeError) for what cannot be.
    """
    where = f"@ioctl({request!r})"
    if not isinstance(request, int) or isinstance(request, bool) or not 0 <= request <= EXACT:
        raise BadDescription(f"{where}: a request is IO(...), IOR(...), IOW(...), IOWR(...) or a number of 32 bits")
    if not isinstance(request, Request):
        where = f"@ioctl({request:#x})"
    declared: str = getattr(request, "access", "")
    if access is not None:
        check_access(access, where)
    if value is not None:
        if ctype is not None or access is not None:
            raise BadDescription(f"{where}: value= is the whole argument; it has neither a ctype nor an access")
        check_value(value, where)
        kind: Ctype | Sized | None = None
    else:
        kind = ctype if ctype is not None else getattr(request, "ctype", None)
        if kind is not None and not isinstance(kind, Sized):
            check_ctype(kind, where)
        if kind is not None and access is None and not declared:
            raise BadDescription(f'{where}: which way does {kind!r} go? Add access="r", "w" or "rw"')
        if kind is None and access is not None:
            raise BadDescription(f"{where}: access={access!r} of what? Name the argument's ctype, or value=c_int")
    way: str = "" if kind is None else access or declared

    def decorate(method: Callable[..., Any]) -> Handler:
        if not callable(method) or not hasattr(method, "__name__"):
            raise BadDescription(f"{where}: stands before a method, not before {method!r}")
        handler = Handler(method, request, kind, way, value, name)
        if way == "r" and handler.steps:
            raise BadDescription(
                f"{where} {method.__qualname__}: {handler.steps[0].place.path} is a pointer, which the shim must read "
                f'first; use IOWR, or access="rw"'
            )
        if way == "w" and handler.place is not None:
            raise BadDescription(f'{where} {method.__qualname__}: a NewFile goes back to the program; use access="rw"')
        check_signature(handler, method, method.__qualname__)
        return handler

    return decorate


def check_value(value: Any, where: str) -> None:
    """Refuse a by-value ctype that is no number of at most 8 bytes."""
    check_ctype(value, where)
    if not hasattr(value, "value") or getattr(value, "_type_", None) not in tuple("bBhHiIlLqQ?P"):
        raise BadDescription(f"{where}: value={value.__name__}; by value goes a whole number such as c_int or c_ulong")


def expected(handler: Handler) -> list[str]:
    """The arguments that a handler's method is called with, for messages and checks."""
    wanted = ["index"] if handler.first is not None else []
    if handler.value is not None:
        wanted.append("value")
    elif handler.access not in ("", "r"):
        wanted.append("argument")
    return wanted


def check_signature(handler: Handler, method: Any, qualname: str) -> None:
    """Raise BadDescription where a method cannot be called with what its request brings."""
    wanted = expected(handler)
    try:
        inspect.signature(method).bind(None, *wanted)
    except TypeError:
        shown = ", ".join(["self", *wanted])
        why = {"": "nothing comes with the request", "r": "the program only reads"}.get(handler.access, "one argument")
        if handler.value is not None:
            why = "the value is the argument"
        hint = "; for an argument by value add value=c_int" if handler.access == "" and handler.value is None else ""
        raise BadDescription(
            f"{qualname}{inspect.signature(method)} must take ({shown}) for {handler.label}: {why}{hint}"
        ) from None


class Handlers(dict[int, Handler]):
    """The handlers of one class; `wide` are the rows of patterns()."""

    def __init__(self, found: Mapping[int, Handler]) -> None:
        super().__init__(found)
        self.wide = patterns(found.values())


def collect_handlers(cls: type) -> Handlers:
    """All handlers of a class by number; a derived class's win over its bases', by number and by method name.

    A handler for a run of requests, or of a varying size, stands under mask << 32 | number of each of its `matches`, so
    that get(request) finds exact ones alone; find_handler() finds all.
    Raises BadDescription for two handlers of one request in one class, and for an override that cannot be called.
    """
    found: dict[int, Handler] = {}
    for klass in reversed(cls.__mro__):
        fresh: dict[int, Handler] = {}
        for name, value in vars(klass).items():
            found = {number: handler for number, handler in found.items() if keeps(handler, name, value, klass)}
            for number, mask in value.matches if isinstance(value, Handler) else ():
                key = number if mask == EXACT else mask << 32 | number
                if key in fresh and fresh[key] is not value:
                    raise BadDescription(
                        f"{klass.__name__}: {fresh[key].name} and {name} both answer request {number:#010x}"
                    )
                fresh[key] = value
        found.update(fresh)
    return Handlers(found)


def keeps(handler: Handler, name: str, value: Any, klass: type) -> bool:
    """Whether a base's handler stays after klass has given a name a new value: yes, as a plain method."""
    if handler.name != name or value is handler:
        return True
    if isinstance(value, Handler) or not callable(value):
        return False
    if inspect.isfunction(value):
        check_signature(handler, value, f"{klass.__name__}.{name}")
    return True


def patterns(handlers: Iterable[Handler]) -> list[tuple[int, int, Handler]]:
    """(number, mask, handler) of what matches several requests, the narrowest first; of equals, the last defined."""
    found = {(number, mask): handler for handler in handlers for number, mask in handler.matches if mask != EXACT}
    rows = [(number, mask, handler) for (number, mask), handler in reversed(found.items())]
    return sorted(rows, key=lambda row: -row[1].bit_count())


def find_handler(handlers: Mapping[int, Handler], request: int) -> Handler | None:
    """The handler that answers a request: the exact one, else the narrowest pattern that fits, else None."""
    request &= EXACT
    handler = handlers.get(request)
    if handler is not None:
        return handler
    wide = handlers.wide if isinstance(handlers, Handlers) else patterns(handlers.values())
    for number, mask, handler in wide:
        if request & mask == number:
            return handler
    return None
