"""Rows: packets of input devices, from a model to a C program, beside a raw Python loop on a socket pair."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.models import REPORT, REPORTS_A_BURST
from tests.bench.samples import Row, Target
from tests.bench.systems import HERE, Bench, Peer

GROUP = "input devices: packets in bursts"
EVDEV, HIDRAW = "/dev/input/event9", "/dev/hidraw9"
EVENT = 24
MOVES = 160
"""Reports of a burst of the mouse, of three events each; fewer than what its queue holds."""
MOVE = ((2, 0, 1), (2, 1, 2), (0, 0, 0))
"""Type, code and value of a report's events."""
REPORT_OF_MOUSE = b"".join(struct.pack("qqHHi", 0, 0, *event) for event in MOVE)
EVENTS = "".join(f"E: 0.001000 {type:04x} {code:04x} {value}\n" for type, code, value in MOVE)
MOUSE = Peer(
    "P: /devices/virtual/input/input9/event9\nN: input/event9\nE: DEVNAME=/dev/input/event9\nE: SUBSYSTEM=input\n"
    "A: dev=13:73\n"
)
GADGET = "P: /devices/virtual/hidraw/hidraw9\nN: hidraw9\nE: DEVNAME=/dev/hidraw9\nE: SUBSYSTEM=hidraw\nA: dev=240:9\n"
TONE = bytes(16) + (0x12).to_bytes(2, "little") + (2).to_bytes(2, "little") + (1).to_bytes(4, "little")
"""struct input_event: EV_SND, SND_TONE, 1."""


@dataclass(frozen=True)
class Packets:
    """One kind: the model, what the program asks for a burst with, and what of it the program reads."""

    title: str
    node: str
    model: str
    record: int
    burst: int
    ask: str
    kind: str
    """How the raw loop sends it: "events" or "packets"."""
    answer: bytes
    """What it sends, again and again: a report."""
    answers: int
    """How often."""
    reads: float
    """Target: so many native read(2) a record."""


KINDS = {
    "evdev": Packets(
        "evdev, one event", EVDEV, "Mouse", EVENT, 3 * MOVES, TONE.hex(), "events", REPORT_OF_MOUSE, MOVES, 20
    ),
    "hidraw": Packets(
        "hidraw, one report",
        HIDRAW,
        "Gadget",
        len(REPORT),
        REPORTS_A_BURST,
        "00" * 9,
        "packets",
        REPORT,
        REPORTS_A_BURST,
        50,
    ),
}


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    counterpart = "a raw Python loop on a socket pair"
    return {
        label: Row(
            GROUP, kind.title, Target("reads", kind.reads), counterpart=counterpart, further=(Target("of native", 0.9),)
        )
        for label, kind in KINDS.items()
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for label, row in wanted.items():
            kind = KINDS[label]
            bursts = bench.count(60, 5)
            head = bench.program("packets"), label
            counts = str(kind.record), str(kind.burst), str(bursts)
            bare = sys.executable, str(HERE / "barepackets.py")
            for column, how in ("native", kind.kind), ("floor", f"{kind.kind} called"):
                loop = *bare, how, kind.answer.hex(), str(kind.answers)
                row.add(column, bench.natively(*loop, *head, "FD", *counts, kind.ask).get(label, []))
            row.add(
                "devshim",
                bench.under_devshim({kind.node: kind.model}, *head, kind.node, *counts, kind.ask).get(label, []),
            )
            row.add("umockdev", under_umockdev(bench, label, kind).get(label, []))
            yield


def under_umockdev(bench: Bench, label: str, kind: Packets) -> dict[str, list[float]]:
    """The same as umockdev replays it: without being asked, and fewer, for it takes ever longer."""
    bursts = 3
    if label == "evdev":
        text = EVENTS * (MOVES * bursts)
        peer = Peer(MOUSE.description, evemu={kind.node: text})
    else:
        peer = Peer(GADGET, scripts={kind.node: f"r 0 {'U' * kind.record}\n" * (kind.burst * bursts)})
    counts = str(kind.record), str(kind.burst), str(bursts)
    return bench.under_umockdev(peer, bench.program("packets"), label, kind.node, *counts)
