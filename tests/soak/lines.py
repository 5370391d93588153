"""python -m tests.soak.lines SEED COUNT: random traces, whole and broken, are the same by their shapes and without."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from devshim.trace.event import Event
from devshim.trace.format import shapes
from devshim.trace.format.lines import event_text
from devshim.trace.format.reader import Trace, TraceError

HEAD = '{"format": "devtrace/1", "made": "record", "machine": "x86_64", "word": 8, "order": "little"}\n'
OPEN = '{"call": "open", "file": 1, "node": "/dev/x", "flags": "O_RDWR", "time": 0.000000, "took": 0.000000}\n'
LETTERS = b'"\\ ,:.{}[]-nrtu0a9\x00\x1f\x7f\xe9\n'
SIZES = (0, 1, 7, 8, 9, 40, 700)


class Wrong(Exception):
    """A trace was read in two ways; the message has its seed and what came of both."""


def data(chance: random.Random) -> bytes:
    """Text, text that needs escapes, or any bytes."""
    letters = chance.choice((b"aZ09 ~", b'a"\\\n\r\t', bytes(range(256))))
    return bytes(chance.choices(letters, k=chance.choice(SIZES)))


def memory(chance: random.Random) -> list[bytes | None]:
    """An ioctl's memory, in one piece or some."""
    return [chance.choice((None, data(chance))) for _ in range(chance.choice((0, 0, 1, 2)))] + [data(chance)]


def read(chance: random.Random) -> Event:
    """A read, which may have got less than it asked for."""
    got = data(chance)
    return Event("read", file=1, size=len(got) + chance.choice((0, 5)), data=got, result=len(got))


def write(chance: random.Random) -> Event:
    """A write, all of which was taken."""
    given = data(chance)
    return Event("write", file=1, data=given, result=len(given))


def ioctl(chance: random.Random) -> Event:
    """An ioctl that hands memory over, either way."""
    event = Event("ioctl", file=1, request=0xC0084D01, result=chance.choice((0, 0, 3, -7)))
    event.before, event.after = chance.choice((None, memory(chance))), chance.choice((None, memory(chance)))
    return event


def value(chance: random.Random) -> Event:
    """An ioctl by value."""
    return Event("ioctl", file=1, request=0x4D02, argument=chance.choice((1, 10**17, -5, 2**63)))


def at_place(chance: random.Random) -> Event:
    """A pread or pwrite."""
    event = chance.choice((read, write))(chance)
    event.name, event.offset = f"p{event.name}", chance.choice((0, 4096, 10**17))
    return event


def poll(chance: random.Random) -> Event:
    """A poll, of any outcome."""
    ready = chance.choice((0, 1))
    return Event("poll", file=1, asked=1, ready=ready, result=ready, timeout=chance.choice((None, 0.0, 1.5)))


def failed(chance: random.Random) -> Event:
    """A call that failed."""
    event = chance.choice((read, ioctl, value))(chance)
    event.data, event.after, event.result, event.error = b"", None, -1, chance.choice(("EIO", "EAGAIN"))
    return event


KINDS: tuple[Callable[[random.Random], Event], ...] = (read, write, ioctl, value, at_place, poll, failed)


def text(chance: random.Random) -> bytes:
    """A trace; some of its lines may be damaged."""
    lines = [HEAD.encode(), OPEN.encode()]
    kinds = chance.choices(KINDS, k=2)
    timed, damage = chance.random() < 0.7, chance.choice((0.0, 0.02, 0.2))
    for number in range(chance.choice((3, 30))):
        event = chance.choice(kinds)(chance)
        event.since = chance.choice((None, None, number))
        event.thread = chance.choice((1, 1, 1, 2))
        if timed:
            event.time, event.took = round(chance.random() * 10 ** chance.randrange(9), 6), 0.0
        line = bytearray(event_text(event).encode() + b"\n")
        if chance.random() < damage:
            at = chance.randrange(len(line))
            line[at : at + chance.randrange(3)] = bytes(chance.choices(LETTERS, k=chance.randrange(3)))
        lines.append(bytes(line))
    return b"".join(lines)


def said(path: Path, often: int) -> tuple[list[Event], list[tuple[float | None, float | None]], str]:
    """The events of a trace, their times, and why there are no more."""
    before, shapes.OFTEN = shapes.OFTEN, often
    events = []
    try:
        events.extend(Trace(path))
        why = ""
    except TraceError as problem:
        why = str(problem)
    finally:
        shapes.OFTEN = before
    return events, [(event.time, event.took) for event in events], why


def compare(first: int, count: int) -> int:
    """Read so many traces, of these seeds, in both ways; return how many were whole.  Raises Wrong."""
    whole = 0
    with tempfile.TemporaryDirectory(prefix="devshim-lines-") as folder:
        path = Path(folder) / "a.trace"
        for seed in range(first, first + count):
            path.write_bytes(text(random.Random(seed)))
            by_shape, strictly = said(path, 1), said(path, sys.maxsize)
            if by_shape != strictly:
                raise Wrong(f"seed {seed}: {by_shape[2] or by_shape[0][-1:]} by shape, strictly {strictly[2]}")
            whole += not strictly[2]
    return whole


if __name__ == "__main__":
    print(compare(int(sys.argv[1]), int(sys.argv[2])))
