"""Rows: calls that are answered in the program's own process, for a C program (--in-process) and for Python itself."""

from __future__ import annotations

from collections.abc import Iterator

from devshim.embedding import base_executable, shared_library
from tests.bench.calls import CALLS
from tests.bench.samples import Row, Target
from tests.bench.systems import HERE, Bench

PLUGGED = {"/dev/bench0": "Computed"}
LABELS = {"read": 3, "struct8": 6}
"""Targets: so many native read(2); in Python so many more than the same call on a real node."""

FIRST_OPEN = 95_000
"""Target of a process's first open, which brings the interpreter: so many native read(2), 10 ms at 105 ns."""


def rows() -> dict[str, Row]:
    """c/CALL and python/CALL, and c/first."""
    languages = {
        "c": ("in one process, a C program", "reads", ""),
        "python": ("in one process, Python's os.read and fcntl.ioctl", "added reads", "call"),
    }
    first = Row(
        languages["c"][0],
        "first open in a process",
        Target("reads", FIRST_OPEN, "native"),
        counterpart="loading libpython and starting it, isolated, without site and with nothing imported",
    )
    hot = {
        f"{language}/{label}": Row(
            group, CALLS[label].title, Target(measure, most, floor), counterpart=CALLS[label].counterpart
        )
        for language, (group, measure, floor) in languages.items()
        for label, most in LABELS.items()
    }
    return {"c/first": first, **hot}


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    counts = bench.count(40), bench.count(300, 10)
    for _ in range(bench.rounds):
        for language in ("c", "python"):
            here = {label: wanted[name] for label in LABELS if (name := f"{language}/{label}") in wanted}
            ours = [f"{label}={CALLS[label].ours}" for label in here]
            native = [f"{label}={CALLS[label].native}" for label in here]
            if not here:
                continue
            if language == "c":
                head = bench.program("device"), str(counts[0]), str(counts[1]), "0", "1"
                taken = {"native": bench.natively(*head, *native), "devshim": bench.inside(PLUGGED, *head, *ours)}
            else:
                taken = {
                    "native": bench.in_python({}, *native, counts=counts),
                    "devshim": bench.in_python(PLUGGED, *ours, counts=counts),
                }
            for system, series in taken.items():
                for label, values in series.items():
                    here[label].add(system, values)
            yield
        if "c/first" in wanted:
            measure_first(bench, wanted["c/first"])
            yield


def measure_first(bench: Bench, row: Row) -> None:
    """Some first opens, each in a process of its own, and beside each what the interpreter alone takes."""
    program, library = bench.program("first"), shared_library()
    if library is None:  # nothing can be put into a C program
        return
    for _ in range(bench.count(5, 1)):
        for system, series in {
            "native": bench.natively(program, library, base_executable()),
            "devshim": bench.inside({"/dev/bench0": "Plain"}, program, "/dev/bench0", models=HERE / "plain.py"),
        }.items():
            row.add(system, series.get("first", []))
