"""Values as they may stand in a trace: each check returns what JSON gave, or raises ValueError with the reason."""

from __future__ import annotations

import errno
import os
from binascii import unhexlify
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bytes that are written as text where all of them are such.
PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\n\r"

LONGEST_PATH = 4096
LONGEST_TEXT = 65536
MOST_SEGMENTS = 65536
MOST_POINTERS = 4096
INT64 = (1 << 63) - 1
LONGEST_TIME = 1e9
ERRNOS = frozenset(errno.errorcode.values()) | {name for name in dir(errno) if name.startswith("E")}
#: What a node may be; "sysfs" is a folder of /sys, of a program that opened nothing under /dev.
KINDS = ("tty", "block", "char", "sysfs")

#: What a node's surroundings may lie in; a trace has no say in the rest of the file system.
AROUND = ("/sys/", "/run/udev/", "/dev/", "/proc/")


class Wrong(ValueError):
    """A member or line that the format does not allow, said in a few words."""


def shortened(value: Any) -> str:
    """A stranger's value in at most forty characters, for a message."""
    shown = repr(value) if not isinstance(value, (list, tuple, dict)) else kind_of(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    names = {
        str: "text",
        int: "a whole number",
        float: "a number",
        list: "a list",
        tuple: "an object",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)


def text(value: Any) -> str:
    """A text without control characters; a byte that is no UTF-8 may stand in it as Python has it, U+DC80 to U+DCFF."""
    if type(value) is not str:
        raise Wrong(f"must be a text, not {kind_of(value)}")
    if not value.isprintable():
        check_letters(value)
    if len(value) > LONGEST_TEXT:
        raise Wrong(f"a text of {len(value)} characters; at most {LONGEST_TEXT}")
    return value


def check_letters(value: str) -> None:
    """Refuse control characters, and surrogates that stand for no byte."""
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise Wrong(f"{shortened(value)} is no text: it holds half a character (a surrogate)") from None
    strange = next((letter for letter in value if ord(letter) < 32 or ord(letter) == 127), None)
    if strange is not None:
        raise Wrong(f"{shortened(value)} holds the control character {ord(strange)}")


def whole(value: Any, low: int = -INT64 - 1, high: int = INT64) -> int:
    """A whole number within bounds."""
    if type(value) is not int:
        raise Wrong(f"must be a whole number, not {kind_of(value)}")
    if not low <= value <= high:
        raise Wrong(f"{shortened(value)} is not from {low} to {high}")
    return value


def truth(value: Any) -> bool:
    """true or false."""
    if type(value) is not bool:
        raise Wrong(f"must be true or false, not {kind_of(value)}")
    return value


def seconds(value: Any) -> float:
    """A time."""
    if type(value) is not float and type(value) is not int:
        raise Wrong(f"must be a number of seconds, not {kind_of(value)}")
    if not 0 <= value <= LONGEST_TIME:  # false for nan, too
        raise Wrong(f"{shortened(value)} is not from 0 to {LONGEST_TIME:.0f} seconds")
    return float(value)


def octal(value: Any) -> int:
    """Permission bits: digits from 0 to 7 in a text."""
    digits = text(value)
    if not digits or len(digits) > 6 or digits.strip("01234567"):
        raise Wrong(f"{shortened(value)} is no octal number such as 0666")
    return int(digits, 8) & 0o7777


@lru_cache(maxsize=4096)
def request(value: Any) -> int:
    """An ioctl's number: "0x" and hexadecimal digits."""
    digits = text(value)
    if not digits.startswith("0x") or not 3 <= len(digits) <= 10 or digits[2:].strip("0123456789abcdefABCDEF"):
        raise Wrong(f"{shortened(value)} is no number of an ioctl such as 0x00005401")
    return int(digits, 16)


@lru_cache(maxsize=256)
def errno_name(value: Any) -> str:
    """The name of an errno."""
    if text(value) not in ERRNOS:
        raise Wrong(f"{shortened(value)} is no errno's name, such as EIO")
    return str(value)


@lru_cache(maxsize=4096)
def path(value: Any) -> str:
    """A path of the file system that is absolute, and neither climbs nor stands still."""
    name = text(value)
    parts = name.split("/")
    if parts[0] or len(parts) < 2 or not all(parts[1:]):
        raise Wrong(f"{shortened(value)} is no absolute path such as /dev/ttyUSB0")
    if "." in parts or ".." in parts:
        raise Wrong(f"{shortened(value)} climbs: a path here has no . or ..")
    if len(name) > LONGEST_PATH:
        raise Wrong(f"a path of {len(name)} characters; at most {LONGEST_PATH}")
    return name


def path_around(value: Any) -> str:
    """A path of what stands around a node."""
    name = path(value)
    if not name.startswith(AROUND):
        raise Wrong(f"{shortened(value)} does not lie in /sys, /run/udev, /dev or /proc")
    return name


def hex_bytes(value: Any) -> bytes:
    """Bytes written as two hexadecimal digits each."""
    if type(value) is not str:
        raise Wrong(f"must be hexadecimal digits in a text, not {kind_of(value)}")
    try:
        return unhexlify(value)  # unlike bytes.fromhex(), which passes over blanks
    except ValueError:
        raise Wrong(f"{shortened(value)} is not two hexadecimal digits a byte") from None


def text_bytes(value: Any) -> bytes:
    """Bytes written as the ASCII text that they are."""
    if type(value) is not str:
        raise Wrong(f"must be a text, not {kind_of(value)}")
    if not value.isascii():
        raise Wrong(f"{shortened(value)} is not all ASCII; other bytes are written as hex")
    return value.encode("ascii")


def unsegments(shown: Any) -> list[bytes | None]:
    """Memory of an ioctl: one segment's digits, or a list of them, null where there is none."""
    if type(shown) is str:
        return [hex_bytes(shown)]
    if type(shown) is not list:
        raise Wrong(f"must be hexadecimal digits or a list of them, not {kind_of(shown)}")
    if len(shown) > MOST_SEGMENTS:
        raise Wrong(f"{len(shown)} segments of memory; at most {MOST_SEGMENTS}")
    return [None if one is None else hex_bytes(one) for one in shown]


def offsets(value: Any) -> tuple[int, ...]:
    """Offsets in an argument."""
    if type(value) is not list or len(value) > MOST_POINTERS:
        raise Wrong(f"must be a list of at most {MOST_POINTERS} offsets, not {kind_of(value)}")
    return tuple(whole(one, 0, 1 << 32) for one in value)
