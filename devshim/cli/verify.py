"""devshim verify: says all that is wrong with a trace, line by line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import devshim
from devshim.cli import FAILED
from devshim.cli.choosing import begin_tool, take_switch
from devshim.cli.options import Option
from devshim.cli.output import print_lines, watched
from devshim.trace.event import Event
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped
from devshim.trace.verification import Verification

HELP = "say all that is wrong with a trace"

TABLE = (Option(None, "--no-replay", None, take_switch("no-replay"), "do not try whether it replays against itself"),)

USAGE = """\
usage: devshim verify [OPTIONS] TRACE

Say all that is wrong with a trace, line by line: what no reader would take, what cannot be true, and where its replay
does not answer as the trace itself says.

{options}

exit code: 0 it is sound, 1 it is not, 2 it is no trace

example:
  devshim verify modem-dial.trace
"""

MOST_FAULTS = 1000

#: A trace of more events is not played; each of its calls would be done once more.
MOST_PLAYED = 100_000
PATIENCE = 600.0


def main(words: list[str]) -> int:
    """Do what the words behind `devshim verify` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError for what is no trace at all.
    """
    asked = begin_tool("verify", words, TABLE, USAGE, ranges=False)
    if asked is None:
        return 0
    (path,), options = asked
    trace = Trace(path)
    faults = Faults(path)
    verification = Verification(trace, faults)

    def watching(events: Iterator[Event]) -> Iterator[Event]:
        return watched(events, trace, "verifying")

    verification.run(watching)
    played = ""
    if not faults.count and "no-replay" not in options.switches:
        played = play(path, verification.events, faults, trace.header.nodes)
    name = escaped(path)
    if faults.count > MOST_FAULTS:
        print(f"{name}: ... and {faults.count - MOST_FAULTS} faults more")
    if not faults.count:
        print(f"{name}: sound: {verification.events} events of {len(trace.header.nodes)} nodes{played}")
    return 1 if faults.count else 0


def play(path: str, events: int, faults: Faults, nodes: Iterable[str] = ()) -> str:
    """Let the trace answer its own calls; return what is to be said where it did."""
    if not events or not os.path.isfile(path):
        return ""
    if any(node.startswith("/dev/bus/usb/") for node in nodes):
        return "; not replayed, because what USB transfers give comes to addresses, which no trace has"
    if events > MOST_PLAYED:
        return f"; not replayed, because it is longer than {MOST_PLAYED} events"
    full = os.path.abspath(path)
    here = str(Path(devshim.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))}
    command = [
        sys.executable,
        "-m",
        "devshim",
        "replay",
        full,
        "--",
        sys.executable,
        "-m",
        "devshim.trace.player",
        full,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=environment, timeout=PATIENCE, check=False
    )
    for line in done.stdout.splitlines():
        number, _, what = line.partition(": ")
        faults(int(number) if number.isdigit() else 0, f"replayed, {what}")
    if done.returncode and not faults.count:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        if done.returncode == FAILED:
            return f"; not replayed: {escaped(said[-1].removeprefix('devshim: '))}"
        faults(0, f"it does not replay against itself: {said[0].removeprefix('devshim: ')}")
    return "; it replays against itself"


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
