"""One line of JSON from a stranger: strict, bounded in depth and in number of values, without doubled members."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite

from devshim.trace.format.checks import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Scanner = Callable[[str, int], tuple[Any, int]]

#: A line as it is read from a file, at most; a read of 32 MiB fits.
LONGEST_LINE = 64 << 20

#: So many values one line may hold that is longer than the second figure: lists of nothing cost 20 times their text.
MOST_VALUES = 1_000_000
LONG = 1 << 20

STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
DEEPEST = 64


def no_number(name: str) -> Any:
    """NaN and Infinity, which are no JSON."""
    raise Wrong(f"{name} is no number")


#: Objects come as tuples of pairs, so that a doubled member is seen, made by C alone; a hook of ours would be slow.
scan: Scanner = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=no_number).scan_once  # type: ignore[attr-defined]


def pairs_of(line: bytes) -> tuple[tuple[str, Any], ...]:
    """The members of the object that a line is; objects within it are tuples of pairs, too.

    Raises ValueError, with the reason in words.
    """
    if len(line) > LONG:
        refuse_many_values(line)
    try:
        text = line.decode()
        found, end = scan(text, 0)
    except UnicodeDecodeError as problem:
        raise Wrong(f"byte {problem.start + 1} is no UTF-8") from None
    except json.JSONDecodeError as problem:
        raise Wrong(f"no JSON: {problem.msg} in column {problem.colno}") from None
    except StopIteration as problem:
        raise Wrong(f"no JSON: a value is missing in column {problem.value + 1}") from None
    except RecursionError:
        raise Wrong("nested too deeply") from None
    if end != len(text) - 1 and text[end:].strip(" \t\r\n"):
        raise Wrong(f"something stands behind the object, in column {end + 1}")
    if found.__class__ is not tuple:
        raise Wrong("not an object")
    members: tuple[tuple[str, Any], ...] = found
    return members


def refuse_many_values(line: bytes) -> None:
    """Refuse a long line that is not long for its texts."""
    outside = STRINGS.sub(b"", line)
    if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > MOST_VALUES:
        raise Wrong(f"more than {MOST_VALUES} values in one line")


def members_of(pairs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """The pairs as a dictionary, without a look at objects within.  Raises ValueError for a doubled member."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Wrong(f"member {twice[:40]!r} stands there twice")
    return found


def plain(value: Any, depth: int = 0) -> Any:
    """A value with all objects within it as dictionaries.  Raises ValueError."""
    if depth > DEEPEST:
        raise Wrong("nested too deeply")
    if value.__class__ is tuple:
        return {name: plain(one, depth + 1) for name, one in members_of(value).items()}
    if value.__class__ is list:
        return [plain(one, depth + 1) for one in value]
    if value.__class__ is float and not isfinite(value):
        raise Wrong(f"{value} is no number")  # 1e999
    return value
