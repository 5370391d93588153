"""python -m tests.bench: measures, prints the table, writes results.json and results.svg (README.md)."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

from tests.bench import (
    calls,
    crowds,
    enumeration,
    growth,
    inside,
    ordinary,
    packets,
    picture,
    recording,
    replays,
    serial,
    standing,
    starting,
    supervised,
    table,
    traces,
    userspace,
)
from tests.bench.machine import Machine
from tests.bench.samples import Row
from tests.bench.systems import HERE, Bench

GROUPS: Mapping[str, ModuleType] = {
    "ordinary": ordinary,
    "starting": starting,
    "calls": calls,
    "standing": standing,
    "supervised": supervised,
    "userspace": userspace,
    "inside": inside,
    "recording": recording,
    "serial": serial,
    "replays": replays,
    "traces": traces,
    "packets": packets,
    "crowds": crowds,
    "growth": growth,
    "enumeration": enumeration,
}


def main() -> int:
    """Measure what the command line asks for."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="devshim-bench-") as folder:
        scale, rounds = (0.25, 2) if options.quick else (1.0, 5)
        bench = Bench(Path(folder), options.scale or scale, options.rounds or rounds)
        if options.no_peers:
            bench.umockdev = bench.strace = None
        rows = chosen(options.only)
        if not any(rows.values()):
            print(f"no row is called {options.only!r}; --list shows them", file=sys.stderr)
            return 2
        if options.list:
            print("\n".join(f"{name}/{label}" for name, wanted in rows.items() for label in wanted))
            return 0
        machine = Machine(bench)
        began = time.monotonic()
        measure(bench, machine, rows)
        flat = [row for wanted in rows.values() for row in wanted.values()]
        report(flat, machine, options.output, time.monotonic() - began)
    return 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    about = "Measure devshim beside native and umockdev."
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=about)
    parser.add_argument("--quick", action="store_true", help="a minute or two, and less to be trusted")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="rows by name, such as 'calls/*' or '*/read/*'")
    parser.add_argument("--list", action="store_true", help="show the names of the rows, and measure nothing")
    parser.add_argument("--no-peers", action="store_true", help="leave umockdev and strace out")
    parser.add_argument("--output", type=Path, default=HERE, metavar="FOLDER", help="where the results go")
    parser.add_argument("--rounds", type=int, help="how often each row is taken up (5, quick: 2)")
    parser.add_argument("--scale", type=float, help="part of the calls of a whole run (1, quick: 0.25)")
    return parser.parse_args()


def chosen(pattern: str) -> dict[str, dict[str, Row]]:
    """The rows whose names match, by group."""
    return {
        name: {label: row for label, row in group.rows().items() if fnmatchcase(f"{name}/{label}", pattern)}
        for name, group in GROUPS.items()
    }


def measure(bench: Bench, machine: Machine, rows: dict[str, dict[str, Row]]) -> None:
    """Take the rounds of all groups in turn, so that each meets the machine's good and bad times alike."""
    steps: dict[str, Iterator[None]] = {
        name: GROUPS[name].measure(bench, wanted) for name, wanted in rows.items() if wanted
    }
    done = 0
    while steps:
        machine.look()
        for name, step in list(steps.items()):
            if next(step, "over") == "over":
                del steps[name]
            done += 1
            if sys.stderr.isatty():
                print(f"\r{done} measured ({name})\033[K", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def report(rows: list[Row], machine: Machine, folder: Path, seconds: float) -> None:
    """Print the table and write the files."""
    for text in table.lines(rows, machine):
        print(text)
    for complaint in dict.fromkeys(machine.bench.complaints):
        print(f"not measured: {complaint}")
    read = machine.read.median
    results = {
        "format": "devshim-bench/1",
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds),
        "machine": machine.facts(),
        "noise": machine.noise(),
        "native_read_ns": machine.read.summary(),
        "floors_ns": {name: samples.summary() for name, samples in machine.bare.items()},
        "rows": [row.summary(read, machine.floors()) for row in rows if row.devshim or row.native],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / "results.svg").write_text(picture.draw(rows, machine))
    print(f"{seconds:.0f} s; wrote results.json and results.svg to {folder}")


if __name__ == "__main__":
    sys.exit(main())
