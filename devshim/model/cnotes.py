"""Annotations of pointers in pasted C text: /* devshim: length=len access=rw optional */."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devshim.model.argument import Ctype

NOTE_PART = re.compile(r"(\w+)(?:=([\w.]+(?:\{[^}]*\})?))?(?:\s+|\Z)")
WORDS = ("length", "access", "optional", "element", "most")


def parse_note(note: str, types: Mapping[str, Ctype]) -> dict[str, Any]:
    """The arguments of pointer() from "length=len access=rw optional"; element= is looked up in types.

    Raises ValueError that says what was expected.
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(note):
        part = NOTE_PART.match(note, at)
        if part is None or part[1] not in WORDS or (part[2] is None) != (part[1] == "optional"):
            raise ValueError(f"expected length=, access=, element=, most= or optional at {note[at:]!r}")
        found[part[1]] = True if part[1] == "optional" else part[2]
        at = part.end()
    if "element" in found:
        if found["element"] not in types:
            raise ValueError(f"unknown type {found['element']!r}")
        found["element"] = types[found["element"]]
    if "most" in found:
        found["most"] = int(found["most"], 0)
    if "length" in found:
        found["length"] = parse_length(found["length"])
    return found


def parse_length(text: str) -> Any:
    """A length as written: a number, a member, "nul", or member{value:count,...}."""
    member, brace, table = text.partition("{")
    try:
        if brace:
            pairs = (pair.split(":") for pair in table.rstrip("}").split(",") if pair.strip())
            return member, {int(value, 0): int(count, 0) for value, count in pairs}
        return int(text, 0) if text[0].isdigit() else text
    except ValueError:
        raise ValueError(f"length={text} is no number, member, or member{{value:count,...}}") from None
