"""Rows: the same call by many threads and by many processes, with both hosts, and beside a busy thread in the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.bench.calls import CALLS, PAUSE_US, PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench, Series

MANY = "(time / calls of all)"
GROUPS = {"own": f"device calls, by many {MANY}", "inside": f"in one process, by many {MANY}"}
BESIDE = "device calls, beside a busy thread of Python in the host"
NUMBERS = {"threads": (1, 4, 16), "processes": (1, 8, 64)}
WHAT = {"read": "read", "write": "write", "value": "by value", "struct32": "ioctl", "rdwr": "I2C_RDWR"}
CURVES = ("read", "struct32")
NODE = "/dev/bench0"
MOST_INSIDE = 3
"""Rounds in which processes are their own hosts: each of them starts an interpreter for each row."""


def rows() -> dict[str, Row]:
    """The rows of this group by label: HOST/threads/NUMBER/CALL, HOST/processes/NUMBER/CALL, busy."""
    found = {}
    for host, group in GROUPS.items():
        for kind, numbers in NUMBERS.items():
            for number in numbers:
                for label, title in WHAT.items():
                    found[f"{host}/{kind}/{number}/{label}"] = row = Row(group, f"{title}, {counted(number, kind)}")
                    row.counterpart = CALLS[label].counterpart
                    if label in CURVES:
                        row.curve = f"{title}s, by {kind}" + (", in one process" if host == "inside" else "")
                        row.at = number
    found["busy"] = Row(BESIDE, "read, after a pause", Target("reads", 2000))
    return found


def counted(number: int, kind: str) -> str:
    """1 thread, 4 threads, 1 process, 8 processes."""
    return f"{number} {kind if number > 1 else {'threads': 'thread', 'processes': 'process'}[kind]}"


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for turn in range(bench.rounds):
        for host in GROUPS if turn < MOST_INSIDE else ("own",):
            for kind, numbers in NUMBERS.items():
                for number in numbers:
                    before = f"{host}/{kind}/{number}/"
                    here = {label: row for label in WHAT if (row := wanted.get(before + label)) is not None}
                    if here:
                        crowd(bench, host, number * (-1 if kind == "processes" else 1), here)
                yield
        if "busy" in wanted:  # each call by itself: in a row of them only the first waits for the busy thread
            head = bench.program("device"), str(bench.count(80)), "1", str(PAUSE_US), "1"
            add(wanted, "native", bench.natively(*head, f"busy={CALLS['read'].native}"))
            add(wanted, "devshim", bench.under_devshim({NODE: "Busy"}, *head, f"busy={CALLS['read'].ours}"))
            yield


def crowd(bench: Bench, host: str, number: int, rows: Mapping[str, Row]) -> None:
    """All calls by so many threads, or where it is negative processes."""
    head = bench.program("device"), str(bench.count(10)), str(bench.count(1200 // abs(number), 5)), "0", str(number)
    under = bench.inside if host == "inside" else bench.under_devshim
    add(rows, "native", bench.natively(*head, *(f"{label}={CALLS[label].native}" for label in rows)))
    add(rows, "devshim", under(PLUGGED, *head, *(f"{label}={CALLS[label].ours}" for label in rows)))


def add(rows: Mapping[str, Row], system: str, found: Series) -> None:
    """Add what was measured to the rows that its labels name."""
    for label, values in found.items():
        rows[label].add(system, values)
