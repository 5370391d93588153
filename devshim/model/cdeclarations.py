"""Reads C declarations: structures, unions, enums and typedefs, with the descriptions of their pointers."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any, Protocol

from devshim.model.argument import BadDescription, Ctype, places, pointer
from devshim.model.cdeclarators import Attributes, Declarators, incomplete, plain
from devshim.model.cexpression import Expressions, Value
from devshim.model.clayout import Member, make_record
from devshim.model.cnotes import parse_note
from devshim.model.ctokens import CTextError, Text, Token


class Known(Protocol):
    """What was read before."""

    structures: dict[str, Ctype]
    types: dict[str, Ctype]
    constants: dict[str, int]


class Parser(Declarators):
    """Reads declarations; what makes no type or constant (functions, variables) is passed over."""

    def __init__(self, text: Text, pointers: Mapping[str, Mapping[str, Any]], known: Known | None) -> None:
        constants = {name: Value(number, 64) for name, number in known.constants.items()} if known else {}
        super().__init__(text, known.structures if known else {}, known.types if known else {}, constants)
        self.pointers = dict(pointers)
        self.used: set[str] = set()
        self.used_notes: set[tuple[int, int]] = set()
        self.own: set[str] = set()
        self.pack: list[int] = [0]

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
        for line, column in sorted(self.text.notes.keys() - self.used_notes):
            raise CTextError(f"{self.text.name}:{line}:{column}: this annotation stands behind no member")

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
        if self.nesting == 0:
            self.check_lengths(made, keyword)
        return made

    def check_lengths(self, made: Ctype, keyword: Token) -> None:
        """Refuse a pointer whose length is not found; that of a nested record may lie in the one around it."""
        try:
            places(made)
        except BadDescription as problem:
            raise self.fail(str(problem), keyword) from None

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
        attributes, start = Attributes(), self.token
        base = self.specifier(attributes)
        if self.token.text == ";" and issubclass(base, (ctypes.Structure, ctypes.Union)):
            self.complete(base)
            members.append(Member(None, base, None, attributes.aligned, attributes.packed))
        else:
            self.declarators(owner, base, attributes, members, start)
        self.expect(";")

    def declarators(self, owner: str, base: Ctype, attributes: Attributes, members: list[Member], start: Token) -> None:
        """Read the names of one member declaration, which began at start."""
        fresh: list[Member] = []
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
            fresh.append(Member(name.text if name else None, ctype, bits, mine.aligned, mine.packed))
            if not self.taken(","):
                break
        self.annotate(fresh, start)
        members += [member._replace(ctype=plain(member.ctype)) for member in fresh]

    def annotate(self, members: list[Member], start: Token) -> None:
        """Apply the annotation in or behind a declaration (on its last line) to its pointer, or to its only member."""
        end, after = self.token, self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else self.token
        until = (after.line, after.column) if after.line == end.line else (end.line + 1, 0)
        until = until if after is not end else (end.line + 1, 0)
        notes = [where for where in self.text.notes if (start.line, start.column) < where < until]
        for where in notes:
            candidates = [i for i, member in enumerate(members) if hasattr(member.ctype, "points_to")]
            candidates = candidates or list(range(len(members)))
            if len(candidates) > 1 or len(notes) > 1:
                raise self.fail("one annotation for one pointer: declare each member apart", start)
            self.used_notes.add(where)
            index = candidates[0]
            ctype = self.described(members[index].ctype, self.note(self.text.notes[where], start), start)
            members[index] = members[index]._replace(ctype=ctype)

    def note(self, text: str, token: Token) -> dict[str, Any]:
        """What an annotation says, as arguments of pointer()."""
        try:
            return parse_note(text, {**self.tags, **self.types})
        except ValueError as problem:
            raise self.fail(f"annotation {text!r}: {problem}", token) from None

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

    def condition(self, tokens: list[Token]) -> bool:
        """Whether the condition of an #if holds."""
        reader = Expressions(self.text, tokens, {})
        reader.unknown_is_zero = True
        return reader.expression().number != 0

    def evaluate(self, tokens: list[Token], hidden: frozenset[str] = frozenset()) -> Value:
        """The value of some tokens; all of them must be one expression."""
        self.tokens, self.at, self.nesting = self.text.expand(tokens, hidden), 0, 0
        value = self.expression()
        if self.token.kind != "end":
            raise self.fail(f"{self.token.text!r} is too much here")
        return value
