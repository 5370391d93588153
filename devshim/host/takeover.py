"""Finishes a trace whose recorder was killed: goes on from what it had noted down, with what is left in the ring."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from devshim.errors import DevshimError
from devshim.host._channel import Ring
from devshim.host.recorded import from_file
from devshim.host.recorder import Numbers, Recording, Wanted, finish
from devshim.host.ringevents import Assembler
from devshim.trace.format.files import PACKED
from devshim.trace.format.writer import Writer


def finish_trace(run: str, wanted: Wanted, say: Callable[[str], object]) -> None:
    """Finish the trace of a run whose programs have ended, and say what became of it."""
    checkpoint = os.path.join(run, "recorder")
    if not os.path.exists(os.path.join(run, "ring")):
        return  # it was lost before it had begun
    if wanted.path.endswith(PACKED):
        say(f"{wanted.path}: the recorder was lost; what it had written until then can be read")
        return
    recorded = from_file(os.path.join(run, "recorded"))
    ring = Ring(os.path.join(run, "ring"), False)
    assembler = Assembler(recorded.get, ring.state()["started"])
    recording = Recording(wanted, say)
    if os.path.exists(checkpoint):
        with open(checkpoint) as file:
            state = json.load(file)
        ring.seek(state["position"])
        assembler.restore(state["assembler"])
        recording.counts, recording.notes = state["counts"], state["notes"]
        recording.files = Numbers(*state["files"])
        nodes = {one.node.path: one.node for one in recorded.values()}
        wanted.header.nodes.update({path: nodes[path] for path in state["nodes"] if path in nodes})
        wanted.header.ioctls.update({number: {} for number in state["ioctls"]})
        try:
            os.truncate(wanted.path, state["size"])
            recording.writer = Writer.resume(wanted.path, wanted.header, state["events"])
        except OSError as problem:
            say(f"{wanted.path}: {problem.strerror}; the trace ends where the recorder was lost")
            return
    try:
        finish(ring, recording, assembler, "the recorder was lost")
    except DevshimError as problem:
        say(f"{wanted.path}: {problem}")
    for text in recording.messages():
        say(text)
    if recording.counts and not recording.broken:
        say(f"the recorder was lost; {wanted.path} was finished with what the programs had left behind")
