"""devshim show: the calls of a trace as text in strace's manner, or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from json import dumps

from devshim.cli.choosing import CHOOSING, ToolOptions, begin_tool, check_nodes, take_count, take_switch
from devshim.cli.options import Option
from devshim.cli.output import BLUE, BOLD, DIM, PLAIN, RED, print_lines, tell_left_out, wants_colour
from devshim.trace.described import Described
from devshim.trace.description import plain
from devshim.trace.event import Event, Header, Node
from devshim.trace.format.lines import event_object
from devshim.trace.format.reader import Trace
from devshim.trace.show import MOST_BYTES, escaped, line, outcome

HELP = "show the calls of a trace"

TABLE = (
    *CHOOSING,
    Option(None, "--bytes", "N", take_count("bytes"), f"show so many bytes of data (default {MOST_BYTES}; 0: all)"),
    Option(None, "--json", None, take_switch("json"), "print a JSON object for each call"),
)

USAGE = """\
usage: devshim show [OPTIONS] TRACE [RANGE...]

Show the calls of a trace, ioctls in words where they are described.  TRACE may be - (stdin).
RANGE is the number of an event, or two with a - between: 7, 100-200, 500-

{options}

example:
  devshim show modem-dial.trace --call write,read 1-50
"""

MOST_NODES = 20
MOST_TEXTS = 8192


def main(words: list[str]) -> int:
    """Do what the words behind `devshim show` ask for; return the exit code.

    Raises UsageError for a wrong command line, TraceError where the trace is damaged.
    """
    asked = begin_tool("show", words, TABLE, USAGE)
    if asked is None:
        return 0
    (path,), options = asked
    trace = Trace(path)
    described = Described(trace.header, options.values.get("bytes", MOST_BYTES) or sys.maxsize)
    lines = json_lines if "json" in options.switches else text_lines
    print_lines(lines(trace, options, described), at_once=path == "-")
    tell_left_out(trace)
    check_nodes(options.choice, trace)
    return 0


def text_lines(trace: Trace, options: ToolOptions, described: Described) -> Iterator[str]:
    """A line for each event that is meant, between what the trace says of itself and how it ended."""
    colour = wants_colour()
    shade = (lambda text: f"{DIM}{text}{PLAIN}") if colour else str
    yield from map(shade, about(trace.header))
    paint = painted if colour else plainly
    texts: dict[int, str] = {}
    for event in options.choice.of(trace, described.name):
        text = texts.get(event.alike)
        if text is None:
            text = paint(event, described)
            if event.alike:
                if len(texts) >= MOST_TEXTS:
                    texts.clear()
                texts[event.alike] = text
        if event.times is not None:
            time, took = event.times
            yield f"{event.number:6}  {time.decode():>11}  {text} <{took.decode()}>"
        elif event.time is None:
            yield f"{event.number:6}  {text}"
        elif event.took is None:
            yield f"{event.number:6}  {event.time:11.6f}  {text}"
        else:
            yield "%6d  %11.6f  %s <%.6f>" % (event.number, event.time, text, event.took)  # noqa: UP031
    if trace.finished or options.choice.last is None:
        yield from map(shade, ending(trace))


def plainly(event: Event, described: Described) -> str:
    """Process and thread where it is not the first, and the call."""
    text = line(event, described, True, described.most)
    return text if event.process == 1 and event.thread == 1 else f"{caller(event)}{text}"


def caller(event: Event) -> str:
    """Process and thread, unless they are the first."""
    if event.process == 1 and event.thread == 1:
        return ""
    return f"[{event.process}] " if event.thread == 1 else f"[{event.process}.{event.thread}] "


def painted(event: Event, described: Described) -> str:
    """The same in colours: what failed is red."""
    call = line(event, described, True, described.most)
    result = outcome(event)
    given = call[len(event.name) : len(call) - len(result)]
    end = f"{RED}{result}{PLAIN}" if event.error is not None or not event.finished else result
    name = f"{BLUE if event.name == 'ioctl' else BOLD}{event.name}{PLAIN}"
    return f"{DIM}{caller(event)}{PLAIN}{name}{given}{end}"


def about(header: Header) -> Iterator[str]:
    """What a trace says of itself."""
    by = f" by {escaped(header.by)}" if header.by else ""
    words = " ".join(map(escaped, [header.program, *header.command] if header.command else [header.program]))
    yield f"# {escaped(header.made)}{by} on {escaped(header.machine)}" + (f": {words}" if words.strip() else "")
    for node in list(header.nodes.values())[:MOST_NODES]:
        yield f"# {about_node(node)}"
    if len(header.nodes) > MOST_NODES:
        yield f"# ... and {len(header.nodes) - MOST_NODES} nodes more"


def about_node(node: Node) -> str:
    """A node in a few words."""
    around = f", {len(node.surroundings)} files around it" if node.surroundings else ""
    return f"{escaped(node.path)}: {node.kind} {node.rdev[0]}:{node.rdev[1]}, mode {node.mode:04o}{around}"


def ending(trace: Trace) -> Iterator[str]:
    """How the recording ended, and what the recorder had to say."""
    if not trace.finished:
        yield "# the recording has no end: its recorder was killed, or still records"
        return
    lost = f", {trace.lost} calls are missing" if trace.lost else ""
    yield f"# {escaped(trace.finished)}{lost}"
    for note in trace.notes:
        yield f"# {escaped(note)}"


def json_lines(trace: Trace, options: ToolOptions, described: Described) -> Iterator[str]:
    """A line for each event that is meant: as in the trace, with its number, node and decoded argument."""
    encode: Callable[..., str] = dumps
    for event in options.choice.of(trace, described.name):
        shown = {"number": event.number, "line": event.line, "node": event.node, **event_object(event)}
        if event.name == "ioctl":
            shown["name"] = described.name(event)
            values = described.values(event)
            if values:
                shown["decoded"] = plain(values)
        yield encode(shown)
