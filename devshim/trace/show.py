"""An event in one line of text, in strace's manner."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import lru_cache

from devshim.trace.event import Event
from devshim.trace.flags import open_flags, poll_bits

#: So many bytes of data are shown of a call, unless somebody asks for more.
MOST_BYTES = 64

#: Calls whose result is a plain number where they succeed.
NUMBERS = frozenset(("read", "write", "pread", "pwrite", "lseek", "close", "fsync", "flock"))

#: From an ioctl to its argument in words; "" for none.
Decode = Callable[[Event], str]


def line(event: Event, decode: Decode | None = None, files: bool = False, most: int = MOST_BYTES) -> str:
    """The call and what came of it: `read(/dev/ttyUSB0, "OK\\r\\n", 64) = 4`.

    decode  from an ioctl to its argument in words, without which the raw bytes are shown
    files   whether the number of the open file stands before its node: `read(1</dev/ttyUSB0>, ...)`
    most    bytes of data shown
    """
    name = event.name
    given = SHOWN.get(name, other)(event, decode, most)
    result = event.result if event.result >= 0 and name in NUMBERS else outcome(event)
    return f"{name}({subject(event.node, event.file if files else 0)}{given}) = {result}"


@lru_cache(maxsize=4096)
def subject(node: str, file: int = 0) -> str:
    """What the call was about: a node, with the number of the open file before it unless that is 0."""
    return f"{file}<{escaped(node)}>" if file else escaped(node)


def outcome(event: Event) -> str:
    """What the program got: a number, a failure with its reason, `?` where it never got anything."""
    result = event.result
    if result == -1:
        if event.error is not None:
            return failure(event.error)
        if not event.finished:
            return "?"
    name = event.name
    if name == "poll":
        return ready(event.ready)
    if name == "ioctl":
        return f"{result} (file {event.new_file})" if event.new_file else str(result)
    if name == "open" or name == "inherit":
        return str(event.file or result)
    return str(result)


# ---- What each call was given, and got back in memory: everything with a comma before it ---------------


def moved(event: Event, decode: Decode | None, most: int) -> str:
    """read, write, and theirs with an offset."""
    data = event.data
    size = event.size if event.name == "read" or event.name == "pread" else len(data)
    offset = event.offset
    shown = quoted(data, most)
    return f", {shown}, {size}" if offset is None else f", {shown}, {size}, {offset}"


def ioctl(event: Event, decode: Decode | None, most: int) -> str:
    """ioctl."""
    shown = decode(event) if decode is not None else raw(event, most)
    text = request(event.label, event.request) + (f", {shown}" if shown else "")
    return f"{text} /* incomplete */" if event.incomplete else text


@lru_cache(maxsize=4096)
def request(label: str | None, number: int) -> str:
    """An ioctl's request as it is called, or its number."""
    return f", {escaped(label)}" if label is not None else f", {number:#x}"


def polled(event: Event, decode: Decode | None, most: int) -> str:
    """poll."""
    timeout = event.timeout
    return f", {poll_bits(event.asked) or '0'}" + ("" if timeout is None else f", {timeout:.6g} s")


@lru_cache(maxsize=1024)
def ready(bits: int) -> str:
    """What poll said."""
    return poll_bits(bits) or "0 (time-out)"


def opened(event: Event, decode: Decode | None, most: int) -> str:
    """open, inherit."""
    return f", {open_flags(event.flags)}" + (f", {event.mode:04o}" if event.mode else "")


def other(event: Event, decode: Decode | None, most: int) -> str:
    """Whatever else."""
    shown = f", {event.size}" if event.size else ""
    if event.offset is not None:
        shown += f", {event.offset}"
    return shown + (f", {escaped(event.operation)}" if event.operation else "")


SHOWN: dict[str, Callable[[Event, Decode | None, int], str]] = {
    **dict.fromkeys(("read", "write", "pread", "pwrite"), moved),
    "ioctl": ioctl,
    "poll": polled,
    "open": opened,
    "inherit": opened,
}


@lru_cache(maxsize=256)
def failure(name: str) -> str:
    """A failed call's result, with the errno's reason where it has one."""
    number = getattr(errno, name, None)
    return f"-1 {name} ({os.strerror(number)})" if isinstance(number, int) else f"-1 {escaped(name)}"


def raw(event: Event, most: int = MOST_BYTES) -> str:
    """An ioctl's argument where nobody describes it."""
    if event.argument is not None:
        return f"{event.argument:#x}"
    before = segments(event.before, most) if event.before is not None else ""
    if event.after is None:
        return before
    after = segments(event.after, most)
    return f"{before} => {after}" if before else f"=> {after}"


def segments(memory: list[bytes | None], most: int) -> str:
    """Memory behind an ioctl's argument; `-` is a NULL, or what stayed as it was."""
    if len(memory) == 1:
        return "-" if memory[0] is None else quoted(memory[0], most)
    shown = ["-" if segment is None else quoted(segment, most) for segment in memory[:16]]
    if len(memory) > 16:
        shown.append("...")
    return f"[{', '.join(shown)}]"


def quoted(data: bytes, most: int = MOST_BYTES) -> str:
    """Bytes as strace prints them, shortened."""
    if len(data) > most:
        return f'"{c_string(data[:most])}"...'
    shown = repr(data)  # where it holds no ", it is what c_string() makes
    return f'"{shown[2:-1]}"' if '"' not in shown else f'"{c_string(data)}"'


def c_string(data: bytes) -> str:
    """Bytes as they stand between the quotes of a C string."""
    # Python puts text that holds a ' and no " between "s, and leaves the ' alone.
    return '\\"'.join(repr(part)[2:-1] for part in data.split(b'"'))


def escaped(text: str) -> str:
    """Text of a stranger's with what is not printable escaped, so that it is safe for a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
