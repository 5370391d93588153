"""What the trace tools print: text in batches, colours where they are wanted, and what is to be said of a trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from devshim.target import say
from devshim.trace.event import Event
from devshim.trace.format.reader import Trace
from devshim.trace.show import escaped

BATCH = 512
LARGE = 16 << 20
OFTEN = 4096

RED, GREEN, YELLOW, BLUE, DIM, BOLD, PLAIN = (f"\033[{code}m" for code in ("31", "32", "33", "34", "2", "1", "0"))


def wants_colour() -> bool:
    """Whether stdout is a terminal that shows colours, and NO_COLOR is not set (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def ready_stdout() -> None:
    """Let text pass that stdout's encoding has no letters for."""
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def print_lines(lines: Iterable[str], at_once: bool = False) -> None:
    """Print lines: many at a time, unless each is wanted at once; what came before a failure is printed, too."""
    write = sys.stdout.write
    batch: list[str] = []
    most = 1 if at_once else BATCH
    rest = iter(lines)
    try:
        while True:
            batch.extend(islice(rest, most))
            if not batch:
                return
            write("\n".join(batch) + "\n")
            batch.clear()
            if at_once:
                sys.stdout.flush()
    except BrokenPipeError:
        batch.clear()
        raise
    finally:
        if batch:
            write("\n".join(batch) + "\n")
        sys.stdout.flush()


def tell_left_out(trace: Trace) -> None:
    """Say on stderr that a last line was cut off."""
    if trace.left_out:
        say(f"{escaped(trace.path)}:{trace.lines + 1}: the last line is cut off and was left out")


def watched(events: Iterable[Event], trace: Trace, what: str) -> Iterator[Event]:
    """The same events; a bar on stderr says how far a large trace is read, where that is a terminal."""
    size = os.path.getsize(trace.path) if os.path.isfile(trace.path) else 0
    if size < LARGE or not sys.stderr.isatty() or trace.path.endswith(".zst"):
        yield from events
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield from events
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=size)
        for event in events:
            if not event.number % OFTEN:
                progress.update(task, completed=event.position)
            yield event
