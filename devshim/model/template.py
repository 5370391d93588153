"""Template: text with {name} and {name:.3f} in it, safe to take from a file that somebody else wrote.

str.format itself is not: "{x.__class__}" reaches into the object and "{x:>999999999}" eats the memory.  Here a
field is a plain name, and what follows its colon is one of the short forms of Python's format specification
(docs.python.org, "Format Specification Mini-Language"), at most 999 wide.
"""

from __future__ import annotations

import re
import string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | float | bool

FORMAT = re.compile(r"(?:[ -~]?[<>=^])?[-+ ]?#?0?\d{0,3},?(?:\.\d{1,2})?[bdeEfFgGoxXs%]?")


class Template:
    """Text to be filled.  Raises ValueError for a field that is more than a name and a short format."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces = tuple(string.Formatter().parse(text))
        for _, name, form, conversion in self.pieces:
            if name is None:
                continue
            if not name.isidentifier() or conversion is not None:
                raise ValueError(f'"{{{name}}}" is no field; write {{name}} or {{name:.3f}}, and {{{{ for a brace')
            if form and not FORMAT.fullmatch(form):
                raise ValueError(f'"{{{name}:{form}}}": the format {form!r} is none of the short ones')

    @property
    def names(self) -> list[str]:
        """The names that it needs, in order."""
        return list(dict.fromkeys(name for _, name, _, _ in self.pieces if name is not None))

    def fill(self, values: Mapping[str, Value]) -> str:
        """The text with its fields filled in.  Raises KeyError, or ValueError where a format does not fit its value."""
        return "".join(
            literal + ("" if name is None else format(values[name], form or ""))
            for literal, name, form, _ in self.pieces
        )
