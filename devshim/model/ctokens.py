"""Turns pasted C text into tokens: comments, preprocessor conditions and macros are dealt with here.

What is not C of a header (code, strings, ##) passes through as tokens; whether it matters is the parser's business.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_TEXT = 4 << 20
MOST_TOKENS = 1_000_000


class CTextError(ValueError):
    """Something in C text that cannot be understood; the message begins with file, line and column."""


class Token(NamedTuple):
    """One token; kind is "name", "number", "char", "string", "op", "pack" (of #pragma pack) or "end"."""

    kind: str
    text: str
    line: int
    column: int


class Macro(NamedTuple):
    """One #define; parameters is None for one without parentheses."""

    name: str
    parameters: tuple[str, ...] | None
    body: tuple[Token, ...]


LITERAL_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?(?:\*/|\Z)|//[^\n]*', re.DOTALL)
TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f\v]+)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
      | (?P<char>L?'(?:\\.|[^'\\\n])+')
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<op>\.\.\.|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\#\#|->|\+\+|--|[-+*/%&|^~!<>=?:;,.(){}\[\]\#\\@$`])""",
    re.VERBOSE,
)
NOTE = re.compile(r"devshim:\s*(.*?)\s*\Z", re.DOTALL)
#: Of linux/const.h and asm-generic/ioctl.h, which headers include and nobody pastes.
PRELUDE = """
#define _BITUL(x) (1UL << (x))
#define _BITULL(x) (1ULL << (x))
#define _UL(x) (x)
#define _ULL(x) (x)
#define _IOC_NR(nr) ((nr) & 255)
#define _IOC_TYPE(nr) (((nr) >> 8) & 255)
#define _IOC_SIZE(nr) (((nr) >> 16) & 16383)
#define _IOC_DIR(nr) (((nr) >> 30) & 3)
"""
#: What the parser itself knows: a pasted <asm-generic/ioctl.h> may define them again without effect.
BUILT_IN = frozenset(
    [
        "_IO", "_IOR", "_IOW", "_IOWR", "_IOC", "_IOR_BAD", "_IOW_BAD", "_IOWR_BAD",
        "_IOC_NONE", "_IOC_READ", "_IOC_WRITE",
    ]
)  # fmt: skip
#: Lines before which what was read must be expanded, by the macros that stood until then.
CHANGES = ("define", "undef", "pragma", "include")


def predefined() -> dict[str, str]:
    """The macros that a compiler for this machine defines and that kernel headers ask for."""
    bits = str(ctypes.sizeof(ctypes.c_long) * 8)
    order = "LITTLE" if sys.byteorder == "little" else "BIG"
    return {
        "__BITS_PER_LONG": bits, "BITS_PER_LONG": bits, "__WORDSIZE": bits,
        "__LITTLE_ENDIAN": "1234", "__BIG_ENDIAN": "4321", "__BYTE_ORDER": f"__{order}_ENDIAN",
        f"__{order}_ENDIAN_BITFIELD": "1", "__linux__": "1", f"__{os.uname().machine}__": "1",
    }  # fmt: skip


class Text:
    """C text, its tokens in order, the macros it defines, and its annotations by line and column."""

    def __init__(self, text: str, name: str, include: Callable[[str], str] | None = None) -> None:
        if len(text) > MOST_TEXT:
            raise CTextError(f"{name}: {len(text)} characters; {MOST_TEXT} at most")
        self.name = name
        self.include = include
        self.macros: dict[str, Macro] = {}
        self.notes: dict[tuple[int, int], str] = {}
        self.branches: list[tuple[bool, bool]] = []  # of each open #if: taken now, taken before
        self.depth = 0
        self.made = 0
        #: Evaluates the tokens of an #if; set by whoever knows expressions.
        self.condition: Callable[[list[Token]], bool] = lambda tokens: False
        for macro, body in predefined().items():
            self.macros[macro] = Macro(macro, None, tuple(self.lex(body, 0, 0)))
        list(self.read(PRELUDE))
        self.prelude = frozenset(self.macros)
        self.source = text

    def fail(self, token: Token, message: str) -> CTextError:
        """The error for one place, to be raised."""
        where = f"{token.line}:{token.column}" if token.line else "end"
        return CTextError(f"{self.name}:{where}: {message}")

    def tokens(self) -> list[Token]:
        """All tokens behind the preprocessor.  Raises CTextError."""
        found = list(self.read(self.source))
        if self.branches:
            raise CTextError(f"{self.name}: an #if without its #endif")
        return found

    def read(self, text: str) -> Iterator[Token]:
        """The tokens of one text or included file."""
        pending: list[Token] = []
        for line in self.lines(self.without_comments(text)):
            if line and line[0].text == "#":
                if self.active and len(line) > 1 and line[1].text in CHANGES:
                    yield from self.expand(pending)
                    pending = []
                yield from self.directive(line)
            elif self.active:
                pending += line
        yield from self.expand(pending)

    @property
    def active(self) -> bool:
        """Whether no #if around here says no."""
        return all(now for now, _ in self.branches)

    def without_comments(self, text: str) -> str:
        """The text with blanks for its comments; annotations in them are kept by where they begin."""

        def blank(match: re.Match[str]) -> str:
            part = match.group()
            if part[0] in "\"'":
                return part
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            if part.startswith("/*") and (len(part) < 4 or not part.endswith("*/")):
                raise CTextError(f"{self.name}:{line}:{column}: this comment never ends")
            note = NOTE.match(part.removeprefix("//").removeprefix("/*").removesuffix("*/").strip())
            if note and self.depth == 0:
                self.notes[line, column] = note[1]
            return re.sub(r"[^\n]", " ", part)

        return LITERAL_OR_COMMENT.sub(blank, text)

    def lines(self, text: str) -> Iterator[list[Token]]:
        """The tokens of each logical line: a backslash at the end joins the next one to it."""
        joined: list[Token] = []
        for number, line in enumerate(text.split("\n"), 1):
            bare = line.rstrip()
            goes_on = bare.endswith("\\")
            joined += self.lex(bare[:-1] if goes_on else bare, number, 1)
            if not goes_on:
                yield joined
                joined = []
        yield joined

    def lex(self, text: str, line: int, column: int) -> Iterator[Token]:
        """The tokens of one physical line."""
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise CTextError(f"{self.name}:{line}:{column + at}: {text[at]!r} is no C")
            if match.lastgroup != "space":
                yield Token(str(match.lastgroup), match.group(), line, column + at)
            at = match.end()

    def directive(self, line: list[Token]) -> Iterator[Token]:
        """Obey one # line."""
        name, rest = (line[1].text, line[2:]) if len(line) > 1 else ("", [])
        if name in ("if", "ifdef", "ifndef"):
            self.branches.append((taken := self.active and self.decide(name, line[1], rest), taken))
        elif name in ("elif", "else", "endif"):
            if not self.branches:
                raise self.fail(line[0], f"#{name} without an #if")
            _, before = self.branches.pop()
            if name != "endif":
                now = self.active and not before and (name == "else" or self.decide("if", line[1], rest))
                self.branches.append((now, before or now))
        elif not self.active:
            return
        elif name == "define":
            self.define(line)
        elif name == "undef" and rest:
            self.macros.pop(rest[0].text, None)
        elif name == "error":
            raise self.fail(line[0], "#error " + " ".join(token.text for token in rest))
        elif name == "pragma" and rest and rest[0].text == "pack":
            yield Token("pack", " ".join(token.text for token in rest[1:] if token.text not in "(),"), *line[0][2:])
        elif name == "include" and rest and rest[0].kind == "string" and self.include is not None:
            yield from self.included(rest[0])

    def included(self, token: Token) -> Iterator[Token]:
        """The tokens of an #include "file"; they stand at the line that includes them."""
        assert self.include is not None
        if self.depth == 16:
            raise self.fail(token, "too many files include each other")
        try:
            text = self.include(token.text[1:-1])
        except OSError as problem:
            raise self.fail(token, f"cannot read {token.text}: {problem.strerror}") from None
        self.depth += 1
        yield from (Token(found.kind, found.text, token.line, token.column) for found in list(self.read(text)))
        self.depth -= 1

    def decide(self, name: str, token: Token, rest: list[Token]) -> bool:
        """Whether the condition of an #if, #ifdef or #ifndef holds."""
        if name == "if":
            return self.condition(self.expand(self.without_defined(rest)))
        if not rest:
            raise self.fail(token, f"#{name} of what?")
        return (rest[0].text in self.macros) == (name == "ifdef")

    def without_defined(self, tokens: list[Token]) -> list[Token]:
        """Tokens of a condition with 1 or 0 for each defined(NAME)."""
        found: list[Token] = []
        rest = list(tokens)
        while rest:
            token = rest.pop(0)
            if token.text != "defined":
                found.append(token)
                continue
            named = [part for part in rest[:3] if part.kind == "name"][:1]
            if not named:
                raise self.fail(token, "defined of what?")
            del rest[: 3 if rest[0].text == "(" else 1]
            found.append(Token("number", str(int(named[0].text in self.macros)), token.line, token.column))
        return found

    def define(self, line: list[Token]) -> None:
        """Keep one #define."""
        if len(line) < 3 or line[2].kind != "name":
            raise self.fail(line[0], "#define of what?")
        name, rest = line[2], line[3:]
        if name.text in BUILT_IN:
            return
        parameters = None
        # Only a parenthesis that touches the name begins parameters (C11 6.10.3).
        if rest and rest[0].text == "(" and rest[0][2:] == (name.line, name.column + len(name.text)):
            end = next((i for i, token in enumerate(rest) if token.text == ")"), None)
            if end is None:
                raise self.fail(rest[0], "these parameters never end")
            parameters = tuple(token.text for token in rest[1:end] if token.text != ",")
            rest = rest[end + 1 :]
        self.macros[name.text] = Macro(name.text, parameters, tuple(rest))

    def expand(self, tokens: list[Token], hidden: frozenset[str] = frozenset()) -> list[Token]:
        """Tokens with all macros replaced, again and again, but never a macro within itself."""
        found: list[Token] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            macro = self.macros.get(token.text) if token.kind == "name" and token.text not in hidden else None
            if macro is None or (macro.parameters is not None and not (at < len(tokens) and tokens[at].text == "(")):
                found.append(token)
                continue
            values: dict[str, list[Token]] = {}
            if macro.parameters is not None:
                arguments, at = self.arguments(tokens, at)
                values = dict(zip(macro.parameters, arguments, strict=False))
            values = {name: self.expand(value, hidden) for name, value in values.items()}
            body = [Token(part.kind, part.text, token.line, token.column) for part in macro.body]
            body = [new for part in body for new in values.get(part.text, [part])]
            self.made += len(body)
            if self.made > MOST_TOKENS:
                raise self.fail(token, f"the macros here grow beyond {MOST_TOKENS} tokens")
            found += self.expand(body, hidden | {macro.name})
        return found

    def arguments(self, tokens: list[Token], at: int) -> tuple[list[list[Token]], int]:
        """The arguments of a macro's use, and where the text goes on; at is its opening parenthesis."""
        found: list[list[Token]] = [[]]
        depth = 0
        for index in range(at, len(tokens)):
            text = tokens[index].text
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return found, index + 1
            if text == "," and depth == 1:
                found.append([])
            elif index > at:
                found[-1].append(tokens[index])
        raise self.fail(tokens[at], "this parenthesis never ends")
