"""Names of nodes by pattern: plainer than regular expressions, of which thirty take milliseconds to prepare."""

from __future__ import annotations

#: Terminals below /dev (Documentation/admin-guide/devices.txt); the files of ptmx are their other ends.
TERMINALS = "tty* pts/# console rfcomm# cu*"


def is_like(name: str, patterns: str) -> bool:
    """Whether a name is as one of some patterns says, with blanks between them.

    # stands for a number, and * at the end for any rest.
    """
    return any(is_as(name, pattern) for pattern in patterns.split())


def is_as(name: str, pattern: str) -> bool:
    """Whether a name is as one pattern says."""
    rest = name
    for letter in pattern:
        if letter == "*":
            return True
        left = rest.lstrip("0123456789") if letter == "#" else rest.removeprefix(letter)
        if left == rest:
            return False
        rest = left
    return not rest


def is_terminal(path: str) -> bool:
    """Whether a node is a terminal by its name."""
    return path.startswith("/dev/") and is_like(path[len("/dev/") :], TERMINALS)
