"""Rules for nodes that may not be opened: GLOB or GLOB=ERRNO, as --deny and devshim.yml have them."""

from __future__ import annotations

import errno
import re

Rule = tuple[str, int]

DEFAULT = "EACCES"
FOLDER = "/dev/"


def parse(text: str) -> Rule:
    """A rule's shell pattern (fnmatch's, "*" matches "/" too) and the errno that the program gets.

    Raises ValueError, in words for the user, where there is no pattern, it can match no node, or ERRNO is none.
    """
    glob, _, name = text.rpartition("=") if "=" in text else (text, "", DEFAULT)
    number = getattr(errno, name.upper(), None)
    if not glob:
        raise ValueError("no pattern; write GLOB or GLOB=ERRNO, such as /dev/video*=ENODEV")
    if not isinstance(number, int):
        hint = nearest(name) or f"; write GLOB or GLOB=ERRNO, such as {glob}=EPERM"
        raise ValueError(f"{name!r} is no errno{hint}")
    literal = re.split(r"[*?[]", glob, maxsplit=1)[0]
    if not FOLDER.startswith(literal[: len(FOLDER)]) or glob == FOLDER:
        hint = "" if glob.startswith("/") else f"; did you mean {FOLDER}{glob}?"
        raise ValueError(f"{glob} matches nothing below {FOLDER}, and other files are never refused{hint}")
    return glob, number


def nearest(name: str) -> str:
    """ "; did you mean ...?" for a misspelt errno."""
    from difflib import get_close_matches

    near = get_close_matches(name.upper(), errno.errorcode.values(), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""
