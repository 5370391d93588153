"""Measures a Python process's own calls: own_process.py BATCHES CALLS [--plug=NODE=MODEL ...] LABEL=NODE:CALL ...

CALL is read (8 bytes) or ioctl:REQUEST.  Prints `label value value ...`, nanoseconds a call, as timing.h does.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def main(words: list[str]) -> None:
    """Plug, measure, print."""
    batches, count = int(words[0]), int(words[1])
    plugged = [word.removeprefix("--plug=") for word in words[2:] if word.startswith("--plug=")]
    with ExitStack() as stack:
        if plugged:
            import devshim

            stack.enter_context(devshim.plugged(dict(text.split("=", 1) for text in plugged)))
        for word in words[2:]:
            if not word.startswith("--"):
                label, _, what = word.partition("=")
                node, call, *further = what.split(":")
                fd = os.open(node, os.O_RDWR)
                measured = timed(batches, count, call_on(fd, call, *further))
                print(label, *(f"{value:.1f}" for value in measured))
                os.close(fd)


def call_on(fd: int, call: str, request: str = "0") -> Callable[[int], None]:
    """A loop of so many calls."""
    number, room = int(request, 0), bytearray(32)

    def read(count: int) -> None:
        for _ in range(count):
            os.read(fd, 8)

    def ioctl(count: int) -> None:
        for _ in range(count):
            fcntl.ioctl(fd, number, room)

    return {"read": read, "ioctl": ioctl}[call]


def timed(batches: int, count: int, loop: Callable[[int], None]) -> list[float]:
    """Nanoseconds a call, of each batch."""
    loop(count)
    values = []
    for _ in range(batches):
        began = time.perf_counter_ns()
        loop(count)
        values.append((time.perf_counter_ns() - began) / count)
    return values


if __name__ == "__main__":
    main(sys.argv[1:])
