"""What answers in Python cannot do without: bareanswers.py LIBRARY BATCHES CALLS.

"parse": a line of a trace read as JSON.  "call": a method of Python's that gives eight bytes, called from without the
GIL (programs/called.c).  Prints `label value value ...`, nanoseconds each, as timing.h does.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import written
from tests.bench.own_process import timed


class Model:
    """Next to nothing, as models.Computed does."""

    def read(self, size: int) -> bytes:
        return b"12345678"


def main(library: str, batches: str, calls: str) -> None:
    """Measure and print."""
    asking = ctypes.PyDLL(library).asking
    asking.argtypes, asking.restype = [ctypes.py_object], ctypes.py_object
    ask = asking(Model().read)
    *_, line = written.questions(2)

    def parse(count: int) -> None:
        for _ in range(count):
            json.loads(line)

    def call(count: int) -> None:
        for _ in range(count):
            ask(8)

    for label, loop in (("parse", parse), ("call", call)):
        print(label, *(f"{value:.1f}" for value in timed(int(batches), int(calls), loop)))


if __name__ == "__main__":
    main(*sys.argv[1:])
