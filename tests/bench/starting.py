"""Rows: what starting programs costs, inside a run and with the run itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.bench.ordinary import PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

GROUP = "starting programs"
BARE = sys.executable, "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
ONE = 0
"""The processor of what is started again and again: where a child begins changes its time by more than we add."""
EXEC = "python3, which executes the program at once"


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    return {
        "exec": Row(GROUP, "true in a run, one CPU", Target("added reads", 500)),
        "command": Row(GROUP, "devshim run -- true", Target("native", 3.0), counterpart="python3 -c pass"),
        "begun": Row(GROUP, "from command to main()", Target("added reads", 20_000), counterpart=EXEC),
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    spawn = bench.program("spawn")
    child = spawn, str(bench.count(40, 5)), "true"
    for _ in range(bench.rounds):
        if "exec" in wanted:
            row = wanted["exec"]
            row.add("native", bench.natively(*child, cpu=ONE).get("spawn", []))
            row.add("devshim", bench.under_devshim(PLUGGED, *child, cpu=ONE).get("spawn", []))
            row.add("umockdev", bench.under_umockdev(None, *child, cpu=ONE).get("spawn", []))
        if "command" in wanted:
            row, times = wanted["command"], str(bench.count(8))
            row.add("native", bench.natively(spawn, times, sys.executable, "-c", "pass").get("spawn", []))
            row.add("devshim", bench.natively(spawn, times, *bench.devshim, "run", "--", "true").get("spawn", []))
            if bench.umockdev:
                row.add("umockdev", bench.natively(spawn, times, bench.umockdev, "--", "true").get("spawn", []))
        if "begun" in wanted:
            row, program = wanted["begun"], bench.program("answers")
            for _ in range(bench.count(6)):
                row.add("native", bench.begun(*BARE, program))
                row.add("floor", bench.begun(sys.executable, "-I", "-S", *BARE[1:], program))
                row.add("devshim", bench.begun(*bench.devshim, "run", "--", program))
                if bench.umockdev:
                    row.add("umockdev", bench.begun(bench.umockdev, "--", program))
        yield
