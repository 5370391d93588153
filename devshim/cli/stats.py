"""devshim stats: for each node and call of a trace how many there are, their bytes, failures and latencies."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps

from devshim.cli.choosing import CHOOSING, begin_tool, check_nodes, take_switch
from devshim.cli.options import Option
from devshim.cli.output import BOLD, PLAIN, RED, print_lines, tell_left_out, wants_colour, watched
from devshim.trace.described import Described
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped
from devshim.trace.statistics import Row, as_object, count, duration, histogram

HELP = "count what a trace holds, by node and call"

TABLE = (*CHOOSING, Option(None, "--json", None, take_switch("json"), "print a JSON object for each row"))

USAGE = """\
usage: devshim stats [OPTIONS] TRACE [RANGE...]

Count the calls of a trace by node and call: how many, bytes, failures, and how long they took.
The last column has a bar for each class of times, from 1 us to 10 s and longer, two to a factor of ten.

{options}

example:
  devshim stats modem-dial.trace --node '/dev/ttyUSB*'
"""

HEADS = ("call", "calls", "bytes", "failed", "median", "99 %", "longest", "1us   1ms   1s")


def main(words: list[str]) -> int:
    """Do what the words behind `devshim stats` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError where the trace is damaged.
    """
    asked = begin_tool("stats", words, TABLE, USAGE)
    if asked is None:
        return 0
    (path,), options = asked
    trace = Trace(path)
    described = Described(trace.header)
    rows = count(watched(options.choice.of(trace, described.name), trace, "counting"), described.name)
    check_nodes(options.choice, trace)
    if "json" in options.switches:
        print_lines(dumps(as_object(row)) for row in rows)
    else:
        print_lines(table(rows))
    tell_left_out(trace)
    return 0


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as text, a paragraph for each node."""
    colour = wants_colour()
    cells = [cells_of(row) for row in rows]
    widths = [max(len(head), *(len(line[at]) for line in cells)) for at, head in enumerate(HEADS)] if cells else []
    if not cells:
        yield "no calls"
    node = None
    for row, line in zip(rows, cells, strict=True):
        if row.node != node:
            if node is not None:
                yield ""
            node = row.node
            yield f"{BOLD}{escaped(node)}{PLAIN}" if colour else escaped(node)
            yield aligned(HEADS, widths)
        text = aligned(line, widths)
        yield f"{RED}{text}{PLAIN}" if colour and row.failed == row.calls else text


def cells_of(row: Row) -> tuple[str, ...]:
    """A row's columns."""
    times = (row.quantile(0.5), row.quantile(0.99), row.longest if row.timed else None)
    bars = histogram(row.latencies) if row.timed else ""
    failed = " ".join(f"{name} {number}" for name, number in sorted(row.errors.items()))
    return (escaped(row.call), f"{row.calls}", f"{row.bytes}", failed or "-", *map(duration, times), bars)


def aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    """Columns of text, numbers to the right."""
    left = (0, 3, len(cells) - 1)
    padded = (
        f"{one:<{width}}" if at in left else f"{one:>{width}}"
        for at, (one, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  " + "  ".join(padded).rstrip()
