"""Rows: the same read by many threads and by many processes, and beside a busy thread in the host."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.calls import PAUSE_US, PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

GROUP = "device calls, by many (time / calls of all)"
BESIDE = "device calls, beside a busy thread of Python in the host"
THREADS, PROCESSES = (1, 4, 16), (1, 8, 64)
NODE = "/dev/bench0"


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    found = {f"threads/{number}": Row(GROUP, f"read, {number} thread{'s' * (number > 1)}") for number in THREADS}
    for number in PROCESSES:
        found[f"processes/{number}"] = Row(GROUP, f"read, {number} process{'es' * (number > 1)}")
    found["busy"] = Row(BESIDE, "read, after a pause", Target("reads", 2000))
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for label, row in wanted.items():
            kind, _, number = label.partition("/")
            if kind == "busy":  # each call by itself: in a row of them only the first waits for the busy thread
                plugged, counts = {NODE: "Busy"}, (bench.count(80), 1, PAUSE_US, 1)
            else:
                crowd = int(number) * (-1 if kind == "processes" else 1)
                plugged, counts = PLUGGED, (bench.count(20), bench.count(1200 // int(number), 5), 0, crowd)
            head = bench.program("device"), *map(str, counts)
            row.add("native", bench.natively(*head, "read=/dev/zero:read").get("read", []))
            row.add("devshim", bench.under_devshim(plugged, *head, f"read={NODE}:read").get("read", []))
            yield
