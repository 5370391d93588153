"""devshim stub: prints a device model whose answers are those of a trace, to be edited and filled in."""

from __future__ import annotations

import os
import sys

from devshim.cli.choosing import CHOOSING, begin_tool, take_output
from devshim.cli.options import Option
from devshim.cli.output import tell_left_out
from devshim.trace.described import Described
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped
from devshim.trace.stub.stub import stub

HELP = "print a device model made of a trace"

TABLE = (Option("-o", "--output", "FILE", take_output, "write it there (default: stdout)"), *CHOOSING)

USAGE = """\
usage: devshim stub [OPTIONS] TRACE [RANGE...] > FILE.py

Print a device model whose answers are those of a trace: a method for each thing that the program asked, with
literals that can be read and edited.  It does not need the trace any more; what the trace does not have is marked
"fill in".

{options}

example:
  devshim stub modem-dial.trace > modem.py && devshim run -d /dev/ttyUSB0=modem.py -- ./dialler
"""


def main(words: list[str]) -> int:
    """Do what the words behind `devshim stub` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError where the trace is damaged.
    """
    asked = begin_tool("stub", words, TABLE, USAGE)
    if asked is None:
        return 0
    (path,), options = asked
    trace = Trace(path)
    described = Described(trace.header)
    source = stub(trace, options.choice.of(trace, described.name), escaped(os.path.basename(path)))
    tell_left_out(trace)
    if options.output and options.output != "-":
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(source)
    else:
        sys.stdout.write(source)
    return 0
