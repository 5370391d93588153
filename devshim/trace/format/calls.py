"""What a line of each call may hold: its members, what they are of an event, and how they are checked."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import methodcaller

from devshim.trace.flags import OPEN_FLAGS, POLL_BITS, unwords
from devshim.trace.format import checks
from devshim.trace.format.checks import INT64, text, unsegments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Check = Callable[[Any], Any]
    Members = dict[str, tuple[str, Check | tuple[int, int]]]


def whole(low: int, high: int) -> tuple[int, int]:
    """A whole number from low to high; event_of() checks it in place, because most members are one."""
    return low, high


def positive(value: Any) -> int:
    """A number of a file."""
    return checks.whole(value, 1)


def word(value: Any) -> int:
    """An argument by value."""
    return checks.whole(value, -INT64 - 1, (1 << 64) - 1)


@lru_cache(maxsize=1024)
def flags_of(value: Any) -> int:
    """Flags of open."""
    return unwords(text(value), OPEN_FLAGS)


@lru_cache(maxsize=1024)
def bits_of(value: Any) -> int:
    """Bits of poll."""
    return unwords(text(value), POLL_BITS)


#: Member to the event's attribute, and a check of its value, or bounds where it is a number that bears the same name.
ALL: dict[str, tuple[str, Check | tuple[int, int]]] = {
    "call": ("", text),
    "file": ("file", whole(1, INT64)),
    "process": ("process", whole(1, INT64)),
    "thread": ("thread", whole(1, INT64)),
    "result": ("result", whole(-INT64 - 1, INT64)),
    "error": ("error", checks.errno_name),
    "finished": ("finished", checks.truth),
    "incomplete": ("incomplete", checks.truth),
    "since": ("since", whole(0, INT64)),
    "time": ("time", checks.seconds),
    "took": ("took", checks.seconds),
    "decoded": ("", text),
}
NODE = {"node": ("node", checks.path), "flags": ("flags", flags_of), "mode": ("mode", checks.octal)}
SIZE = {"size": ("size", whole(0, INT64))}
# C's own functions stand for checks.text_bytes and checks.hex_bytes, which say in words what they do not like.
BYTES = {"text": ("data", methodcaller("encode", "ascii")), "hex": ("data", unhexlify)}
EXPLAIN: dict[str, Check] = {"text": checks.text_bytes, "hex": checks.hex_bytes}
OFFSET = {"offset": ("offset", whole(-INT64 - 1, INT64))}
OPERATION = {"operation": ("operation", text)}
IOCTL = {
    "request": ("request", checks.request),
    "name": ("label", text),
    "value": ("argument", word),
    "in": ("before", unsegments),
    "out": ("after", unsegments),
    "new": ("new_file", positive),
    "place": ("place", whole(0, 1 << 32)),
    "pointers": ("pointers", checks.offsets),
}
POLL = {"asked": ("asked", bits_of), "ready": ("ready", bits_of), "timeout": ("timeout", checks.seconds)}


def call(*parts: Mapping[str, Any], needs: tuple[str, ...] = ()) -> tuple[Members, frozenset[str]]:
    """What one call's line may hold, and which of it must be there."""
    members: Members = dict(ALL)
    for part in parts:
        members.update(part)
    return members, frozenset(needs)


#: The calls that a trace may hold; traces/README.md says what each member means.
CALLS: dict[str, tuple[Members, frozenset[str]]] = {
    "open": call(NODE, needs=("node", "flags")),
    "inherit": call(NODE, needs=("node", "flags", "file")),
    "read": call(SIZE, BYTES, needs=("size", "file")),
    "write": call(BYTES, needs=("file",)),
    "pread": call(SIZE, OFFSET, BYTES, needs=("size", "offset", "file")),
    "pwrite": call(OFFSET, BYTES, needs=("offset", "file")),
    "lseek": call(OFFSET, {"whence": ("operation", text)}, needs=("offset", "whence", "file")),
    "ioctl": call(IOCTL, needs=("request", "file")),
    "poll": call(POLL, needs=("asked", "file")),
    "close": call(needs=("file",)),
    "mmap": call(SIZE, OFFSET, OPERATION, needs=("file",)),
    "flock": call(OPERATION, needs=("file",)),
    "fcntl": call(OPERATION, needs=("file",)),
    "fsync": call(needs=("file",)),
    "fdatasync": call(needs=("file",)),
    "ftruncate": call(SIZE, needs=("file",)),
}
MOVES_BYTES = frozenset(("read", "write", "pread", "pwrite"))
