"""Rows: what a recording costs the program, in each call on hardware and in bulk."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.models import BULK
from tests.bench.samples import Row, Target
from tests.bench.serial import bare_pty
from tests.bench.systems import Bench, Series

GROUP = "calls on real nodes that are recorded (peer: strace)"
GROUP_BULK = "a terminal's bulk data that is recorded (peer: strace)"
CALLS = {
    "read": ("read, 8 bytes", "/dev/zero:read"),
    "write": ("write, 8 bytes", "/dev/null:write"),
    "ioctl": ("ioctl, 36-byte structure", "/dev/ptmx:ioctl:0x5401"),
}
TERMINAL = {"take": "to the program", "give": "from the program"}
ADDED = 10
"""Target: a microsecond more, in native read(2) of some 100 ns."""


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    beside = (Target("added", 1),)
    found = {
        label: Row(GROUP, title, Target("added reads", ADDED), further=beside) for label, (title, _) in CALLS.items()
    }
    for label, title in TERMINAL.items():
        found[label] = Row(GROUP_BULK, title, bytes_a_second=True, further=beside)
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        if any(label in CALLS for label in wanted):
            add(wanted, calls(bench, [label for label in wanted if label in CALLS]))
            yield
        for label in TERMINAL:
            if label in wanted:
                add(wanted, bulk(bench, label))
                yield


def add(rows: dict[str, Row], found: dict[str, Series]) -> None:
    """Add what was measured on each system to the rows that its labels name."""
    for system, series in found.items():
        for label, values in series.items():
            rows[label].add(system, values)


def calls(bench: Bench, labels: list[str]) -> dict[str, Series]:
    """One round of calls; so few that the recorder need not catch up meanwhile."""
    nodes = sorted({where.partition(":")[0] for _, where in CALLS.values()})
    words = [f"{label}={CALLS[label][1]}" for label in labels]
    head = bench.program("device"), str(bench.count(40)), str(bench.count(300, 10)), "0", "1"
    slow = head[0], str(bench.count(10)), str(bench.count(50, 10)), "0", "1"
    return {
        "native": bench.natively(*head, *words),
        "devshim": bench.recorded(nodes, *head, *words),
        "strace": bench.under_strace(*slow, *words),
    }


def bulk(bench: Bench, label: str) -> dict[str, Series]:
    """One round of megabytes through a bare pseudo-terminal; so many that the recorder must keep up."""
    words = bench.program("tty"), label, str(bench.count(20)), "1", str(BULK)
    found = {}
    for system in ("native", "devshim", "strace"):
        with bare_pty(None) as slave:
            if system == "native":
                found[system] = bench.natively(*words, slave)
            elif system == "devshim":
                found[system] = bench.recorded([slave], *words, slave)
            else:
                found[system] = bench.under_strace(*words, slave)
    return found
