"""That the benchmark runs to its end and says what it should; how fast anything is, is not for tests to judge."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from tests.bench import curves, table
from tests.bench.machine import Machine
from tests.bench.samples import Row, Samples, Target
from tests.bench.systems import Bench

ROOT = Path(__file__).parents[2]
WITH_PEERS = ("calls/*/hot", "recording/*")
"""Rows whose peers answer quickly; umockdev is slow where there is much to replay."""


def run_bench(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.bench WORDS…`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.bench", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)


def measured(pattern: str, title: str, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Measure some rows, one of them with this title, as quickly as may be: what was printed, and results.json."""
    peers = [] if pattern in WITH_PEERS else ["--no-peers"]
    outcome = run_bench("--only", pattern, *peers, "--rounds", "1", "--scale", "0.02", "--output", str(folder))
    assert outcome.returncode == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert any(line.startswith("  " + title) for line in lines), outcome.stdout
    return lines, json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize(
    ("pattern", "title", "count"),
    [
        ("calls/*/hot", "ioctl, 32-byte structure", 7),
        ("standing/*", "query, a replay's", 3),
        ("supervised/*", "an ordinary read", 3),
        ("userspace/*", "write, 8 bytes", 6),
        ("inside/*", "read, 8 bytes", 15),
        ("recording/*", "write, 8 bytes", 5),
        ("serial/ask", "any processor", 1),
        ("packets/*", "evdev, one event", 2),
        ("crowds/own/*/read", "read, 64 processes", 6),
        ("crowds/inside/threads/*", "I2C_RDWR, 16 threads", 15),
        ("replays/*", "tty: query and answer", 5),
        ("enumeration/*ud*", "libudev: one tty", 2),
        ("ordinary/*", "read(2), 1 byte", 7),
    ],
)
def test_a_tiny_run_measures_its_rows_and_writes_both_files(
    pattern: str, title: str, count: int, tmp_path: Path
) -> None:
    lines, results = measured(pattern, title, tmp_path)
    table = lines[: next(number for number, line in enumerate(lines) if line.startswith("Targets: ")) + 1]
    assert max(map(len, table)) <= 100, lines
    assert len(results["rows"]) == count
    assert all(row["devshim"]["median"] > 0 and row["native"]["median"] > 0 for row in results["rows"]), lines
    assert ElementTree.parse(tmp_path / "results.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("pattern", "title", "count"),
    [
        ("traces/*", "show, all different", 16),
        ("growth/[dr]*/1", "read, 1 file", 2),
        ("growth/memory/*", "a small program", 2),
    ],
)
def test_what_has_no_counterpart_everywhere_is_measured_too(
    pattern: str, title: str, count: int, tmp_path: Path
) -> None:
    lines, results = measured(pattern, title, tmp_path)
    assert max(map(len, lines[:-1])) <= 100, lines
    assert [row["title"] for row in results["rows"] if row["devshim"]["median"] <= 0] == []
    assert len(results["rows"]) == count
    assert ("How cost grows" in (tmp_path / "results.svg").read_text()) == pattern.startswith("traces")


def test_a_pattern_that_fits_no_row_is_refused() -> None:
    outcome = run_bench("--only", "nothing/*")
    assert outcome.returncode == 2
    assert "--list" in outcome.stderr


def test_what_is_added_is_compared_within_each_round() -> None:
    native, ours = Samples([[100.0], [300.0], [500.0]]), Samples([[110.0], [310.0], [510.0]])
    assert ours.added_to(native) == 10


def test_a_target_is_judged_by_the_read_of_the_same_run() -> None:
    row = Row("group", "title", Target("reads", 5), devshim=Samples([[900.0, 1000.0, 1100.0]]))
    assert row.figure(read=200) == 5
    assert row.met(read=200)
    assert not row.met(read=199)


def test_a_throughput_must_be_that_part_of_the_native_one() -> None:
    row = Row("group", "title", Target("of native", 0.9), native=Samples([[90.0]]), devshim=Samples([[100.0]]))
    assert row.met(read=100)
    assert row.figure(read=100) == 0.9


def test_a_row_without_a_counterpart_is_not_judged_by_it() -> None:
    row = Row("group", "title", Target("native", 1.3), devshim=Samples([[100.0]]))
    assert row.met(read=100) is None


def test_beside_a_peer_the_floor_tells_what_would_be_possible() -> None:
    target = Target("faster", 10, floor="two")
    row = Row("group", "title", None, further=(target,), devshim=Samples([[50.0]]), umockdev=Samples([[400.0]]))
    (verdict,) = row.verdicts(read=100, floors={"two": 45.0})
    assert (verdict.figure, verdict.met) == (8, False)
    assert verdict.best is not None
    assert 8.8 < verdict.best < 8.9


def test_a_missed_target_is_said_to_lie_below_the_floor_only_where_it_does() -> None:
    missed = [
        row.verdicts(read=100, floors={"open": 450.0, "call": 120.0})[0]
        for row in (
            Row("g", "below", Target("reads", 4, "open"), devshim=Samples([[500.0]])),
            Row("g", "above", Target("reads", 4.7, "open"), devshim=Samples([[500.0]])),
            Row("g", "unknown", Target("reads", 4, "elsewhere"), devshim=Samples([[500.0]])),
            Row("g", "met", Target("reads", 5, "open"), devshim=Samples([[500.0]])),
            Row("g", "its own", Target("reads", 4), devshim=Samples([[500.0]]), floor=Samples([[410.0]])),
            Row("g", "added", Target("added reads", 1, "call"), native=Samples([[50.0]]), devshim=Samples([[250.0]])),
        )
    ]
    assert [verdict.below_floor for verdict in missed] == [True, False, False, False, True, True]
    assert ["floor" in table.in_words(verdict) for verdict in missed] == [True, False, False, False, True, True]


def test_what_even_the_native_counterpart_cannot_reach_is_below_the_floor() -> None:
    target = Target("faster", 5, "native")
    row = Row("g", "t", None, further=(target,), native=Samples([[80.0]]), devshim=Samples([[100.0]]))
    row.add("umockdev", [180.0])
    (verdict,) = row.verdicts(read=100)
    assert (verdict.best, verdict.below_floor) == (2.25, True)
    assert row.summary(100)["targets"] == [
        {"measure": "faster", "value": 5, "reached": 1.8, "met": False, "best": 2.25}
    ]


def test_what_is_added_is_compared_with_what_the_peer_adds() -> None:
    row = Row("group", "title", Target("added", 50), native=Samples([[100.0]]), devshim=Samples([[102.0]]))
    row.add("strace", [300.0])
    assert row.figure(read=100) == 100
    assert row.met(read=100)


@pytest.mark.parametrize("slow", [99.96, 9.996e6, 1e9])
def test_no_line_is_too_long_however_slow_a_machine_is(slow: float, tmp_path: Path) -> None:
    targets = Target("added reads", 22.8, "open"), Target("native", 1.25)
    row = Row("a group whose name has more than forty letters", "a title of thirty letters here", targets[0])
    row.further = targets
    row.native, row.devshim, row.umockdev = Samples([[999.6]]), Samples([[slow, slow]]), Samples([[slow]])
    machine = Machine(Bench(tmp_path, 1, 1))
    machine.read.add([99.96])
    machine.bare["open"] = Samples([[9996.0]])

    lines = [table.line(row, 99.96, machine.floors()), *table.below([row], machine)]

    assert max(map(len, lines)) <= 100, lines


def test_a_curve_is_drawn_through_its_rows() -> None:
    rows = [Row("g", f"{at}", curve="by things", at=at, devshim=Samples([[10.0 * at]])) for at in (1, 10, 100)]
    parts, below = curves.draw([*rows, Row("g", "alone", curve="of one", at=1, devshim=Samples([[1.0]]))], 0)
    picture = "".join(parts)
    assert below > 0
    assert "by things" in picture
    assert "of one" not in picture
    assert picture.count("<circle") == 3
    assert curves.draw([], 7) == ([], 7)
