"""Rows: the same call by many threads and by many processes, and beside a busy thread in the host."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.calls import CALLS, PAUSE_US, PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

GROUP = "device calls, by many (time / calls of all)"
BESIDE = "device calls, beside a busy thread of Python in the host"
THREADS, PROCESSES = (1, 4, 16), (1, 8, 64)
WHAT = {"read": "read", "struct32": "ioctl"}
NODE = "/dev/bench0"


def rows() -> dict[str, Row]:
    """The rows of this group by label: threads/NUMBER/CALL, processes/NUMBER/CALL, busy."""
    found = {}
    for label, title in WHAT.items():
        for kind, numbers in (("threads", THREADS), ("processes", PROCESSES)):
            for number in numbers:
                many = kind.removesuffix("es" if kind == "processes" else "s") if number == 1 else kind
                row = Row(GROUP, f"{title}, {number} {many}", curve=f"{title}s, by {kind}", at=number)
                found[f"{kind}/{number}/{label}"] = row
    found["busy"] = Row(BESIDE, "read, after a pause", Target("reads", 2000))
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for label, row in wanted.items():
            kind, _, rest = label.partition("/")
            if kind == "busy":  # each call by itself: in a row of them only the first waits for the busy thread
                plugged, counts, what = {NODE: "Busy"}, (bench.count(80), 1, PAUSE_US, 1), "read"
            else:
                number, _, what = rest.partition("/")
                crowd = int(number) * (-1 if kind == "processes" else 1)
                plugged, counts = PLUGGED, (bench.count(20), bench.count(1200 // int(number), 5), 0, crowd)
            head = bench.program("device"), *map(str, counts)
            row.add("native", bench.natively(*head, f"x={CALLS[what].native}").get("x", []))
            row.add("devshim", bench.under_devshim(plugged, *head, f"x={CALLS[what].ours}").get("x", []))
            yield
