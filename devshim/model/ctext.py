"""Structures and request numbers from pasted C text: what stands in a driver's header need not be typed again.

motor = structures('''
    struct motor_xfer { __u32 len; __u8 __user *buf; /* devshim: length=len access=rw */ };
    #define MOTOR_XFER _IOWR('M', 3, struct motor_xfer)
''')
@ioctl(motor.MOTOR_XFER) ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from devshim.model.argument import Ctype
from devshim.model.cdeclarations import Parser
from devshim.model.ctokens import CTextError, Macro, Text
from devshim.model.request import Request

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CNames", "CTextError", "header", "structures"]


class CNames:
    """What a text declared, as attributes: structures by tag or typedef, constants as int, requests as Request.

    A macro with parameters is a function: names.SPI_IOC_MESSAGE(2).  `structures`, `constants` and `requests` list
    them by name.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.missing: dict[str, str] = {}
        self.structures: dict[str, Ctype] = {}
        self.types: dict[str, Ctype] = {}
        self.constants: dict[str, int] = {}
        self.requests: dict[str, Request] = {}
        self.functions: dict[str, Callable[..., int]] = {}

    def __getattr__(self, name: str) -> Any:
        for found in (self.structures, self.types, self.requests, self.constants, self.functions):
            if name in found:
                return found[name]
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.missing:
            raise AttributeError(f"{self._text} defines {name}, but it is no constant: {self.missing[name]}")
        from difflib import get_close_matches

        near = get_close_matches(name, dir(self), n=1)
        raise AttributeError(f"{self._text} does not declare {name}" + (f"; did you mean {near[0]}?" if near else ""))

    def __dir__(self) -> list[str]:
        return sorted({*self.structures, *self.types, *self.requests, *self.constants, *self.functions})


def structures(
    text: str,
    *,
    pointers: Mapping[str, Mapping[str, Any]] | None = None,
    known: CNames | None = None,
    name: str = "C text",
    include: Callable[[str], str] | None = None,
) -> CNames:
    """Read C text: structures, unions, enums, typedefs, constants and _IO macros.

    pointers  describes members, {"i2c_msg.buf": {"length": "len", "access": "rw"}}, with pointer()'s arguments and
              "element" (a ctype) where the text does not say it; the same as a comment behind the member,
              /* devshim: length=len access=rw optional */ or length=size{1:1,2:2} for a table.
    known     what was read before, whose types and constants may be used here.
    name      stands for the text in messages.
    include   gives the text of an #include "file"; without it those lines are passed over, as <file> always is.

    Pointers that nobody describes become numbers.  Raises CTextError with file, line and column.
    """
    source = Text(text, name, include)
    parser = Parser(source, pointers or {}, known)
    source.condition = parser.condition
    parser.tokens = source.tokens()
    parser.declarations()
    return collect(parser, known)


def header(
    path: str | Path, *, pointers: Mapping[str, Mapping[str, Any]] | None = None, known: CNames | None = None
) -> CNames:
    """Read a header file, and the files beside it that it includes by "name"; see structures().  Raises OSError too."""
    from pathlib import Path

    path = Path(path)
    return structures(
        path.read_text(encoding="utf-8", errors="replace"),
        pointers=pointers,
        known=known,
        name=str(path),
        include=lambda file: (path.parent / file).read_text(encoding="utf-8", errors="replace"),
    )


def collect(parser: Parser, known: CNames | None) -> CNames:
    """All that a text declared, with what was known before."""
    found = CNames(parser.text.name)
    kept = (known.structures.keys(), known.types.keys()) if known is not None else (set(), set())
    found.structures = {tag: made for tag, made in parser.tags.items() if tag in parser.own or tag in kept[0]}
    found.types = {name: kind for name, kind in parser.types.items() if name in parser.own or name in kept[1]}
    if known is not None:
        found.constants, found.requests = dict(known.constants), dict(known.requests)
    for name in parser.constants.keys() & parser.own:
        found.constants[name] = parser.constants[name].number
    for name, macro in parser.text.macros.items():
        if name in parser.text.prelude:
            continue
        if macro.parameters is not None:
            found.functions[name] = function(parser, macro.name, macro.parameters)
        elif macro.body:
            constant(parser, macro, found)
    return found


def constant(parser: Parser, macro: Macro, found: CNames) -> None:
    """Put a #define among the constants or requests, if it is one."""
    try:
        value = parser.evaluate(list(macro.body), frozenset([macro.name]))
    except CTextError as problem:
        found.missing[macro.name] = str(problem)
        return
    if value.request is not None:
        found.requests[macro.name] = value.request.named(macro.name)
    else:
        found.constants[macro.name] = value.number


def function(parser: Parser, name: str, parameters: tuple[str, ...]) -> Callable[..., int]:
    """A macro with parameters as a Python function of whole numbers."""

    def call(*arguments: int) -> int:
        if len(arguments) != len(parameters):
            raise TypeError(f"{name} takes {len(parameters)} arguments ({', '.join(parameters)}), not {len(arguments)}")
        given = ", ".join(str(int(argument)) for argument in arguments)
        value = parser.evaluate(list(parser.text.lex(f"{name}({given})", 0, 0)))
        return value.request.named(name) if value.request is not None else value.number

    call.__name__ = name
    return call
