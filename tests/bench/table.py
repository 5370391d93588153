"""The table: one line a row, 100 columns, plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from tests.bench.machine import Machine
from tests.bench.samples import Row, Samples, Verdict

HEAD = f"{'':27}{'native':>7} {'devshim':>7} {'p10 p90':>11} {'peer':>8} {'/native':>7} {'faster':>6}  target"
WIDTH = 100
UNITS = {"reads": "r", "added reads": "r", "native": "n", "of native": "n", "faster": "×", "added": "×"}


def lines(rows: Iterable[Row], machine: Machine) -> Iterator[str]:
    """The whole table, with what is needed to read it."""
    rows = [row for row in rows if row.devshim or row.native]
    read = machine.read.median
    yield HEAD
    for group, members in groupby(rows, key=lambda row: row.group):
        yield ""
        yield group
        for row in members:
            yield line(row, read, machine.floors())
    yield ""
    yield from below(rows, machine)
    for text in legend(rows, machine):
        yield from textwrap.wrap(text, WIDTH)


def line(row: Row, read: float, floors: Mapping[str, float] | None = None) -> str:
    """One row."""
    spread = f"{shown(row, row.devshim, 0.1)} {shown(row, row.devshim, 0.9)}" if row.devshim else ""
    native = ratio(row.devshim, row.native, row.bytes_a_second)
    faster = ratio(row.peer, row.devshim)
    cells = f"{shown(row, row.native):>7} {shown(row, row.devshim):>7} {spread:>11} {shown(row, row.peer):>8}"
    verdict = row.verdict(read, floors)
    target = "" if verdict is None else in_words(verdict).partition(" (")[0]
    return f"  {row.title[:25]:25}{cells}  {native:>6} {faster:>6}  {target}".rstrip()


def below(rows: list[Row], machine: Machine) -> Iterator[str]:
    """What a line of the table has no room for: floors of what is missed, and further targets."""
    further, floored = [], []
    for row in rows:
        for verdict in row.verdicts(machine.read.median, machine.floors()):
            words = in_words(verdict)
            text = f"{f'  {row.group[:40]:40} {row.title[:26]:26}'[: WIDTH - 1 - len(words)]} {words}"
            if verdict.target is not row.target:
                further.append(text)
            elif verdict.below_floor:
                floored.append(text)
    for heading, lines in (
        ("missed, and the floor alone, which nobody can do without, takes more than the target allows", floored),
        ("further targets; × faster than the peer, +× less added to native than by the peer", further),
    ):
        if lines:
            yield heading
            yield from lines
            yield ""


def shown(row: Row, samples: Samples, part: float = 0.5) -> str:
    """A time or a throughput with three digits and its unit; a dash where there is none."""
    if not samples:
        return "-"
    value = samples.quantile(1 - part if row.bytes_a_second else part)
    if row.memory:
        return f"{digits(value / 2**20)}Mi"
    if row.bytes_a_second:
        return f"{digits(1000 / value)}M"
    for limit, factor, unit in ((1e3, 1, "n"), (1e6, 1e3, "µ")):
        if value < limit:
            return digits(value / factor) + unit
    return digits(value / 1e6) + "m"


def digits(value: float) -> str:
    """Three digits, as many of them behind the point as fit."""
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def ratio(ours: Samples, other: Samples, throughput: bool = False) -> str:
    """How many times the other's median ours is."""
    if not ours or not other:
        return "-"
    value = other.median / ours.median if throughput else ours.median / other.median
    return f"×{digits(value) if value < 10_000 else short(value)}"


def in_words(verdict: Verdict) -> str:
    """A target, what was reached, and whether that is enough; where it is not, what the floor allows."""
    target, figure = verdict.target, verdict.figure
    sign = "≥" if target.beside_peer or target.measure == "of native" else "≤"
    plus = "+" if target.measure in ("added reads", "added") else ""
    added = plus if not target.beside_peer else ""
    reached = f"{figure:{added}.{2 if abs(figure) < 10 else 0}f}" if figure < 10_000 else added + short(figure)
    words = f"{sign}{plus}{short(target.value)}{UNITS[target.measure]} {reached} "
    if verdict.met:
        return words + "met"
    return f"{words}MISSED" + (f" (floor {short(verdict.best or 0)})" if verdict.below_floor else "")


def short(value: float) -> str:
    """A number in few letters."""
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def legend(rows: list[Row], machine: Machine) -> Iterator[str]:
    """How to read the table, and how far to trust it."""
    facts, noise, read = machine.facts(), machine.noise(), machine.read.median
    judged = [verdict for row in rows for verdict in row.verdicts(read, machine.floors())]
    missed = [verdict for verdict in judged if not verdict.met]
    floored = [one for one in missed if one.below_floor]
    yield "n, µ, m: nano-, micro- and milliseconds a call, medians.  M: MB/s.  -: cannot, or not installed."
    yield "Mi: MiB.  peer: umockdev, where no other is named.  /native: devshim / native."
    yield "faster: peer / devshim.  Targets are in n, the native column, or"
    low, high = machine.read.quantile(0.1), machine.read.quantile(0.9)
    yield f"r, one native read(2): {read:.0f} ns in this run (p10 {low:.0f}, p90 {high:.0f}); +: more than native."
    yield f"Floors, which nobody can do without (README.md): {bare(machine)}."
    yield (
        f"Noise: a fixed loop took {noise['p10']:.2f} (p10), {noise['p50']:.2f} (median), {noise['p90']:.2f} (p90), "
        f"{noise['max']:.2f} (most) times its least."
    )
    yield f"{facts['cpus']} CPUs ({facts['cpu']}), load {facts['load']}, Linux {facts['kernel']}"
    yield f"{facts['libc']}, Python {facts['python']}, umockdev {facts['umockdev'] or 'not installed'}"
    floor = f"; of the missed, {len(floored)} lie below the floor" if floored else ""
    yield f"Targets: {len(judged) - len(missed)} of {len(judged)} met{floor}."


FLOORS = {
    "one": "hand-over on one processor",
    "two": "on two",
    "one-paused": "after a pause on one",
    "any-paused": "on any",
    "awake": "where both are awake",
    "open": "a descriptor sent",
    "line-any": "a terminal's line answered on any",
    "line-one": "on one",
    "given": "a byte through a terminal",
    "taken": "a byte out of one",
    "parse": "a line of JSON read",
    "call": "a method called",
}


def bare(machine: Machine) -> str:
    """The floors, in words and in native reads."""
    floors, read = machine.floors(), machine.read.median
    known = {words: floors[name] for name, words in FLOORS.items() if name in floors}
    return ", ".join(f"{words} {digits(value / 1e3)} µs ({short(value / read)}r)" for words, value in known.items())
