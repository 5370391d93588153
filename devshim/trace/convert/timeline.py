"""To a page for a browser: the calls of a trace on a time axis, to look at; one file that loads nothing else."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any, TextIO

from devshim.trace.convert.recording import Recording
from devshim.trace.convert.writing import numbered
from devshim.trace.described import Described
from devshim.trace.show import escaped, line

PAGE = Path(__file__).with_name("timeline.html")
MOST_TEXT = 600
MOST_EVENTS = 2_000_000
KINDS = ("read", "write", "ioctl", "open", "close", "poll", "other")
KIND_OF = {"pread": "read", "pwrite": "write", "inherit": "open", **{name: name for name in KINDS}}


class Columns:
    """The events as columns, which take a fraction of the room of objects.

    Texts are kept once however often a call was made: a program that polls says the same thing a thousand times.
    """

    def __init__(self) -> None:
        self.start: list[float] = []
        self.took: list[float] = []
        self.lane: list[int] = []
        self.kind: list[int] = []
        self.text: list[int] = []
        self.error: list[int] = []
        self.thread: list[int] = []
        self.texts: dict[str, int] = {}
        self.lanes: dict[str, int] = {}
        self.errors: dict[str, int] = {"": 0}
        self.threads: dict[str, int] = {}
        self.timed = False

    def object(self) -> dict[str, Any]:
        """As the page reads them: microseconds, the starts as differences."""
        before, starts = 0, []
        for start in self.start:
            at = round(start * 1e6)
            starts.append(at - before)
            before = at
        return {
            "start": starts, "took": [round(took * 1e6, 1) for took in self.took], "lane": self.lane,
            "kind": self.kind, "text": self.text, "error": self.error, "thread": self.thread,
            "texts": list(self.texts), "lanes": list(self.lanes), "errors": list(self.errors),
            "threads": list(self.threads), "kinds": KINDS, "timed": self.timed,
        }  # fmt: skip


def number_of(value: str, known: dict[str, int]) -> int:
    """The number of a text, given when it is first met."""
    return known.setdefault(value, len(known))


def write(recording: Recording, file: TextIO) -> int:
    """Write the page; how many events it shows."""
    described = Described(recording.header)
    columns = Columns()
    last, cut = -1e-6, 0
    for event in numbered(recording):
        if event.number > MOST_EVENTS:
            cut = event.number
            continue
        columns.timed = columns.timed or event.time is not None
        last = event.time if event.time is not None else last + 1e-6
        columns.start.append(last)
        columns.took.append(event.took if event.took is not None else 0.0)
        columns.lane.append(number_of(event.node or "(no node)", columns.lanes))
        columns.kind.append(KINDS.index(KIND_OF.get(event.name, "other")))
        columns.text.append(number_of(line(event, described)[:MOST_TEXT], columns.texts))
        columns.error.append(number_of(event.error or "", columns.errors))
        thread = f"{event.process}" if event.thread == 1 else f"{event.process}.{event.thread}"
        columns.thread.append(number_of(thread, columns.threads))
    if cut:
        recording.note(f"the page shows {MOST_EVENTS} of {cut} events")
    header = recording.header
    title = " ".join([header.program, *header.command]) or "trace"
    about = {
        "title": title,
        "by": header.by,
        "made": header.made,
        "machine": header.machine,
        "nodes": {node.path: f"{node.kind} {node.rdev[0]}:{node.rdev[1]}" for node in header.nodes.values()},
        "notes": recording.said(),
    }
    page = PAGE.read_text(encoding="utf-8")
    page = page.replace("@TITLE@", html.escape(escaped(title)))
    before, after = page.split("@DATA@")
    file.write(before)
    file.write(json.dumps({**about, **columns.object()}, separators=(",", ":")).replace("<", "\\u003c"))
    file.write(after)
    return len(columns.start)
