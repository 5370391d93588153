"""A structure as strace(1) shows it, {name=value, ...}, as the bytes that it has in memory."""

from __future__ import annotations

import ctypes
import re
from typing import Any, NamedTuple

from devshim.model.argument import Ctype, is_array, is_pointer, is_record
from devshim.model.description import Description
from devshim.trace.convert.strace_line import BadLine, split
from devshim.trace.convert.strace_values import NUMBER, number, string
from devshim.trace.layout import Member, fields, scalar_name

#: Places in c_cc, asm-generic/termbits.h.
CHARACTERS = (
    "VINTR", "VQUIT", "VERASE", "VKILL", "VEOF", "VTIME", "VMIN", "VSWTC", "VSTART", "VSTOP", "VSUSP", "VEOL",
    "VREPRINT", "VDISCARD", "VWERASE", "VLNEXT", "VEOL2",
)  # fmt: skip
FOURCC = re.compile(r"v4l2_fourcc(_be)?\('(.)', '(.)', '(.)', '(.)'\)")
COMMENT = re.compile(r"/\*.*?\*/")
NAMED = re.compile(r"[A-Za-z_][\w.]*=(?!=)")
FRACTION = re.compile(r"(\d+)/(\d+)$")


class Shown(NamedTuple):
    """Memory before and after a call, as far as strace tells; whether that is all."""

    before: bytes
    after: bytes
    complete: bool


class Unclear(ValueError):
    """Something that strace shows in a way from which the bytes do not follow."""


def memory_shown(description: Description, text: str) -> Shown | None:
    """The memory of an argument without pointers, from what strace shows of it; None where that is an address alone."""
    if description.ctype is None or description.sized or description.steps or text[:1] not in "{[":
        return None
    try:
        given, changed = halves(text)
        before = bytearray(ctypes.sizeof(description.ctype))
        complete = fill(description.ctype, before, 0, given)
        after = bytearray(before)
        if changed:
            complete = fill(description.ctype, after, 0, changed) and complete
    except (Unclear, BadLine, OverflowError):
        return None
    return Shown(bytes(before), bytes(after), complete)


def halves(text: str) -> tuple[str, str]:
    """What stands before and behind the => that shows a change.

    It is one of {a=1} => {b=2}, or inside, {a=1 => b=2}, or that of one member, {a=1 => 2, b=3}.
    """
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "{[") - (letter in "}]")
        if text.startswith(" => ", at):
            if depth == 0:
                return text[:at], text[at + 4 :]
            if depth == 1:
                before = NAMED.findall(text[:at])
                name = before[-1] if before and not NAMED.match(text, at + 4) else ""
                return text[:at] + text[-1], text[0] + name + text[at + 4 :]
    return text, ""


def fill(ctype: Ctype, room: bytearray, at: int, text: str) -> bool:
    """Write what a text shows of a type; whether it shows all.  Raises Unclear, BadLine."""
    text = text.strip()
    if is_record(ctype):
        return fill_record(ctype, room, at, text)
    if is_array(ctype):
        return fill_array(ctype, room, at, text)
    if is_pointer(ctype):
        raise Unclear(text)
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    put(ctype, room, at, value_of(text))
    return True


def fill_record(ctype: Ctype, room: bytearray, at: int, text: str) -> bool:
    """A structure, or a fraction: 1/30."""
    if fraction := FRACTION.match(text):
        members = fields(ctype)[:2]
        for member, shown in zip(members, fraction.groups(), strict=True):
            put(member.ctype, room, at + member.offset, int(shown))
        return True
    if not text.startswith("{"):
        raise Unclear(text)
    complete = True
    for item in split(text, 1, "}")[0]:
        name, equals, shown = item.partition("=")
        found = find(ctype, name.strip())
        if item == "..." or not equals or found is None:
            complete = False
            continue
        if found.bits:
            raise Unclear(item)
        complete = fill(found.ctype, room, at + found.offset, shown) and complete
    return complete


def fill_array(ctype: Ctype, room: bytearray, at: int, text: str) -> bool:
    """A string, or a list, whose elements may have their index before them."""
    size = ctypes.sizeof(ctype._type_)
    if text.startswith('"'):
        data, whole = string(text)
        data = data[: size * ctype._length_]
        room[at : at + len(data)] = data
        return whole
    if not text.startswith("["):
        raise Unclear(text)
    complete, index = True, 0
    for item in split(text, 1, "]")[0]:
        if item == "...":
            complete = False
            continue
        if placed := re.match(r"\[(?:(\d+)|0x([0-9a-f]+)|(\w+))\]\s*=\s*(.*)", item, re.DOTALL):
            if placed[3] and placed[3] not in CHARACTERS:
                raise Unclear(item)
            index = CHARACTERS.index(placed[3]) if placed[3] else int(placed[1] or placed[2], 16 if placed[2] else 10)
            item = placed[4]
        if index >= ctype._length_:
            raise Unclear(item)
        complete = fill(ctype._type_, room, at + index * size, item) and complete
        index += 1
    return complete


def find(ctype: Ctype, path: str) -> Member | None:
    """A member by its name, also below a member: fmt.pix, and in those without a name."""
    name, _, rest = path.partition(".")
    found: Member | None
    for member in fields(ctype):
        found = None
        if member.name == name:
            found = Member(name, member.ctype, member.offset, member.bit, member.bits)
            inner = find(member.ctype, rest) if rest and is_record(member.ctype) else None
            if rest:
                found = inner and Member(inner.name, inner.ctype, member.offset + inner.offset, inner.bit, inner.bits)
        elif member.name in getattr(ctype, "_anonymous_", ()):
            inner = find(member.ctype, path)
            found = inner and Member(inner.name, inner.ctype, member.offset + inner.offset, inner.bit, inner.bits)
        if found is not None:
            return found
    return None


def value_of(text: str) -> int:
    """A number: 5, 0x6 /* ... */, 0x10|0x20, v4l2_fourcc('Y', 'U', 'Y', 'V').  Raises Unclear."""
    text = text.strip()
    if code := FOURCC.match(text):
        return int.from_bytes("".join(code.groups()[1:]).encode("latin-1"), "little") | (1 << 31 if code[1] else 0)
    value = 0
    for word in COMMENT.sub("", text).split("|"):
        if not NUMBER.fullmatch(word.strip()):
            raise Unclear(text)
        value |= number(word.strip())
    return value


def put(ctype: Any, room: bytearray, at: int, value: int) -> None:
    """Write a number."""
    size = ctypes.sizeof(ctype)
    if scalar_name(ctype).lstrip(">") in ("f32", "f64"):
        raise Unclear(str(value))
    order = "big" if scalar_name(ctype).startswith(">") else "little"
    room[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, order)  # type: ignore[arg-type]
