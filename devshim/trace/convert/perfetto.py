"""To chrome://tracing, ui.perfetto.dev and speedscope: the Trace Event Format, JSON."""

from __future__ import annotations

import json
from typing import Any, TextIO

from devshim.trace.convert.recording import Recording
from devshim.trace.convert.writing import numbered
from devshim.trace.described import Described
from devshim.trace.event import Event
from devshim.trace.show import line

MOST_TEXT = 400


def write(recording: Recording, file: TextIO) -> int:
    """Write one slice for each event, on a track for each thread; how many there are.

    A trace without times gets one microsecond for each call.
    """
    described = Described(recording.header)
    encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
    file.write('{"displayTimeUnit":"ns","traceEvents":[\n')
    count, last, seen = 0, 0.0, set[tuple[int, int]]()
    for event in numbered(recording):
        last = event.time if event.time is not None else last + 1e-6
        if (event.process, event.thread) not in seen:
            seen.add((event.process, event.thread))
            for named in names(event, recording.header.program):
                file.write(f"{encode(named)},\n")
        count += 1
        file.write(f"{encode(slice_of(event, last, described))},\n")
    about = {"name": "made", "ph": "M", "pid": 0, "args": {"by": recording.header.by, "made": recording.header.made}}
    file.write(f"{encode(about)}\n]}}\n")
    return count


def names(event: Event, program: str) -> list[dict[str, Any]]:
    """What a process's and a thread's track are called."""
    process, thread = event.process, event.thread
    title = f"{program or 'process'} {process}" if process > 1 or not program else program
    return [
        {"name": "process_name", "ph": "M", "pid": process, "tid": thread, "args": {"name": title}},
        {"name": "thread_name", "ph": "M", "pid": process, "tid": thread, "args": {"name": f"thread {thread}"}},
    ]


def slice_of(event: Event, time: float, described: Described) -> dict[str, Any]:
    """A complete event ("X"): microseconds, and what strace would print as an argument."""
    name = described.name(event) if event.name == "ioctl" else event.name
    shown: dict[str, Any] = {
        "name": f"{name} {event.node.rpartition('/')[2]}".strip(),
        "cat": event.node or "none",
        "ph": "X",
        "ts": round(time * 1e6, 3),
        "dur": round(event.took * 1e6, 3) if event.took is not None else 0.5,
        "pid": event.process,
        "tid": event.thread,
        "args": {"event": event.number, "call": line(event, described)[:MOST_TEXT]},
    }
    if event.error is not None:
        shown["args"]["error"] = event.error
        shown["cname"] = "terrible"
    return shown
