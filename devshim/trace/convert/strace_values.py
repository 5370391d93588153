"""What strace(1) prints for values: strings, numbers with names in comments, flags, descriptors with their paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from devshim.trace.convert.strace_line import BadLine, split
from devshim.trace.flags import ACCESS, OPEN_FLAGS

HEX_STRING = re.compile(r"(?:\\x[0-9a-f]{2})*")
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f", b"a": b"\a", b"b": b"\b", b"e": b"\x1b"}
NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]+|\d+)")
DESCRIPTOR = re.compile(r"(-?\d+)(?:<(.*)>)?$", re.DOTALL)
AT_CWD = re.compile(r"(?:AT_FDCWD|-100 /\* AT_FDCWD \*/)(?:<(.*)>)?$", re.DOTALL)
SEEKS = ("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE")


def string(text: str) -> tuple[bytes, bool]:
    """The bytes of a string, and whether they are all: strace puts ... behind what it cuts.  Raises BadLine."""
    whole = not text.endswith("...")
    text = text.removesuffix("...")
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise BadLine(f"{text[:40]} is no string")
    inner = text[1:-1]
    if HEX_STRING.fullmatch(inner):
        return bytes.fromhex(inner.replace("\\x", "")), whole
    return ESCAPE.sub(unescape, inner.encode("utf-8", "surrogateescape")), whole


def unescape(match: re.Match[bytes]) -> bytes:
    """One escaped byte."""
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    if code[:1].isdigit():
        return bytes([int(code, 8) & 0xFF])
    return SIMPLE.get(code, code)


def number(text: str) -> int:
    """A number, behind which a comment may stand.  Raises BadLine."""
    found = NUMBER.match(text)
    if found is None:
        raise BadLine(f"{text[:40]} is no number")
    shown = found[0]
    if len(shown) > 1 and shown.lstrip("-").startswith("0") and not shown.lstrip("-").startswith("0x"):
        return int(shown, 8)
    return int(shown, 0)


def flags(text: str, names: Mapping[str, int]) -> int:
    """Flags by number or by name.  Raises BadLine for a name that nobody knows."""
    if NUMBER.match(text):
        return number(text)
    value = 0
    for word in re.sub(r"/\*.*?\*/", "", text).split("|"):
        word = word.strip()
        if word in names:
            value |= names[word]
        elif NUMBER.fullmatch(word):
            value |= number(word)
        else:
            raise BadLine(f"flag {word} is not known")
    return value


OPENING = {
    **OPEN_FLAGS,
    **{name: bits for bits, name in enumerate(ACCESS)},
    "O_LARGEFILE": 0o100000,
    "O_NDELAY": os.O_NONBLOCK,
}
POLLING = {
    "POLLIN": 0x1, "POLLPRI": 0x2, "POLLOUT": 0x4, "POLLERR": 0x8, "POLLHUP": 0x10, "POLLNVAL": 0x20,
    "POLLRDNORM": 0x40, "POLLRDBAND": 0x80, "POLLWRNORM": 0x100, "POLLWRBAND": 0x200, "POLLMSG": 0x400,
    "POLLRDHUP": 0x2000,
}  # fmt: skip
EPOLLING = {name.replace("POLL", "EPOLL", 1): bits for name, bits in POLLING.items()}


def descriptor(text: str) -> tuple[int, str]:
    """A descriptor's number and the path that -y writes behind it, else ""."""
    found = DESCRIPTOR.match(text)
    if found is None:
        raise BadLine(f"{text[:40]} is no descriptor")
    return int(found[1]), annotation(found[2])


def annotation(text: str | None) -> str:
    """The path in what -y (or -yy: /dev/tty<char 5:0>) writes; "" where it is no path."""
    if not text:
        return ""
    path = re.sub(r"<(?:char|block) [\d:]+>$", "", text).removesuffix(" (deleted)")
    if not path.startswith("/"):
        return path if path.startswith("anon_inode:") else ""
    return os.fsdecode(ESCAPE.sub(unescape, path.encode("utf-8", "surrogateescape"))) if "\\" in path else path


def path_at(folder: str, text: str) -> str:
    """The path that a call names, from the folder that it names it in ("" where that is not known)."""
    data, _ = string(text)
    path = os.fsdecode(data)
    if path.startswith("/") or not path:
        return path
    base = AT_CWD.match(folder)
    where = annotation(base[1]) if base else descriptor(folder)[1] if DESCRIPTOR.match(folder) else ""
    return f"{where.rstrip('/')}/{path}" if where.startswith("/") else ""


def items(text: str) -> list[str]:
    """The elements of [a, b] or {a, b}."""
    if not text or text[0] not in "[{":
        raise BadLine(f"{text[:40]} is no list")
    return split(text, 1, {"[": "]", "{": "}"}[text[0]])[0]


def members(text: str) -> dict[str, str]:
    """The members of {a=1, b={...}}, as text."""
    return dict(item.split("=", 1) for item in items(text) if "=" in item)


def seconds(text: str, unit: str) -> float | None:
    """A time-out: {tv_sec=1, tv_nsec=0} or {tv_sec=1, tv_usec=0}; None for NULL, which is for ever."""
    if text == "NULL":
        return None
    found = members(text)
    return number(found.get("tv_sec", "0")) + number(found.get(unit, "0")) * (1e-9 if unit == "tv_nsec" else 1e-6)
