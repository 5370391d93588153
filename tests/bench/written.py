"""Traces, and recordings of other programs', of as many events as a row needs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

NODE, TTY, EVDEV = "/dev/bench0", "/dev/ttyB0", "/dev/input/event9"
HEAD = '{"format": "devtrace/1", "made": "record", "machine": "x86_64", "word": 8, "order": "little"}\n'
KINDS = {NODE: ("char", "511:9"), TTY: ("tty", "4:99"), EVDEV: ("char", "13:73")}
QUESTION = 0x80084D01
"""IOR("M", 1, 8 bytes), as models.Computed answers it."""


def beginning(node: str) -> str:
    """The lines before a trace's second event."""
    kind, number = KINDS[node]
    return (
        f'{HEAD}{{"node": "{node}", "kind": "{kind}", "rdev": "{number}"}}\n'
        f'{{"call": "open", "file": 1, "node": "{node}", "flags": "O_RDWR", "time": 0.000000, "took": 0.000010}}\n'
    )


#: programs/tty.c asks for the settings, and makes them raw (struct termios of linux/termbits.h).
SETTINGS = (
    '{"call": "ioctl", "file": 1, "request": "0x00005401", '
    '"out": "0005000005000000bd0c00003b8a000000031c7f150400010011131a00120f1716000000"}\n'
    '{"call": "ioctl", "file": 1, "request": "0x00005402", '
    '"in": "0000000004000000bd0c0000300a000000031c7f150400010011131a00120f1716000000"}\n'
)


def timed(number: int) -> str:
    """The end of an event's line."""
    return f'"time": {number * 12e-5:.6f}, "took": {number % 90 * 1e-6:.6f}}}\n'


def questions(count: int) -> Iterator[str]:
    """The same ioctl, with ever another answer."""
    yield beginning(NODE)
    for number in range(1, count):
        yield f'{{"call": "ioctl", "file": 1, "request": "{QUESTION:#x}", "out": "{number:016x}", {timed(number)}'


def mixture(count: int) -> Iterator[str]:
    """Reads, writes and two ioctls in turn, no two of them alike."""
    chance = random.Random(1)
    yield beginning(NODE)
    for number in range(1, count):
        data, end = f"{chance.getrandbits(64):016x}", timed(number)
        yield (
            f'{{"call": "ioctl", "file": 1, "request": "{QUESTION:#x}", "out": "{data}", {end}',
            f'{{"call": "write", "file": 1, "text": "MEAS {number}?\\n", {end}',
            f'{{"call": "read", "file": 1, "size": 64, "text": "{data} V\\n", {end}',
            f'{{"call": "ioctl", "file": 1, "request": "0xc0084d02", "in": "{number:016x}", "out": "{data}", {end}',
        )[number % 4]


def polling(count: int) -> Iterator[str]:
    """A program that asks for the same few things again and again."""
    yield beginning(NODE)
    for number in range(1, count):
        answer = f"{number % 64:016x}"
        yield f'{{"call": "ioctl", "file": 1, "request": "{QUESTION:#x}", "out": "{answer}", {timed(number)}'


def packets(count: int) -> Iterator[str]:
    """Input events, one a read."""
    yield beginning(EVDEV)
    for number in range(1, count):
        event = f"{number // 1000:08x}{number:08x}{2:04x}{number % 2:04x}{number % 100:08x}"
        yield f'{{"call": "read", "file": 1, "size": 24, "hex": "{event:0>48}", {timed(number)}'


def conversation(count: int) -> Iterator[str]:
    """A query and its answer on a serial port, over and over: so many of both together."""
    yield beginning(TTY) + SETTINGS
    for number in range(1, count, 2):
        yield f'{{"call": "write", "file": 1, "text": "MEAS?\\n", {timed(number)}'
        yield f'{{"call": "read", "file": 1, "size": 64, "text": "12.3456\\n", {timed(number + 1)}'


def transfers(times: int, size: int, piece: int) -> Iterator[str]:
    """So many transfers of size bytes each from a serial port, asked for with an S, in pieces."""
    yield beginning(TTY) + SETTINGS
    number = 0
    for _ in range(times):
        number += 1
        yield f'{{"call": "write", "file": 1, "text": "S", {timed(number)}'
        for at in range(0, size, piece):
            number += 1
            text = "U" * min(piece, size - at)
            yield f'{{"call": "read", "file": 1, "size": 65536, "text": "{text}", {timed(number)}'


def strace_log(count: int) -> Iterator[str]:
    """What strace -f -ttt -T writes of a conversation on a serial port."""
    yield f'100 1700000000.000000 openat(AT_FDCWD, "{TTY}", O_RDWR) = 3 <0.000010>\n'
    for number in range(1, count):
        begin = f"100 {1.7e9 + number * 1e-4:.6f}"
        text = f"{number}\\n"
        size = len(text) - 1
        call = f'write(3, "{text}", {size})' if number % 2 else f'read(3, "{text}", 64)'
        yield f"{begin} {call} = {size} <0.000010>\n"


def evemu(count: int) -> Iterator[str]:
    """The events of packets() for umockdev."""
    for number in range(1, count):
        yield f"E: {number * 1e-6:.6f} 0002 {number % 2:04x} {number % 100}\n"


def ioctl_tree(count: int) -> Iterator[str]:
    """As many answers to one request for umockdev."""
    yield f"@DEV {EVDEV}\n"
    for number in range(1, count):
        yield f"EVIOCGID 0 {number:016X}\n"


def write(path: Path, pieces: Iterator[str]) -> Path:
    """Write a file, unless it is there."""
    if not path.exists():
        with path.open("w") as file:
            file.writelines(pieces)
    return path
