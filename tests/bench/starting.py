"""Rows: what starting programs costs, inside a run and with the run itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.bench.ordinary import PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

GROUP = "starting programs"


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    return {
        "exec": Row(GROUP, "true, from within a run", Target("added reads", 500)),
        "command": Row(GROUP, "devshim run -- true", Target("native", 3.0), counterpart="python3 -c pass"),
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    spawn = bench.program("spawn")
    child = spawn, str(bench.count(40, 5)), "true"
    for _ in range(bench.rounds):
        if "exec" in wanted:
            row = wanted["exec"]
            row.add("native", bench.natively(*child).get("spawn", []))
            row.add("devshim", bench.under_devshim(PLUGGED, *child).get("spawn", []))
            row.add("umockdev", bench.under_umockdev(None, *child).get("spawn", []))
        if "command" in wanted:
            row, times = wanted["command"], str(bench.count(8))
            row.add("native", bench.natively(spawn, times, sys.executable, "-c", "pass").get("spawn", []))
            row.add("devshim", bench.natively(spawn, times, *bench.devshim, "run", "--", "true").get("spawn", []))
            if bench.umockdev:
                row.add("umockdev", bench.natively(spawn, times, bench.umockdev, "--", "true").get("spawn", []))
        yield
