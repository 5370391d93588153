"""Rows: the engine `seccomp`: calls of a static program on devices, and what it pays for its ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.calls import CALLS, PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

ASKED = {
    "read": (CALLS["read"].ours, CALLS["read"].native, "read, 8 bytes"),
    "value": (CALLS["value"].ours, CALLS["value"].native, "ioctl, by value"),
    "ordinary": ("/dev/zero:read", "/dev/zero:read", "an ordinary read"),
}
"""What programs/device.c asks for, the same natively, and what to call it."""


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    group = "a static program (engine seccomp)"
    return {
        label: Row(group, title, Target("reads", 60), counterpart=native.partition(":")[0])
        for label, (_, native, title) in ASKED.items()
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    head = bench.program("device", "-static"), str(bench.count(40)), str(bench.count(300, 10)), "0", "1"
    for _ in range(bench.rounds):
        for label, row in wanted.items():
            ours, native, _ = ASKED[label]
            row.add("native", bench.natively(*head, f"x={native}").get("x", []))
            row.add("devshim", bench.under_devshim(PLUGGED, *head, f"x={ours}").get("x", []))
            yield
