"""The picture: how many times as long as the native counterpart each row takes, on a logarithmic axis, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import groupby

from tests.bench import curves
from tests.bench.drawing import COLOURS, text
from tests.bench.machine import Machine
from tests.bench.samples import Row, Samples

LEFT, WIDTH, RIGHT, TOP, LINE = 330, 620, 40, 92, 21
MET, MISSED, BELOW = "#2c974b", "#cf222e", "#bf8700"
"""Colours of targets; below the floor are those that nobody could meet on this machine."""
FONT = "font-family='DejaVu Sans, Verdana, sans-serif'"


def draw(rows: list[Row], machine: Machine) -> str:
    """Return the picture of all rows that have a native counterpart, and of the curves that others are points of."""
    every = rows
    rows = [row for row in rows if row.native and row.devshim]
    axis = Axis(rows)
    body: list[str] = []
    y = TOP
    for group, members in groupby(rows, key=lambda row: row.group):
        y += LINE // 2
        body.append(text(14, y + 5, group, "start", 12, "bold"))
        y += LINE
        for row in members:
            body.extend(draw_row(row, y, axis, machine.read.median, machine.floors()))
            y += LINE
    y += LINE
    points, below = curves.draw(every, y)
    height = below + 46
    width = LEFT + WIDTH + RIGHT
    size = f"viewBox='0 0 {width} {height}' width='{width}' height='{height}'"
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} {FONT}>",
        f"<rect width='{width}' height='{height}' fill='white'/>",
        *heading(),
        *axis.grid(TOP, y - LINE),
        *body,
        *points,
        *footer(machine, height),
        "</svg>\n",
    ]
    return "\n".join(parts)


class Axis:
    """The logarithmic axis: from below the least ratio to above the greatest."""

    def __init__(self, rows: list[Row]) -> None:
        ratios = [1.0]
        for row in rows:
            for samples in filter(None, (row.devshim, row.peer)):
                ratios += [samples.quantile(part) / row.native.median for part in (0.1, 0.9)]
        self.first = math.floor(math.log10(min(ratios)) * 2) / 2
        self.last = max(self.first + 1, math.ceil(math.log10(max(ratios)) * 2) / 2)

    def at(self, ratio: float) -> float:
        """Where a ratio lies."""
        part = (math.log10(ratio) - self.first) / (self.last - self.first)
        return LEFT + WIDTH * min(1.0, max(0.0, part))

    def grid(self, top: int, bottom: int) -> Iterator[str]:
        """Lines at the powers of ten, with thin ones between."""
        for power in range(math.floor(self.first), math.ceil(self.last) + 1):
            for step in range(1, 10):
                ratio = step * 10.0**power
                if not self.first - 1e-9 <= math.log10(ratio) <= self.last + 1e-9:
                    continue
                colour = "#b8bdc6" if step == 1 else "#eef0f3"
                x = self.at(ratio)
                yield f"<line x1='{x:.1f}' y1='{top}' x2='{x:.1f}' y2='{bottom}' stroke='{colour}'/>"
                if step == 1:
                    yield text(x, top - 6, f"×{ratio:g}", "middle", 11)


def draw_row(row: Row, y: int, axis: Axis, read: float, floors: Mapping[str, float]) -> Iterator[str]:
    """One row: dots at the medians, a bar from p10 to p90 behind each, and a mark at the target."""
    native = row.native.median
    yield text(LEFT - 12, y + 4, row.title, "end", 12)
    goal = target_ratio(row, read)
    if goal is not None:
        x = axis.at(goal)
        verdict = row.verdict(read, floors)
        colour = MET if verdict and verdict.met else BELOW if verdict and verdict.below_floor else MISSED
        yield f"<path d='M{x:.1f} {y - 9}v18' stroke='{colour}' stroke-width='3'/>"
    yield f"<circle cx='{axis.at(1):.1f}' cy='{y}' r='3' fill='{COLOURS['native']}'/>"
    for name, samples in (("peer", row.peer), ("devshim", row.devshim)):
        if samples:
            yield from draw_samples(samples, native, y, axis, COLOURS[name])


def draw_samples(samples: Samples, native: float, y: int, axis: Axis, colour: str) -> Iterator[str]:
    """Spread and median of one system."""
    low, middle, high = (axis.at(samples.quantile(part) / native) for part in (0.1, 0.5, 0.9))
    ends = f"x1='{low:.1f}' y1='{y}' x2='{high:.1f}' y2='{y}'"
    yield f"<line {ends} stroke='{colour}' stroke-width='6' stroke-opacity='.3'/>"
    yield f"<circle cx='{middle:.1f}' cy='{y}' r='5' fill='{colour}'/>"


def target_ratio(row: Row, read: float) -> float | None:
    """The target as a multiple of the native counterpart's time."""
    if row.target is None:
        return None
    native, value = row.native.median, row.target.value
    factors = {"reads": value * read / native, "added reads": 1 + value * read / native, "native": value}
    return factors.get(row.target.measure, 1 / value)


def heading() -> Iterator[str]:
    """Title and key."""
    title = "How many times as long as the native counterpart (medians; bars: p10 to p90; less is better)"
    yield text(14, 26, title, "start", 14, "bold")
    x = 20
    for name, colour in COLOURS.items():
        yield f"<circle cx='{x}' cy='48' r='5' fill='{colour}'/>"
        yield text(x + 10, 52, name, "start", 12)
        x += 110
    for colour, name in ((MET, "target, met"), (MISSED, "target, missed"), (BELOW, "missed, below the floor")):
        yield f"<path d='M{x} 39v18' stroke='{colour}' stroke-width='3'/>"
        yield text(x + 10, 52, name, "start", 12)
        x += 130


def footer(machine: Machine, height: int) -> Iterator[str]:
    """Where it was measured."""
    facts, noise = machine.facts(), machine.noise()
    words = (
        f"{facts['cpus']} CPUs ({facts['cpu']}), Linux {facts['kernel']}, Python {facts['python']}, "
        f"umockdev {facts['umockdev'] or 'not installed'}; one native read(2): {machine.read.median:.0f} ns; "
        f"noise: p90 of a fixed loop ×{noise['p90']:g} of its least"
    )
    yield text(14, height - 14, words, "start", 11)
