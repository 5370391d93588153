"""Rows: answers that stand, which the shim gives again by itself: a query of a model's, and one of a replay's."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import written
from tests.bench.calls import EVDEV, PEER, PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

ASKED = {
    "query": (f"{written.NODE}:ioctl:0x80084d05", "query, a model's"),
    "argument": (f"{written.NODE}:ioctl:0xc0204d06", "query, 32 bytes in and out"),
    "replayed": (f"{written.NODE}:ioctl:{written.QUESTION:#x}", "query, a replay's"),
}
"""What programs/device.c asks for, and what to call it."""


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    group, counterpart = "answers by the shim alone", "TIOCGWINSZ of a pseudo-terminal; umockdev: EVIOCGID"
    beside = (Target("faster", 100),)
    return {
        label: Row(group, title, Target("reads", 2), further=beside, counterpart=counterpart)
        for label, (_, title) in ASKED.items()
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    trace = written.write(bench.folder / "asked.trace", written.questions(2))
    head = bench.program("device"), str(bench.count(40)), str(bench.count(300, 10)), "0", "1"
    slow = head[0], str(bench.count(20)), str(bench.count(25, 3)), "0", "1"
    for _ in range(bench.rounds):
        for label, row in wanted.items():
            ours = f"x={ASKED[label][0]}"
            answered = (
                bench.replaying(trace, *head, ours)
                if label == "replayed"
                else bench.under_devshim(PLUGGED, *head, ours)
            )
            found = {
                "native": bench.natively(*head, "x=/dev/ptmx:ioctl:0x5413"),
                "devshim": answered,
                "umockdev": bench.under_umockdev(PEER, *slow, f"x={EVDEV}:ioctl:0x80084502"),
            }
            for system, series in found.items():
                row.add(system, series.get("x", []))
            yield
