"""Ioctls as a device author describes them: @ioctl handlers, and which class answers what."""

from __future__ import annotations

from types import FunctionType, MethodType

from devshim.model.argument import Access, BadDescription, Ctype, NewFile, Sized, pointer, sized, trailing
from devshim.model.description import (
    Description,
    Descriptions,
    check_ways,
    checked,
    describe,
    named,
    patterns,
)
from devshim.model.request import EXACT, IO, IOR, IOW, IOWR, Request, direction_of, size_of, type_and_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = [
    "IO", "IOR", "IOW", "IOWR", "BadDescription", "Description", "Descriptions", "Handler", "NewFile", "Request",
    "collect_handlers", "describe", "direction_of", "find_handler", "ioctl", "patterns", "pointer", "size_of", "sized",
    "trailing", "type_and_number",
]  # fmt: skip


class Handler(Description):
    """A method that answers ioctls, and the description of their argument; made by @ioctl.

    As an attribute of an instance it is the plain method.

    name     of the method: dispatch is getattr(file, name), so that an override or a monkeypatch is called
    plan     the host's: what it compiled from this description
    query    it only asks: the program may be given the same answer again without the method being called
    keeps    the method's last argument is the Memory that the call named, for an answer to a later call (model/kept.py)
    fills    it may return Filled, to put bytes there

    In a run of requests the method gets a request's index as its first argument.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        request: int,
        ctype: Ctype | Sized | None,
        access: str,
        value: Ctype | None,
        label: str | None,
        query: bool = False,
        keeps: bool = False,
        fills: bool = False,
    ) -> None:
        super().__init__(request, ctype, access, value, label or getattr(request, "name", None) or method.__name__)
        self.method = method
        self.name = method.__name__
        self.plan: Any = None
        self.query = query
        self.keeps, self.fills = keeps, fills
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self.method, instance)

    def __repr__(self) -> str:
        return f"<ioctl {self.label} {self.number:#010x}: {self.method.__qualname__}>"


def ioctl(
    request: int,
    ctype: Ctype | Sized | None = None,
    *,
    access: Access | None = None,
    value: Ctype | None = None,
    name: str | None = None,
    query: bool = False,
    keeps: bool = False,
    fills: bool = False,
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

    query: it only asks.  The answer follows from the argument and from what the run's devices are, which changes in
    calls, timers and under devshim.lock alone; the method changes nothing.  Then the program gets the same answer again
    without a call of the method, until another call, a timer or a plug may have changed it; where calls are listed or
    counted (-v, sessions, recordings) each is made.  A method that overrides this one is called each time.

    keeps: the method has one more argument, the Memory that the call named.  fills: it may return Filled(answer,
    fills), and then puts bytes where such an earlier call pointed (model/kept.py).

    access is the program's view and overrides the number's.  Raises BadDescription (a TypeError) for what cannot be.
    """
    where = named(request)
    kind, way = checked(where, request, ctype, access, value)
    if keeps and "w" not in way:
        raise BadDescription(f"{where}: keeps=True of an argument that the program does not hand in")
    if query and (keeps or fills):
        raise BadDescription(f"{where}: query=True of a request that does more than ask (keeps=True, fills=True)")
    if fills and "r" not in way:
        raise BadDescription(f"{where}: fills=True of an argument of which the program reads nothing")

    def decorate(method: Callable[..., Any]) -> Handler:
        if not callable(method) or not hasattr(method, "__name__"):
            raise BadDescription(f"{where}: stands before a method, not before {method!r}")
        handler = Handler(method, request, kind, way, value, name, query, keeps, fills)
        check_ways(handler, f"{where} {method.__qualname__}")
        check_signature(handler, method, method.__qualname__)
        return handler

    return decorate


def expected(handler: Handler) -> list[str]:
    """The arguments that a handler's method is called with, for messages and checks."""
    wanted = ["index"] if handler.first is not None else []
    if handler.value is not None:
        wanted.append("value")
    elif handler.access not in ("", "r"):
        wanted.append("argument")
    if handler.keeps:
        wanted.append("memory")
    return wanted


def takes(method: Any, count: int) -> bool:
    """Whether a plain function can be called with so many arguments; of anything else inspect has to tell."""
    if type(method) is not FunctionType or vars(method) or method.__kwdefaults__ or method.__code__.co_kwonlyargcount:
        return False
    most = method.__code__.co_argcount
    return most - len(method.__defaults__ or ()) <= count <= most


def check_signature(handler: Handler, method: Any, qualname: str) -> None:
    """Raise BadDescription where a method cannot be called with what its request brings."""
    wanted = expected(handler)
    if takes(method, 1 + len(wanted)):
        return
    import inspect

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
    if isinstance(value, FunctionType):
        check_signature(handler, value, f"{klass.__name__}.{name}")
    return True


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
