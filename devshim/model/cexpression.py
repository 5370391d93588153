"""Integer constant expressions of C, with C's widths and signs, and the _IO macros; nothing is ever executed."""

from __future__ import annotations

import ctypes
import operator
from collections.abc import Callable
from typing import NamedTuple

from devshim.model.argument import BadDescription, Ctype
from devshim.model.ctokens import CTextError, Text, Token
from devshim.model.request import Request, request

MOST_NESTING = 100
LONG = ctypes.sizeof(ctypes.c_long) * 8
DIRECTIONS = {"_IOC_NONE": 0, "_IOC_WRITE": 1, "_IOC_READ": 2}
ACCESS = {"_IO": "", "_IOR": "r", "_IOW": "w", "_IOWR": "rw", "_IOR_BAD": "r", "_IOW_BAD": "w", "_IOWR_BAD": "rw"}
LEVELS = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"),
    ("*", "/", "%"),
)  # fmt: skip


class Value(NamedTuple):
    """A number with the width and sign of its C type, and the request that it is, if it is one."""

    number: int
    bits: int = 32
    unsigned: bool = False
    request: Request | None = None


def wrap(number: int, bits: int, unsigned: bool) -> Value:
    """A number cut to its type, as C does."""
    number &= (1 << bits) - 1
    if not unsigned and number >> (bits - 1):
        number -= 1 << bits
    return Value(number, bits, unsigned)


def quotient(left: int, right: int) -> int:
    """Division towards zero, as C divides."""
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": quotient,
    "%": lambda left, right: left - right * quotient(left, right),
    "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip
COMPARISON: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


class Expressions:
    """Reads tokens one after the other; knows constants, and leaves types to its derived class."""

    def __init__(self, text: Text, tokens: list[Token], constants: dict[str, Value]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.constants = constants
        self.nesting = 0
        #: In the condition of an #if a name that nobody defined is 0 (C11 6.10.1).
        self.unknown_is_zero = False

    @property
    def token(self) -> Token:
        """The token to be read next; behind the last one, an end at its place."""
        if self.at < len(self.tokens):
            return self.tokens[self.at]
        last = self.tokens[-1] if self.tokens else Token("end", "", 0, 0)
        return Token("end", "the end of the text", last.line, last.column + len(last.text))

    def fail(self, message: str, token: Token | None = None) -> CTextError:
        """The error at a token, by default the next one."""
        return self.text.fail(token or self.token, message)

    def take(self) -> Token:
        """The next token, which is thereby read."""
        token = self.token
        self.at += 1
        return token

    def taken(self, *texts: str) -> str | None:
        """Read the next token if it is one of these; its text, or None."""
        token = self.token
        if token.kind not in ("string", "char", "end") and token.text in texts:
            self.at += 1
            return token.text
        return None

    def expect(self, text: str) -> Token:
        """Read exactly this token."""
        if self.token.text != text:
            raise self.fail(f"expected {text!r}, found {self.token.text!r}")
        return self.take()

    def starts_type(self) -> bool:
        """Whether a type begins at the next token."""
        return False

    def type_name(self) -> Ctype:
        """Read a type as in sizeof(type)."""
        raise self.fail(f"{self.token.text!r} is not known as a type here")

    def expression(self) -> Value:
        """Read an expression.  Raises CTextError."""
        self.nesting += 1
        if self.nesting > MOST_NESTING:
            raise self.fail("this expression is nested too deeply")
        value = self.binary(0)
        if self.taken("?"):
            first = self.expression()
            self.expect(":")
            second = self.expression()
            value = first if value.number else second
        self.nesting -= 1
        return value

    def binary(self, level: int) -> Value:
        """Read operators of one precedence and of those that bind closer."""
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while (sign := self.taken(*LEVELS[level])) is not None:
            token = self.tokens[self.at - 1]
            left = self.combine(token, sign, left, self.binary(level + 1))
        return left

    def combine(self, token: Token, sign: str, left: Value, right: Value) -> Value:
        """What one operator makes of two values, by C's usual arithmetic conversions."""
        if sign in ("||", "&&"):
            truth = (bool(left.number), bool(right.number))
            return Value(int(any(truth) if sign == "||" else all(truth)))
        if sign in ("<<", ">>"):
            if not 0 <= right.number < left.bits:
                raise self.fail(f"a shift by {right.number} of a number of {left.bits} bits", token)
            shifted = left.number << right.number if sign == "<<" else left.number >> right.number
            return wrap(shifted, left.bits, left.unsigned)
        bits = max(left.bits, right.bits)
        unsigned = any(side.unsigned and side.bits == bits for side in (left, right))
        one, other = wrap(left.number, bits, unsigned).number, wrap(right.number, bits, unsigned).number
        if sign in COMPARISON:
            return Value(int(COMPARISON[sign](one, other)))
        if sign in "/%" and other == 0:
            raise self.fail("division by zero", token)
        return wrap(ARITHMETIC[sign](one, other), bits, unsigned)

    def unary(self) -> Value:
        """Read signs, casts and sizeof before a primary."""
        self.nesting += 1
        if self.nesting > MOST_NESTING:
            raise self.fail("this expression is nested too deeply")
        value = self.signed()
        self.nesting -= 1
        return value

    def signed(self) -> Value:
        """Read one sign, cast or sizeof with what it stands before."""
        sign = self.taken("+", "-", "~", "!", "sizeof")
        if sign == "sizeof":
            return self.size()
        if sign is not None:
            value = self.unary()
            if sign == "!":
                return Value(int(not value.number))
            number = {"+": value.number, "-": -value.number, "~": ~value.number}[sign]
            return wrap(number, value.bits, value.unsigned)
        if self.token.text == "(" and self.token.kind == "op":
            self.take()
            if self.starts_type():
                kind = self.type_name()
                self.expect(")")
                return self.cast(kind, self.unary())
            value = self.expression()
            self.expect(")")
            return value
        return self.primary()

    def cast(self, kind: Ctype, value: Value) -> Value:
        """A value as another whole-number type."""
        letter = getattr(kind, "_type_", None)
        if not isinstance(letter, str) or letter not in "bBhHiIlLqQ?cP":
            raise self.fail(f"a cast to {kind.__name__} is no number")
        bits = ctypes.sizeof(kind) * 8
        cut = wrap(value.number, bits, letter in "BHILQ?P")
        return Value(cut.number, max(bits, 32), cut.unsigned and bits >= 32, None)

    def size(self) -> Value:
        """Read what stands behind sizeof."""
        opened = self.taken("(")
        if not opened or not self.starts_type():
            raise self.fail("sizeof needs a type in parentheses")
        kind = self.type_name()
        self.expect(")")
        return Value(ctypes.sizeof(kind), LONG, True)

    def primary(self) -> Value:
        """Read a number, a character, a constant's name or an _IO macro."""
        token = self.take()
        if token.kind == "number":
            return self.literal(token)
        if token.kind == "char":
            inside = token.text.removeprefix("L")[1:-1]
            try:
                return Value(ord(inside.encode("ascii").decode("unicode_escape").encode("latin-1")))
            except (ValueError, TypeError):
                raise self.fail(f"{token.text} is no single character", token) from None
        if token.kind == "name":
            if token.text in ACCESS or token.text == "_IOC":
                return self.request(token)
            if token.text in DIRECTIONS:
                return Value(DIRECTIONS[token.text], 32, True)
            if token.text in self.constants:
                return self.constants[token.text]
            if self.unknown_is_zero:
                if self.token.text == "(":
                    self.skip_group()
                return Value(0)
            raise self.fail(f"{token.text!r} is not known here", token)
        raise self.fail(f"expected a number, found {token.text!r}", token)

    def skip_group(self) -> None:
        """Pass over what stands between a bracket and its partner."""
        opening = self.take()
        partner = {"(": ")", "[": "]", "{": "}"}[opening.text]
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                raise self.fail(f"this {opening.text!r} never ends", opening)
            if token.kind == "op":
                depth += (token.text == opening.text) - (token.text == partner)

    def literal(self, token: Token) -> Value:
        """The value and type of a number as written (C11 6.4.4.1)."""
        text = token.text.lower()
        digits = text.rstrip("ul")
        suffix = text[len(digits) :]
        try:
            if digits.startswith("0") and digits[1:].isdigit():
                number = int(digits, 8)
            else:
                number = int(digits, 0)
        except ValueError:
            raise self.fail(f"{token.text!r} is no whole number", token) from None
        unsigned = "u" in suffix
        hexadecimal = digits.startswith("0") and len(digits) > 1
        first = LONG if "l" in suffix else 32
        for bits in (first, 64):
            if number < 1 << (bits - 1) and not unsigned:
                return Value(number, bits, False)
            if number < 1 << bits and (unsigned or hexadecimal):
                return Value(number, bits, True)
        if number < 1 << 64:
            return Value(number, 64, True)
        raise self.fail(f"{token.text} does not fit 64 bits", token)

    def request(self, token: Token) -> Value:
        """Read the arguments of an _IO macro (asm-generic/ioctl.h)."""
        self.expect("(")
        made: Request
        try:
            if token.text == "_IOC":
                made = self.raw_request()
            else:
                kind = self.expression().number
                self.expect(",")
                number = self.expression().number
                ctype = None
                if token.text != "_IO":
                    self.expect(",")
                    ctype = self.type_name()
                made = request(ACCESS[token.text], kind, number, ctype)
        except BadDescription as problem:
            raise self.fail(str(problem), token) from None
        self.expect(")")
        return Value(int(made), 32, True, made)

    def raw_request(self) -> Request:
        """Read _IOC(direction, type, nr, size); its argument is bytes."""
        parts = [self.expression().number]
        for _ in range(3):
            self.expect(",")
            parts.append(self.expression().number)
        direction, kind, number, size = parts
        if not 0 <= direction <= 3 or not 0 <= size < 1 << 14:
            raise self.fail(f"_IOC with direction {direction} and size {size}")
        ctype = ctypes.c_uint8 * size
        access = ("", "w", "r", "rw")[direction]
        if not access:
            return Request(int(request("", kind, number, None)) | size << 16, "", None)
        return request(access, kind, number, ctype)
