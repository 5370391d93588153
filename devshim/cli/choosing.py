"""The options by which the trace tools choose events, and what all of these tools do with their command lines."""

from __future__ import annotations

import errno
import gc
import re
from collections.abc import Sequence
from typing import Any

from devshim.cli.options import Option, Options, parse, wrong
from devshim.cli.output import ready_stdout
from devshim.trace.choice import Choice
from devshim.trace.format.lines import CALLS
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped

MOST_OPERANDS = 256
MOST_NODES = 8  # that an error names


class ToolOptions(Options):
    """What was asked of a tool.

    choice  which events
    output  a file, "" for stdout
    switches  the options without a value that were given, by name without dashes; values: those with one
    """

    def __init__(self) -> None:
        super().__init__()
        self.choice = Choice()
        self.output = ""
        self.switches: set[str] = set()
        self.values: dict[str, int] = {}


def take_number(attribute: str, name: str) -> Any:
    """An action that adds a whole number from 1 to one of the choice's sets."""

    def take(options: ToolOptions, text: str) -> None:
        if not (text.isascii() and text.isdigit() and int(text)):
            raise wrong(f"{name} {text}: must be a number from 1")
        getattr(options.choice, attribute).add(int(text))

    return take


def take_node(options: Any, text: str) -> None:
    """A node's path, or a shell pattern of it."""
    options.choice.nodes.append(text)


def take_call(options: Any, text: str) -> None:
    """Names of calls, with commas between them."""
    for name in text.split(","):
        if name not in CALLS:
            raise wrong(f"--call {name}: traces have no such call", name, CALLS)
        options.choice.calls.add(name)


def take_request(options: Any, text: str) -> None:
    """A request's number, or a shell pattern of its name."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|[0-9]+", text):
        options.choice.requests.append(int(text, 0) if not text.isdigit() else int(text))
    else:
        options.choice.requests.append(text)


def take_errno(options: Any, text: str) -> None:
    """An errno by its name; "any" is every failure."""
    name = text.upper()
    if name != "ANY" and not isinstance(getattr(errno, name, None), int):
        raise wrong(f"--errno {text}: no such errno", name, [*errno.errorcode.values(), "any"])
    options.choice.errors.add("any" if name == "ANY" else name)


def take_switch(name: str) -> Any:
    """An action that says yes."""
    return lambda options, text: options.switches.add(name)


def take_count(name: str) -> Any:
    """An action that takes a number of something, from 0."""

    def take(options: ToolOptions, text: str) -> None:
        if not (text.isascii() and text.isdigit()):
            raise wrong(f"--{name} {text}: must be a number, 0 or more")
        options.values[name] = int(text)

    return take


def take_output(options: Any, text: str) -> None:
    """The file to write."""
    options.output = text


CHOOSING = (
    Option("-n", "--node", "GLOB", take_node, "calls on nodes that match; repeatable"),
    Option("-f", "--file", "N", take_number("files", "--file"), "calls on the open file of this number"),
    Option(None, "--call", "NAME,...", take_call, "calls of these names: open, read, write, ioctl, ..."),
    Option(None, "--request", "REQUEST", take_request, "ioctls of this number, or of a name that matches"),
    Option(None, "--errno", "NAME", take_errno, "calls that failed with this errno; any: with whichever"),
    Option("-p", "--process", "N", take_number("processes", "--process"), "calls of the process of this number"),
)


def begin_tool(
    verb: str, words: Sequence[str], table: Sequence[Option], usage: str, traces: int = 1, ranges: bool = True
) -> tuple[list[str], ToolOptions] | None:
    """A tool's command line: its traces, and the rest; None where help was asked for, which is printed then.

    Gets the process ready, too, for millions of events and for text of any kind.

    usage   the help's text, with {options} where these stand
    traces  how many traces there must be
    ranges  whether ranges of events may stand behind them

    Raises UsageError (exit code 2).
    """
    options = ToolOptions()
    found = parse(words, table, options, MOST_OPERANDS)
    if found == ["--help"]:
        from devshim.cli.usage import option_list

        print(usage.format(options=option_list(table)), end="")
        return None
    found += options.program
    if len(found) < traces:
        what = "a trace" if traces == 1 else f"{traces} traces"
        raise wrong(f"devshim {verb} needs {what}; devshim {verb} --help explains it")
    if found[traces:] and not ranges:
        raise wrong(f"devshim {verb} takes {traces} trace{'s' * (traces > 1)}, not {' '.join(found)}")
    options.choice.ranges = [event_range(word) for word in found[traces:]]
    gc.disable()  # no event refers to itself
    ready_stdout()
    return found[:traces], options


def check_nodes(choice: Choice, *traces: Trace) -> None:
    """Raise UsageError for a --node that none of the traces has; once they were read.

    Nodes stand anywhere in a trace, so one that was not read to its end, or has none, may have it.
    """
    if not all(trace.finished for trace in traces):
        return
    nodes = list(dict.fromkeys(path for trace in traces for path in trace.header.nodes))
    unmet = choice.unmet(nodes)
    if unmet is not None:
        names = ", ".join(map(escaped, nodes[:MOST_NODES])) + (", ..." if len(nodes) > MOST_NODES else "")
        raise wrong(f"--node {escaped(unmet)}: no such node in the trace, which has {names or 'none'}")


def event_range(word: str) -> tuple[int, int | None]:
    """100, 100-200, or 100- for all from there on.  Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,18})(-)?([0-9]{1,18})?", word)
    if match is None or (match[3] and not match[2]) or int(match[1]) < 1:
        raise wrong(f"{word}: events are told as 100, 100-200 or 100-")
    first = int(match[1])
    last = int(match[3]) if match[3] else None if match[2] else first
    if last is not None and last < first:
        raise wrong(f"{word}: the last event comes before the first")
    return first, last
