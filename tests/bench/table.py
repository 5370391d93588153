"""The table: one line a row, 100 columns, plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from tests.bench.machine import Machine
from tests.bench.samples import Row, Samples

HEAD = f"{'':27}{'native':>7} {'devshim':>7} {'p10 p90':>11} {'umockdev':>8} {'/native':>7} {'faster':>6}  target"
UNITS = {"reads": "r", "added reads": "r", "native": "n", "of native": "n"}


def lines(rows: Iterable[Row], machine: Machine) -> Iterator[str]:
    """The whole table, with what is needed to read it."""
    rows = [row for row in rows if row.devshim or row.native]
    read = machine.read.median
    yield HEAD
    for group, members in groupby(rows, key=lambda row: row.group):
        yield ""
        yield group
        for row in members:
            yield line(row, read)
    yield ""
    for text in legend(rows, machine):
        yield from textwrap.wrap(text, 100)


def line(row: Row, read: float) -> str:
    """One row."""
    spread = f"{shown(row, row.devshim, 0.1)} {shown(row, row.devshim, 0.9)}" if row.devshim else ""
    native = ratio(row.devshim, row.native, row.bytes_a_second)
    faster = ratio(row.umockdev, row.devshim)
    cells = f"{shown(row, row.native):>7} {shown(row, row.devshim):>7} {spread:>11} {shown(row, row.umockdev):>8}"
    return f"  {row.title[:25]:25}{cells}  {native:>6} {faster:>6}  {verdict(row, read)}".rstrip()


def shown(row: Row, samples: Samples, part: float = 0.5) -> str:
    """A time or a throughput with three digits and its unit; a dash where there is none."""
    if not samples:
        return "-"
    value = samples.quantile(1 - part if row.bytes_a_second else part)
    if row.bytes_a_second:
        return f"{digits(1000 / value)}M"
    for limit, factor, unit in ((1e3, 1, "n"), (1e6, 1e3, "µ")):
        if value < limit:
            return digits(value / factor) + unit
    return digits(value / 1e6) + "m"


def digits(value: float) -> str:
    """Three digits, as many of them behind the point as fit."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def ratio(ours: Samples, other: Samples, throughput: bool = False) -> str:
    """How many times the other's median ours is."""
    if not ours or not other:
        return "-"
    value = other.median / ours.median if throughput else ours.median / other.median
    return f"×{digits(value)}"


def verdict(row: Row, read: float) -> str:
    """The target, what was reached, and whether that is enough."""
    figure = row.figure(read)
    if row.target is None or figure is None:
        return ""
    sign = "≥" if row.target.measure == "of native" else "≤"
    plus = "+" if row.target.measure == "added reads" else ""
    unit = UNITS[row.target.measure]
    word = "met" if row.target.met(figure) else "MISSED"
    reached = f"{figure:{plus}.{2 if abs(figure) < 10 else 0}f}"
    return f"{sign}{plus}{row.target.value:g}{unit} {reached} {word}"


def legend(rows: list[Row], machine: Machine) -> Iterator[str]:
    """How to read the table, and how far to trust it."""
    facts, noise, read = machine.facts(), machine.noise(), machine.read.median
    judged = [row for row in rows if row.met(read) is not None]
    missed = [row for row in judged if not row.met(read)]
    yield "n, µ, m: nano-, micro- and milliseconds a call, medians.  M: MB/s.  -: cannot, or not installed."
    yield "/native: devshim / native.  faster: umockdev / devshim.  Targets are in n, the native column, or"
    low, high = machine.read.quantile(0.1), machine.read.quantile(0.9)
    yield f"r, one native read(2): {read:.0f} ns in this run (p10 {low:.0f}, p90 {high:.0f}); +: more than native."
    yield f"Handing over to another process and back, the floor where one sleeps: {handovers(machine)}."
    yield (
        f"Noise: a fixed loop took {noise['p10']:.2f} (p10), {noise['p50']:.2f} (median), {noise['p90']:.2f} (p90), "
        f"{noise['max']:.2f} (most) times its least."
    )
    yield f"{facts['cpus']} CPUs ({facts['cpu']}), load {facts['load']}, Linux {facts['kernel']}"
    yield f"{facts['libc']}, Python {facts['python']}, umockdev {facts['umockdev'] or 'not installed'}"
    yield f"Targets: {len(judged) - len(missed)} of {len(judged)} met."


def handovers(machine: Machine) -> str:
    """What the floor is, in words and in native reads."""
    words = {"one": "on one processor", "two": "on two"}
    known = {words[where]: samples.median for where, samples in machine.handover.items() if samples}
    read = machine.read.median
    return ", ".join(f"{where} {value / 1e3:.1f} µs ({value / read:.0f}r)" for where, value in known.items())
