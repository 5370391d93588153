"""devshim cut: writes a part of a trace that is a trace itself."""

from __future__ import annotations

import os
import sys

from devshim import __version__
from devshim.cli.choosing import CHOOSING, begin_tool, check_nodes, take_output
from devshim.cli.options import Option, wrong
from devshim.cli.output import tell_left_out, watched
from devshim.target import say
from devshim.trace.choice import Choice
from devshim.trace.cutting import cut, header_for, needed
from devshim.trace.described import Described
from devshim.trace.format.reader import Trace
from devshim.trace.format.writer import Writer
from devshim.trace.show import escaped

OFTEN = 1024

HELP = "write a part of a trace as a trace"

TABLE = (
    Option("-o", "--output", "FILE", take_output, "write it there (default: stdout); .zst packs it"),
    *CHOOSING,
)

USAGE = """\
usage: devshim cut [OPTIONS] TRACE [RANGE...] [-o FILE]

Write a part of a trace as a trace: the calls that are chosen, and the opens that they need.
RANGE is the number of an event, or two with a - between: 7, 100-200, 500-

{options}

examples:
  devshim cut long.trace 1-500 -o short.trace
  devshim cut both.trace --node '/dev/i2c-*' -o i2c.trace.zst
"""


def main(words: list[str]) -> int:
    """Do what the words behind `devshim cut` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError where the trace is damaged, OSError where FILE cannot be
    written.
    """
    asked = begin_tool("cut", words, TABLE, USAGE)
    if asked is None:
        return 0
    (path,), options = asked
    output = options.output or "-"
    if output == "-" and sys.stdout.isatty():
        raise wrong("devshim cut prints a trace, which a terminal is no place for; -o FILE names one")
    if output != "-" and os.path.exists(output) and os.path.exists(path) and os.path.samefile(path, output):
        raise wrong(f"-o {output}: a trace cannot be cut into itself")
    trace = Trace(path)
    written = write(trace, output, options.choice)
    tell_left_out(trace)
    if output != "-":
        say(f"{escaped(output)}: {written} calls")
    return 0


def write(trace: Trace, output: str, choice: Choice) -> int:
    """Write the part that is chosen; return how many events it has.  Raises TraceError, OSError."""
    described = Described(trace.header)
    until = Choice()
    until.ranges = [(1, choice.last)]
    makers, nodes = needed(watched(until.of(trace), trace, "reading"), choice.of(trace, described.name))
    check_nodes(choice, trace)
    writer = Writer(output, header_for(trace.header, nodes, f"devshim {__version__}"))
    for number, (program, parent) in sorted(trace.programs.items()):
        writer.program(program, number, parent)
    for event in watched(cut(trace, choice.of(trace, described.name), makers), trace, "cutting"):
        writer.event(event)
        if not writer.events % OFTEN:
            writer.flush()
    whole = choice.last is None
    writer.end(
        trace.finished if whole and trace.finished else "finished",
        trace.lost if whole else 0,
        [*(trace.notes if whole else ()), f"cut from {os.path.basename(trace.path)}"],
    )
    return writer.events
