"""Flags in words, as C writes them, and back: of open, and of poll."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def flag_names(prefix: str, of: Any) -> dict[str, int]:
    """The flags that a module names, most bits first, so that O_SYNC goes before O_DSYNC."""
    found = {name: getattr(of, name) for name in dir(of) if name.startswith(prefix) and getattr(of, name)}
    return dict(sorted(found.items(), key=lambda item: -item[1].bit_count()))


OPEN_FLAGS = {
    name: value
    for name, value in flag_names("O_", os).items()
    if name not in ("O_ACCMODE", "O_RDONLY", "O_WRONLY", "O_RDWR", "O_NDELAY", "O_RSYNC")
}
ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
POLL_BITS = {
    "POLLIN": 0x1, "POLLPRI": 0x2, "POLLOUT": 0x4, "POLLERR": 0x8, "POLLHUP": 0x10, "POLLNVAL": 0x20,
    "POLLRDNORM": 0x40, "POLLRDBAND": 0x80, "POLLWRNORM": 0x100, "POLLWRBAND": 0x200, "POLLMSG": 0x400,
    "POLLRDHUP": 0x2000,
}  # fmt: skip

MOST_FLAGS = (1 << 32) - 1


def words(value: int, names: Mapping[str, int], first: str = "") -> str:
    """Flags as C writes them; bits without a name as one hexadecimal number."""
    found = [first] if first else []
    for name, bits in names.items():
        if value & bits == bits:
            found.append(name)
            value &= ~bits
    if value:
        found.append(f"{value:#x}")
    return "|".join(found)


def unwords(text: str, names: Mapping[str, int]) -> int:
    """The inverse of words().  Raises ValueError."""
    value = 0
    for word in text.split("|") if text else ():
        if word in names:
            value |= names[word]
        elif word in ACCESS:
            value |= ACCESS.index(word)
        else:
            value |= number(word)
    if not 0 <= value <= MOST_FLAGS:
        raise ValueError(f"{text[:40]!r} are more than 32 bits")
    return value


def number(word: str) -> int:
    """Bits that have no name.  Raises ValueError."""
    if not word.startswith("0x") or not word[2:].isalnum() or len(word) > 10:
        raise ValueError(f"{word[:40]!r} is no flag that is known here, nor a number such as 0x10")
    return int(word, 16)


@lru_cache(maxsize=1024)
def open_flags(flags: int) -> str:
    """Flags of open(2) in words."""
    return words(flags & ~os.O_ACCMODE, OPEN_FLAGS, ACCESS[flags & os.O_ACCMODE])


@lru_cache(maxsize=1024)
def poll_bits(bits: int) -> str:
    """Bits of poll(2) in words."""
    return words(bits, POLL_BITS)
