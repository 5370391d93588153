"""Structures and request numbers from pasted C text: what stands in a driver's header need not be typed again.

    motor = structures('''
        struct motor_xfer { __u32 len; __u8 __user *buf; /* devshim: length=len access=rw */ };
        #define MOTOR_XFER _IOWR('M', 3, struct motor_xfer)
    ''')
    @ioctl(motor.MOTOR_XFER) ...
"""

from __future__ import annotations

import ctypes
import platform
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from devshim.model.argument import BadDescription, Ctype, places, pointer
from devshim.model.cexpression import Expressions, Value
from devshim.model.clayout import Member, make_record
from devshim.model.ctokens import CTextError, Text, Token
from devshim.model.ctypenames import BASES, NAMED, TAGS, WORDS
from devshim.model.ioctl import Request

__all__ = ["CTextError", "CNames", "header", "structures"]

QUALIFIERS = frozenset(
    "const volatile restrict __restrict __restrict__ __user __iomem __force __bitwise __extension__ static extern inline "
    "__inline __inline__ register _Noreturn __signed __const __volatile__".split()
)
ATTRIBUTES = {"__attribute__", "__attribute", "__packed", "__aligned", "_Alignas", "__counted_by", "__counted_by_le"}
CHAR_IS_SIGNED = platform.machine() in ("x86_64", "i686", "i386")
NOTE_PART = re.compile(r"(\w+)(?:=([\w.]+(?:\{[^}]*\})?))?(?:\s+|\Z)")


class CNames:
    """What a text declared, as attributes: structures by tag or typedef, constants as int, requests as Request.

    A macro with parameters is a function: names.SPI_IOC_MESSAGE(2).  `structures`, `constants` and `requests` list them.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._missing: dict[str, str] = {}
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
        if name in self._missing:
            raise AttributeError(f"{self._text} defines {name}, but it is no constant: {self._missing[name]}")
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
              "element" (a ctype) where the text does not say it; the same as a comment on the member's line,
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
    return parser.names(known)


def header(path: str | Path, *, pointers: Mapping[str, Mapping[str, Any]] | None = None, known: CNames | None = None) -> CNames:
    """Read a header file, and the files beside it that it includes by "name"; see structures().  Raises OSError too."""
    path = Path(path)
    return structures(
        path.read_text(encoding="utf-8", errors="replace"),
        pointers=pointers,
        known=known,
        name=str(path),
        include=lambda file: (path.parent / file).read_text(encoding="utf-8", errors="replace"),
    )


class Attributes:
    """What __attribute__ said: packed, aligned(n)."""

    def __init__(self) -> None:
        self.packed = False
        self.aligned = 0


class Parser(Expressions):
    """Reads declarations; what makes no type or constant (functions, variables) is passed over."""

    def __init__(self, text: Text, pointers: Mapping[str, Mapping[str, Any]], known: CNames | None) -> None:
        super().__init__(text, [], {})
        self.pointers = dict(pointers)
        self.used: set[str] = set()
        self.used_notes: set[int] = set()
        self.tags: dict[str, Ctype] = {**TAGS, **(known.structures if known else {})}
        self.types: dict[str, Ctype] = {**NAMED, **(known.types if known else {})}
        self.own: set[str] = set()
        self.pack: list[int] = [0]
        if known:
            self.constants.update((name, Value(number, 64)) for name, number in known.constants.items())

    # ---- Declarations ------------------------------------------------------------------------------

    def declarations(self) -> None:
        """Read the whole text."""
        while self.token.kind != "end":
            if self.packing() or self.taken(";"):
                continue
            start = self.at
            is_typedef = self.taken("typedef") is not None
            if is_typedef or self.token.text in ("struct", "union", "enum"):
                self.declaration(is_typedef)
            else:
                self.skip_declaration()
            if self.at == start:
                raise self.fail(f"{self.token.text!r} begins no declaration")
        for path in self.pointers.keys() - self.used:
            raise CTextError(f"{self.text.name}: pointers= describes {path}, which is not declared here")
        for line in self.text.notes.keys() - self.used_notes:
            raise CTextError(f"{self.text.name}:{line}: this annotation stands beside no pointer member")

    def packing(self) -> bool:
        """Obey a #pragma pack."""
        if self.token.kind != "pack":
            return False
        token = self.take()
        words = token.text.split()
        if "pop" in words:
            if len(self.pack) == 1:
                raise self.fail("#pragma pack(pop) without its push", token)
            self.pack.pop()
            return True
        number = next((int(word) for word in words if word.isdigit()), 0 if "push" not in words else self.pack[-1])
        if "push" in words:
            self.pack.append(number)
        else:
            self.pack[-1] = number
        return True

    def declaration(self, is_typedef: bool) -> None:
        """Read one declaration that may declare types; variables and functions in it are passed over."""
        attributes = Attributes()
        base = self.specifier(attributes)
        if not is_typedef:
            self.skip_declaration()
            return
        while True:
            name, ctype = self.declarator(base, attributes)
            if name is None:
                raise self.fail("a typedef without a name")
            self.types[name.text] = ctype
            self.own.add(name.text)
            if not self.taken(","):
                break
        self.attributes(attributes)
        self.expect(";")

    def skip_declaration(self) -> None:
        """Pass over a function, a variable or whatever a macro left behind, up to its ; or its body's end."""
        while self.token.kind not in ("end", "pack"):
            if self.token.kind == "op" and self.token.text in "([{":
                is_body = self.token.text == "{"
                self.skip_group()
                if is_body and self.token.text not in ("=", ",", ";", "[", "__attribute__"):
                    return
            elif self.take().text == ";":
                return

    def specifier(self, attributes: Attributes) -> Ctype:
        """Read what stands before a declarator: qualifiers and a type."""
        words: list[str] = []
        found: Ctype | None = None
        start = self.token
        while self.token.kind == "name":
            text = self.token.text
            if text in QUALIFIERS:
                self.take()
            elif text in ATTRIBUTES:
                self.attributes(attributes)
            elif text in ("struct", "union", "enum") and found is None and not words:
                found = self.enum() if text == "enum" else self.record()
            elif text in WORDS and found is None:
                words.append(self.take().text)
            elif text in self.types and found is None and not words:
                found = self.types[self.take().text]
            else:
                break
        if words:
            found = BASES.get(" ".join(sorted(words)))
            if found is None:
                raise self.fail(f"{' '.join(words)!r} is no type", start)
        if found is None:
            near = get_close_matches(start.text, [*self.types, *self.tags], n=1)
            hint = f"; did you mean {near[0]}?" if near else "; paste its declaration before this"
            raise self.fail(f"unknown type {start.text!r}{hint}", start)
        return found

    def attributes(self, attributes: Attributes) -> None:
        """Read __attribute__((...)), __packed and their like."""
        while self.token.text in ATTRIBUTES:
            name = self.take().text
            if name == "__packed":
                attributes.packed = True
            elif name == "__aligned" or name == "_Alignas":
                self.expect("(")
                attributes.aligned = max(attributes.aligned, self.expression().number)
                self.expect(")")
            elif name.startswith("__counted_by"):
                self.skip_group()
            else:
                self.attribute_list(attributes)

    def attribute_list(self, attributes: Attributes) -> None:
        """Read the double parentheses of one __attribute__."""
        self.expect("(")
        self.expect("(")
        while not self.taken(")"):
            word = self.take()
            if word.kind == "end":
                raise self.fail("this __attribute__ never ends", word)
            if word.text.strip("_") == "packed":
                attributes.packed = True
            elif word.text.strip("_") == "aligned":
                if self.taken("("):
                    attributes.aligned = max(attributes.aligned, self.expression().number)
                    self.expect(")")
                else:
                    attributes.aligned = max(attributes.aligned, 16)  # gcc: the largest of the machine
            elif self.token.text == "(":
                self.skip_group()
        self.expect(")")

    # ---- Records and enums -------------------------------------------------------------------------

    def enum(self) -> Ctype:
        """Read an enum; its names become constants."""
        start = self.take()
        tag = self.take().text if self.token.kind == "name" else None
        if not self.taken("{"):
            return ctypes.c_uint32
        last = Value(-1)
        lowest = highest = 0
        while not self.taken("}"):
            name = self.take()
            if name.kind != "name":
                raise self.fail(f"expected a name of enum {tag or ''}, found {name.text!r}", name)
            last = self.expression() if self.taken("=") else Value(last.number + 1, last.bits, last.unsigned)
            last = Value(last.number, 64 if not -(1 << 31) <= last.number < 1 << 32 else 32, last.number >= 1 << 31)
            self.constants[name.text] = last
            self.own.add(name.text)
            lowest, highest = min(lowest, last.number), max(highest, last.number)
            if not self.taken(","):
                self.expect("}")
                break
        self.attributes(packed := Attributes())
        if packed.packed:
            raise self.fail("a packed enum is not understood; use a type of its size", start)
        if lowest < 0:
            return ctypes.c_int32 if highest < 1 << 31 and lowest >= -(1 << 31) else ctypes.c_int64
        return ctypes.c_uint32 if highest < 1 << 32 else ctypes.c_uint64

    def record(self) -> Ctype:
        """Read a struct or union, with or without its body."""
        keyword = self.take()
        attributes = Attributes()
        self.attributes(attributes)
        tag = self.take() if self.token.kind == "name" else None
        self.attributes(attributes)
        if not self.taken("{"):
            if tag is None:
                raise self.fail(f"expected a name or {{ after {keyword.text}")
            return self.tags.get(tag.text) or incomplete(keyword.text, tag)
        self.nesting += 1
        if self.nesting > 50:
            raise self.fail("structures are nested too deeply", keyword)
        members: list[Member] = []
        while not self.taken("}"):
            if self.token.kind == "end":
                raise self.fail(f"this {keyword.text} never ends", keyword)
            if not self.packing():
                self.member(tag.text if tag else "", members)
        self.nesting -= 1
        self.attributes(attributes)
        name = tag.text if tag else f"{keyword.text}_at_line_{keyword.line}"
        if len({member.name for member in members if member.name}) < sum(1 for member in members if member.name):
            raise self.fail(f"{keyword.text} {name} has two members of one name", keyword)
        made = make_record(
            name, keyword.text == "union", members, attributes.packed, attributes.aligned, self.pack[-1],
            lambda message: self.fail(message, keyword),
        )  # fmt: skip
        if tag is not None:
            self.tags[tag.text] = made
            self.own.add(tag.text)
        try:
            places(made)
        except BadDescription as problem:
            raise self.fail(str(problem), keyword) from None
        return made

    def member(self, owner: str, members: list[Member]) -> None:
        """Read one declaration in a record, with all its declarators."""
        if self.taken(";"):
            return
        if self.token.text in ("__DECLARE_FLEX_ARRAY", "DECLARE_FLEX_ARRAY"):
            self.take()
            self.expect("(")
            base = self.type_name()
            self.expect(",")
            members.append(Member(self.take().text, base * 0))
            self.expect(")")
            self.expect(";")
            return
        attributes = Attributes()
        base = self.specifier(attributes)
        if self.token.text == ";" and issubclass(base, (ctypes.Structure, ctypes.Union)):
            self.complete(base)
            members.append(Member(None, base, None, attributes.aligned, attributes.packed))
        else:
            self.declarators(owner, base, attributes, members)
        self.expect(";")

    def declarators(self, owner: str, base: Ctype, attributes: Attributes, members: list[Member]) -> None:
        """Read the names of one member declaration."""
        first = len(members)
        while True:
            mine = Attributes()
            mine.packed, mine.aligned = attributes.packed, attributes.aligned
            name, ctype = (None, base) if self.token.text == ":" else self.declarator(base, mine)
            bits = self.expression().number if self.taken(":") else None
            self.attributes(mine)
            if name is None and bits is None:
                raise self.fail(f"expected a member's name, found {self.token.text!r}")
            self.complete(ctype, name)
            if bits is not None and not 0 <= bits <= ctypes.sizeof(ctype) * 8:
                raise self.fail(f"a bit-field of {bits} bits in {ctypes.sizeof(ctype)} bytes", name)
            if name is not None and f"{owner}.{name.text}" in self.pointers:
                path = f"{owner}.{name.text}"
                self.used.add(path)
                ctype = self.described(ctype, self.pointers[path], name)
            members.append(Member(name.text if name else None, ctype, bits, mine.aligned, mine.packed))
            if not self.taken(","):
                break
        self.annotate(members, first)

    def annotate(self, members: list[Member], first: int) -> None:
        """Apply the annotation on this line to its pointer, or to its only member."""
        line = self.token.line
        note = self.text.notes.get(line)
        mine = range(first, len(members))
        if note is None:
            members[first:] = [member._replace(ctype=plain(member.ctype)) for member in members[first:]]
            return
        index = next((i for i in mine if hasattr(members[i].ctype, "points_to")), mine[-1])
        self.used_notes.add(line)
        ctype = self.described(members[index].ctype, self.parse_note(note), self.token)
        members[index] = members[index]._replace(ctype=ctype)
        members[first:] = [member._replace(ctype=plain(member.ctype)) for member in members[first:]]

    def parse_note(self, note: str) -> dict[str, Any]:
        """The arguments of pointer() from "length=len access=rw optional"."""
        found: dict[str, Any] = {}
        at = 0
        while at < len(note):
            part = NOTE_PART.match(note, at)
            if part is None or part[1] not in ("length", "access", "optional", "element", "most"):
                raise self.fail(f"annotation {note!r}: expected length=, access=, element=, most= or optional at {note[at:]!r}")
            found[part[1]] = True if part[1] == "optional" else part[2]
            at = part.end()
        if "element" in found:
            kind = self.types.get(found["element"]) or self.tags.get(found["element"])
            if kind is None:
                raise self.fail(f"annotation: unknown type {found['element']!r}")
            found["element"] = kind
        if "most" in found:
            found["most"] = int(found["most"], 0)
        if "length" in found:
            found["length"] = self.length(found["length"])
        return found

    def length(self, text: str) -> Any:
        """A length as written in an annotation: a number, a member, "nul", or member{value:count,...}."""
        member, brace, table = text.partition("{")
        try:
            if brace:
                pairs = (pair.split(":") for pair in table.rstrip("}").split(",") if pair.strip())
                return member, {int(value, 0): int(count, 0) for value, count in pairs}
            return int(text, 0) if text[0].isdigit() else text
        except ValueError:
            raise self.fail(f"annotation: length={text} is no number, member, or member{{value:count,...}}") from None

    def described(self, ctype: Ctype, description: Mapping[str, Any], token: Token) -> Ctype:
        """A pointer member (or a number that carries an address) with its description."""
        keywords = dict(description)
        element = keywords.pop("element", None) or getattr(ctype, "points_to", None) or ctypes.c_uint8
        width = ctypes.sizeof(ctype)
        try:
            self.complete(element, token)
            return pointer(element, width=width, **keywords)
        except TypeError as problem:
            raise self.fail(str(problem), token) from None

    def complete(self, ctype: Ctype, token: Token | None = None) -> None:
        """Refuse a record that was named but never declared."""
        if hasattr(ctype, "_incomplete_"):
            raise self.fail(f"{ctype._incomplete_} is not declared before this; paste its declaration too", token)

    # ---- Declarators and types ---------------------------------------------------------------------

    def declarator(self, base: Ctype, attributes: Attributes) -> tuple[Token | None, Ctype]:
        """Read stars, a name, and array bounds or a parameter list; the name may be missing (sizeof, casts)."""
        ctype = base
        while self.token.text in ("*", *QUALIFIERS) or self.token.text in ATTRIBUTES:
            if self.token.text in ATTRIBUTES:
                self.attributes(attributes)
            elif self.take().text == "*":
                ctype = raw_pointer(ctype)
        name: Token | None = None
        if self.token.text == "(" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1].text == "*":
            name, ctype = self.function_pointer()
        elif self.token.kind == "name":
            name = self.take()
        bounds: list[int] = []
        while self.taken("["):
            bounds.append(0 if self.token.text == "]" else self.expression().number)
            self.expect("]")
        if ctype is ctypes.c_char and not bounds:
            # A lone char is a small number; only arrays of it are text.
            ctype = ctypes.c_byte if CHAR_IS_SIGNED else ctypes.c_ubyte
        for bound in reversed(bounds):
            self.complete(ctype, name)
            if not 0 <= bound < 1 << 24:
                raise self.fail(f"an array of {bound}", name)
            ctype = ctype * bound
        return name, ctype

    def function_pointer(self) -> tuple[Token | None, Ctype]:
        """Read (*name)(parameters): a pointer that means nothing to a model."""
        self.expect("(")
        while self.taken("*", *QUALIFIERS):
            pass
        name = self.take() if self.token.kind == "name" else None
        self.expect(")")
        if self.token.text == "(":
            self.skip_group()
        return name, raw_pointer(ctypes.c_uint8)

    def starts_type(self) -> bool:
        text = self.token.text
        return self.token.kind == "name" and (
            text in QUALIFIERS or text in WORDS or text in self.types or text in ("struct", "union", "enum")
        )

    def type_name(self) -> Ctype:
        attributes = Attributes()
        name, ctype = self.declarator(self.specifier(attributes), attributes)
        if name is not None:
            raise self.fail(f"{name.text!r} is too much here", name)
        self.complete(ctype)
        return ctype

    # ---- What comes out ----------------------------------------------------------------------------

    def condition(self, tokens: list[Token]) -> bool:
        """Whether the condition of an #if holds."""
        reader = Expressions(self.text, tokens, {})
        reader.unknown_is_zero = True
        return reader.expression().number != 0

    def names(self, known: CNames | None) -> CNames:
        """All that was declared."""
        found = CNames(self.text.name)
        found.structures = {tag: made for tag, made in self.tags.items() if tag in self.own or (known and tag in known.structures)}
        found.types = {name: kind for name, kind in self.types.items() if name in self.own or (known and name in known.types)}
        if known is not None:
            found.constants, found.requests = dict(known.constants), dict(known.requests)
        for name in self.constants.keys() & self.own:
            found.constants[name] = self.constants[name].number
        for name, macro in self.text.macros.items():
            if name in self.text.prelude:
                continue
            if macro.parameters is not None:
                found.functions[name] = self.function(name, macro.parameters)
            elif macro.body:
                self.constant(name, list(macro.body), found)
        return found

    def constant(self, name: str, body: list[Token], found: CNames) -> None:
        """Put a #define among the constants or requests, if it is one."""
        try:
            value = self.evaluate(body, frozenset([name]))
        except CTextError as problem:
            found._missing[name] = str(problem)
            return
        if value.request is not None:
            found.requests[name] = value.request.named(name)
        else:
            found.constants[name] = value.number

    def evaluate(self, tokens: list[Token], hidden: frozenset[str] = frozenset()) -> Value:
        """The value of some tokens; all of them must be one expression."""
        self.tokens, self.at, self.nesting = self.text.expand(tokens, hidden), 0, 0
        value = self.expression()
        if self.token.kind != "end":
            raise self.fail(f"{self.token.text!r} is too much here")
        return value

    def function(self, name: str, parameters: tuple[str, ...]) -> Callable[..., int]:
        """A macro with parameters as a Python function of whole numbers."""

        def call(*arguments: int) -> int:
            if len(arguments) != len(parameters):
                raise TypeError(f"{name} takes {len(parameters)} arguments ({', '.join(parameters)}), not {len(arguments)}")
            given = ", ".join(str(int(argument)) for argument in arguments)
            value = self.evaluate(list(self.text.lex(f"{name}({given})", 0, 0)))
            return value.request.named(name) if value.request is not None else value.number

        call.__name__ = name
        return call


def raw_pointer(element: Ctype) -> Ctype:
    """A pointer that nobody described: a number of a pointer's size that knows what it points to."""
    base = ctypes.c_uint64 if ctypes.sizeof(ctypes.c_void_p) == 8 else ctypes.c_uint32
    return type(f"address_of_{element.__name__}", (base,), {"points_to": element})


def plain(ctype: Ctype) -> Ctype:
    """What a pointer that nobody described is in the end: a whole number."""
    if issubclass(ctype, ctypes.Array):
        element = plain(ctype._type_)
        return ctype if element is ctype._type_ else element * ctype._length_
    return ctype.__mro__[1] if hasattr(ctype, "points_to") else ctype


def incomplete(keyword: str, tag: Token) -> Ctype:
    """What stands for a record that is named before it is declared."""
    return type(tag.text, (ctypes.Structure,), {"_incomplete_": f"{keyword} {tag.text}"})
