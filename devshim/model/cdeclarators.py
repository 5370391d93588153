"""Reads C types and declarators: qualifiers, attributes, stars, names, array bounds."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from devshim.model.argument import Ctype
from devshim.model.cexpression import Expressions, Value
from devshim.model.ctokens import Text, Token
from devshim.model.ctypenames import BASES, NAMED, TAGS, WORDS

QUALIFIERS = frozenset(
    [
        "const", "volatile", "restrict", "__restrict", "__restrict__", "__user", "__iomem", "__force", "__bitwise",
        "__extension__", "static", "extern", "inline", "__inline", "__inline__", "register", "_Noreturn", "__signed",
        "__const", "__volatile__",
    ]
)  # fmt: skip
ATTRIBUTES = frozenset(
    ["__attribute__", "__attribute", "__packed", "__aligned", "_Alignas", "__counted_by", "__counted_by_le"]
)
CHAR_IS_SIGNED = os.uname().machine in ("x86_64", "i686", "i386")


class Attributes:
    """What __attribute__ said: packed, aligned(n)."""

    def __init__(self) -> None:
        self.packed = False
        self.aligned = 0


class Declarators(Expressions):
    """Reads types; what a struct, union or enum is, its derived class knows."""

    def __init__(
        self, text: Text, tags: dict[str, Ctype], types: dict[str, Ctype], constants: dict[str, Value]
    ) -> None:
        super().__init__(text, [], constants)
        self.tags: dict[str, Ctype] = {**TAGS, **tags}
        self.types: dict[str, Ctype] = {**NAMED, **types}

    def record(self) -> Ctype:
        """Read a struct or union."""
        raise NotImplementedError

    def enum(self) -> Ctype:
        """Read an enum."""
        raise NotImplementedError

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
            from difflib import get_close_matches

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

    def complete(self, ctype: Ctype, token: Token | None = None) -> None:
        """Refuse a record that was named but never declared."""
        if hasattr(ctype, "_incomplete_"):
            raise self.fail(f"{ctype._incomplete_} is not declared before this; paste its declaration too", token)

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
        """Whether a type begins at the next token."""
        text = self.token.text
        return self.token.kind == "name" and (
            text in QUALIFIERS or text in WORDS or text in self.types or text in ("struct", "union", "enum")
        )

    def type_name(self) -> Ctype:
        """Read a type without a name, as in sizeof(type)."""
        attributes = Attributes()
        name, ctype = self.declarator(self.specifier(attributes), attributes)
        if name is not None:
            raise self.fail(f"{name.text!r} is too much here", name)
        self.complete(ctype)
        return ctype


def raw_pointer(element: Ctype) -> Ctype:
    """A pointer that nobody described: a number of a pointer's size that knows what it points to."""
    base = ctypes.c_uint64 if ctypes.sizeof(ctypes.c_void_p) == 8 else ctypes.c_uint32
    return type(f"address_of_{element.__name__}", (base,), {"points_to": element})


def plain(ctype: Ctype) -> Ctype:
    """What a pointer that nobody described is in the end: a whole number."""
    if issubclass(ctype, ctypes.Array):
        element: Any = ctype._type_
        changed = plain(element)
        return ctype if changed is element else changed * ctype._length_
    return ctype.__mro__[1] if hasattr(ctype, "points_to") else ctype


def incomplete(keyword: str, tag: Token) -> Ctype:
    """What stands for a record that is named before it is declared."""
    return type(tag.text, (ctypes.Structure,), {"_incomplete_": f"{keyword} {tag.text}"})
