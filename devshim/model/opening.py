"""@opening: a function of a model file that answers where the program opens a path, any path.

    @opening("/data/*")
    def only_mine(path, flags, mode):
        if not path.startswith("/data/mine/"):
            raise PermissionError(EACCES, "not yours")
        return REAL

What it returns: REAL (go on as if nobody had asked), a File, or a real descriptor, which is the program's from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = "__devshim_openings__"


class Opening(NamedTuple):
    """A function and a shell pattern of the paths that it is asked about."""

    pattern: str
    function: Callable[[str, int, int], Any]


def opening(*patterns: str) -> Callable[[Function], Function]:
    """Have a function asked about each path that a program opens and that matches one of these shell patterns.

    The patterns are fnmatch's ("*" matches "/" too) and are compared with absolute paths, by their text.  The function
    gets path, flags and mode as open(2) does, the path absolute.  Raises TypeError for what cannot match.
    """
    check_patterns(patterns)

    def mark(function: Function) -> Function:
        setattr(function, MARK, (*patterns, *getattr(function, MARK, ())))
        return function

    return mark


def check_patterns(patterns: tuple[object, ...]) -> None:
    """Raise TypeError for what is no pattern, or none that an absolute path can match."""
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern.startswith(("/", "*", "?", "[")):
            raise TypeError(f"@opening({pattern!r}): a pattern of absolute paths such as '/data/*', or '*'")
    if not patterns:
        raise TypeError("@opening needs a pattern: @opening('/data/*'), or @opening('*') for every path")


def openings_of(values: list[Any]) -> list[Opening]:
    """What functions with this mark want to be asked about, in order."""
    return [Opening(pattern, value) for value in values for pattern in getattr(value, MARK, ())]
