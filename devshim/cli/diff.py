"""devshim diff: where two traces differ in what was said; times, processes and numbers of files do not count."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from devshim.cli.choosing import CHOOSING, begin_tool, check_nodes
from devshim.cli.output import (
    BOLD,
    DIM,
    GREEN,
    PLAIN,
    RED,
    print_lines,
    tell_left_out,
    wants_colour,
    watched,
)
from devshim.trace.comparison import Comparison, same
from devshim.trace.difference import Change, changes, in_words
from devshim.trace.event import Event
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped

HELP = "show where two traces differ"

USAGE = """\
usage: devshim diff [OPTIONS] A B [RANGE...]

Show where two traces differ in what was said.  Times, processes, and the numbers of files and descriptors
do not count; ioctls are compared in words where they are described.

{options}

exit code: 0 they say the same, 1 they differ, 2 one of them cannot be read

example:
  devshim diff modem-dial.trace again.trace
"""

MOST_LINES = 100


def main(words: list[str]) -> int:
    """Do what the words behind `devshim diff` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError where a trace is damaged.
    """
    asked = begin_tool("diff", words, CHOOSING, USAGE, traces=2)
    if asked is None:
        return 0
    paths, options = asked
    traces = [Trace(path) for path in paths]
    one, other = (Side(trace) for trace in traces)
    chosen = [options.choice.of(side.trace, side.described.name) for side in (one, other)]
    found = changes(watched(chosen[0], one.trace, "comparing"), chosen[1], lambda a, b: same(a, one, b, other))
    first = next(found, None)
    heads = itertools.chain(node_lines(one, other), kind_lines(one, other))
    lines = list(heads)
    if first is not None or lines:
        shown = change_lines(itertools.chain([first] if first is not None else [], found), one, other)
        print_lines(itertools.chain(titles(one, other), lines, shown))
    for trace in traces:
        tell_left_out(trace)
    check_nodes(options.choice, *traces)
    return 1 if first is not None or lines else 0


class Side(Comparison):
    """One of the two traces."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(trace)
        self.trace = trace


def painter() -> Callable[[str, str], str]:
    """A function that puts a colour around text where colours are wanted."""
    return (lambda colour, text: f"{colour}{text}{PLAIN}") if wants_colour() else (lambda colour, text: text)


def titles(one: Side, other: Side) -> Iterator[str]:
    """Which sign stands for which trace."""
    paint = painter()
    yield paint(BOLD, f"--- {escaped(one.trace.path)}")
    yield paint(BOLD, f"+++ {escaped(other.trace.path)}")


def node_lines(one: Side, other: Side) -> Iterator[str]:
    """Nodes that only one of them has."""
    paint = painter()
    mine, yours = one.trace.header.nodes, other.trace.header.nodes
    for sign, colour, these, those in (("-", RED, mine, yours), ("+", GREEN, yours, mine)):
        for path in these:
            if path not in those:
                yield paint(colour, f"{sign} node {escaped(path)}")


def kind_lines(one: Side, other: Side) -> Iterator[str]:
    """What the header says that decides how a trace is read."""
    paint = painter()
    for member in ("machine", "word", "order"):
        mine, yours = getattr(one.trace.header, member), getattr(other.trace.header, member)
        if mine != yours:
            yield paint(RED, f"- {member} {escaped(str(mine))}")
            yield paint(GREEN, f"+ {member} {escaped(str(yours))}")


def change_lines(found: Iterator[Change], one: Side, other: Side) -> Iterator[str]:
    """The changes as text, in the manner of diff -u."""
    paint = painter()
    for change in found:
        yield paint(DIM, f"@@ {where(change.removed, one)} | {where(change.added, other)} @@")
        for event in change.context:
            yield f"  {one.text(event)}"
        if len(change.removed) == len(change.added):
            for mine, yours in zip(change.removed, change.added, strict=True):
                yield paint(RED, f"- {one.text(mine)}")
                yield paint(GREEN, f"+ {other.text(yours)}")
                why = in_words(mine, yours, one.described.values)
                if why:
                    yield paint(DIM, f"?   {why}")
            continue
        yield from signed("-", RED, change.removed, one, paint)
        yield from signed("+", GREEN, change.added, other, paint)


def signed(sign: str, colour: str, events: list[Event], side: Side, paint: Callable[[str, str], str]) -> Iterator[str]:
    """Events that only one side has, not all of very many."""
    for event in events[:MOST_LINES]:
        yield paint(colour, f"{sign} {side.text(event)}")
    if len(events) > MOST_LINES:
        yield paint(colour, f"{sign} ... and {len(events) - MOST_LINES} calls more")


def where(events: list[Event], side: Side) -> str:
    """Which events are meant, by number and line."""
    if not events:
        return f"nothing in {escaped(side.trace.path)}"
    first, last = events[0], events[-1]
    if first is last:
        return f"event {first.number}, line {first.line}"
    return f"events {first.number}-{last.number}, lines {first.line}-{last.line}"
