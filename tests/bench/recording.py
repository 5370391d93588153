"""Rows: what a recording costs the program in each call on hardware, and reading that is not recorded beside it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

GROUP = "calls on real nodes that are recorded (peer: strace)"
CALLS = {
    "read": ("read, 8 bytes", "/dev/zero:read"),
    "write": ("write, 8 bytes", "/dev/null:write"),
    "ioctl": ("ioctl, 36-byte structure", "/dev/ptmx:ioctl:0x5401"),
}
ADDED = 10
"""Target: a microsecond more, in native read(2) of some 100 ns."""


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    beside = (Target("added", 1),)
    return {
        label: Row(GROUP, title, Target("added reads", ADDED), further=beside) for label, (title, _) in CALLS.items()
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step; so few calls that the recorder need not catch up meanwhile."""
    nodes = sorted({where.partition(":")[0] for _, where in CALLS.values()})
    words = [f"{label}={CALLS[label][1]}" for label in wanted]
    head = bench.program("device"), str(bench.count(40)), str(bench.count(300, 10)), "0", "1"
    slow = head[0], str(bench.count(10)), str(bench.count(50, 10)), "0", "1"
    for _ in range(bench.rounds):
        found = {
            "native": bench.natively(*head, *words),
            "devshim": bench.recorded(nodes, *head, *words),
            "strace": bench.under_strace(*slow, *words),
        }
        for system, series in found.items():
            for label, values in series.items():
                wanted[label].add(system, values)
        yield
