"""devshim verify: says all that is wrong with a trace, line by line."""

from __future__ import annotations

import gc
from collections.abc import Iterator

from devshim.cli.choosing import parse_tool
from devshim.cli.output import print_lines, ready_stdout, watched
from devshim.trace.event import Event
from devshim.trace.reader import Trace
from devshim.trace.show import escaped
from devshim.trace.verification import Verification

HELP = "say all that is wrong with a trace"

USAGE = """\
usage: devshim verify TRACE

Say all that is wrong with a trace, line by line: what no reader would take, and what cannot be true; and whether
it replays against itself.

options:
  -h, --help                  show this

exit code: 0 it is sound, 1 it is not, 2 it is no trace

example:
  devshim verify modem-dial.trace
"""

MOST_FAULTS = 1000


def main(words: list[str]) -> int:
    """Do what the words behind `devshim verify` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError for what is no trace at all.
    """
    asked = parse_tool("verify", words, (), 1, ranges=False)
    if asked is None:
        print(USAGE, end="")
        return 0
    (path,), _ = asked
    gc.disable()  # nothing here refers to itself, and there may be millions of it
    ready_stdout()
    trace = Trace(path)
    faults = Faults(path)
    verification = Verification(trace, faults)

    def watching(events: Iterator[Event]) -> Iterator[Event]:
        return watched(events, trace, "verifying")

    verification.run(watching)
    name = escaped(path)
    if faults.count > MOST_FAULTS:
        print(f"{name}: ... and {faults.count - MOST_FAULTS} faults more")
    if not faults.count:
        print(f"{name}: sound: {verification.events} events of {len(trace.header.nodes)} nodes, {trace.finished}")
    return 1 if faults.count else 0


class Faults:
    """Prints what is wrong, as FILE:LINE: WHAT, and counts it."""

    def __init__(self, path: str) -> None:
        self.path = escaped(path)
        self.count = 0

    def __call__(self, line: int, what: str) -> None:
        self.count += 1
        if self.count <= MOST_FAULTS:
            place = f"{self.path}:{line}" if line else self.path
            print_lines([f"{place}: {escaped(what)}"])
