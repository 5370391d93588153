"""Rows: what a program pays for the shim on calls that have nothing to do with devices."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.samples import Row, Target
from tests.bench.systems import Bench

GROUP = "ordinary calls, shim loaded"
TITLES = {
    "read": ("read(2), 1 byte", 0.03),
    "write": ("write(2), 1 byte", 0.03),
    "ioctl": ("ioctl(FIONREAD) on a pipe", 0.03),
    "poll": ("poll(2) of one pipe", 0.03),
    "open+close": ("open and close of a file", 0.2),
    "stat": ("stat(2) of a file", 0.2),
    "fstat": ("fstat(2)", 0.03),
}
FREE = frozenset(("poll", "fstat"))
"""Calls that umockdev does not stand in front of."""
PLUGGED = {"/dev/bench0": "Computed"}


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    return {
        label: Row(GROUP, title, Target("added reads", most), further=() if label in FREE else (Target("added", 50),))
        for label, (title, most) in TITLES.items()
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    file = bench.folder / "ordinary-file"
    file.write_text("nothing\n")
    words = bench.program("ordinary"), str(bench.count(20)), str(bench.count(1000, 50)), str(file)
    passing = bench.program("passing", "-shared", "-fPIC")
    # Where a program happens to lie in memory costs or saves more than the targets allow for: many short programs.
    for _ in range(4 * bench.rounds):
        found = {
            "native": bench.natively(*words),
            "devshim": bench.under_devshim(PLUGGED, *words),
            "umockdev": bench.under_umockdev(None, *words),
            "floor": bench.under_library(passing, *words),
        }
        for system, series in found.items():
            for label, values in series.items():
                if label in wanted:
                    wanted[label].add(system, values)
        yield
