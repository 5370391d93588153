"""Rows: calls that are answered in the program's own process, for a C program (--in-process) and for Python itself."""

from __future__ import annotations

from collections.abc import Iterator

from devshim.embedding import base_executable, shared_library
from tests.bench.calls import CALLS, HOT, PAUSE_US, PAUSED, PLUGGED
from tests.bench.samples import Row, Target
from tests.bench.systems import HERE, Bench

LABELS = {"read": 3, "write": 3, "value": 6, "struct8": 6, "struct32": 6, "rdwr": 0}
"""Targets when hot: so many native read(2); in Python so many more than the same call on a real node."""

IN_PYTHON = ("read", "struct8")

FIRST_OPEN = 95_000
"""Target of a process's first open, which brings the interpreter: so many native read(2), 10 ms at 105 ns."""


def rows() -> dict[str, Row]:
    """c/CALL/hot, c/CALL/paused and python/CALL, and c/first."""
    found = {}
    for when, words in (("hot", HOT), ("paused", PAUSED)):
        for label, most in LABELS.items():
            target = Target("reads", most) if most and when == "hot" else None
            row = Row(f"in one process, a C program, {words}", CALLS[label].title, target)
            row.counterpart = CALLS[label].counterpart
            found[f"c/{label}/{when}"] = row
    for label in IN_PYTHON:
        found[f"python/{label}"] = Row(
            "in one process, Python's os.read and fcntl.ioctl",
            CALLS[label].title,
            Target("added reads", LABELS[label], "call"),
            counterpart=CALLS[label].counterpart,
        )
    first = Row(
        "in one process, a C program, opening",
        "first open in a process",
        Target("reads", FIRST_OPEN, "native"),
        counterpart="loading libpython and starting it, isolated, without site and with nothing imported",
    )
    return {"c/first": first, **found}


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for when in ("c/{}/hot", "c/{}/paused", "python/{}"):
            here = {label: wanted[name] for label in LABELS if (name := when.format(label)) in wanted}
            if not here:
                continue
            for system, series in take(bench, when, list(here)).items():
                for label, values in series.items():
                    here[label].add(system, values)
            yield
        if "c/first" in wanted:
            measure_first(bench, wanted["c/first"])
            yield


def take(bench: Bench, when: str, labels: list[str]) -> dict[str, dict[str, list[float]]]:
    """Measure calls natively and with ours once."""
    paused = when.endswith("paused")
    counts = bench.count(120, 5) if paused else bench.count(40), bench.count(300, 10)
    ours = [f"{label}={CALLS[label].ours}" for label in labels]
    native = [f"{label}={CALLS[label].native}" for label in labels]
    if when.startswith("python"):
        return {
            "native": bench.in_python({}, *native, counts=counts),
            "devshim": bench.in_python(PLUGGED, *ours, counts=counts),
        }
    head = bench.program("device"), str(counts[0]), str(counts[1]), str(PAUSE_US if paused else 0), "1"
    return {"native": bench.natively(*head, *native), "devshim": bench.inside(PLUGGED, *head, *ours)}


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
