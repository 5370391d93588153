"""The curves in the picture: how cost grows with devices, files, processes and events; both axes are logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.bench.drawing import COLOURS, text
from tests.bench.samples import Row, Samples

COLUMNS, WIDTH, HEIGHT, GAP, LEFT = 3, 230, 150, 84, 66
HEADING = "How cost grows (medians; a line as steep as the dashed one is linear)"
UNITS = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))


def draw(rows: list[Row], top: int) -> tuple[list[str], int]:
    """The curves below a height of the picture, and the height at which they end."""
    named = {row.curve: [one for one in rows if one.curve == row.curve and one.devshim] for row in rows if row.curve}
    shown = {name: members for name, members in named.items() if len(members) > 1}
    if not shown:
        return [], top
    parts = [text(14, top + 6, HEADING, "start", 14, "bold")]
    for number, (name, members) in enumerate(shown.items()):
        x = LEFT + number % COLUMNS * (WIDTH + GAP)
        y = top + 48 + number // COLUMNS * (HEIGHT + 70)
        parts += draw_curve(name, members, x, y)
    return parts, top + 48 + math.ceil(len(shown) / COLUMNS) * (HEIGHT + 70)


def draw_curve(name: str, rows: list[Row], x: int, y: int) -> Iterator[str]:
    """One of them, with its left upper corner."""
    lines = {system: points(rows, system) for system in COLOURS}
    every = [point for line in lines.values() for point in line]
    low, high = math.log10(min(at for at, _ in every)), math.log10(max(at for at, _ in every))
    least = math.floor(math.log10(min(value for _, value in every)))
    most = max(least + 1, math.ceil(math.log10(max(value for _, value in every))))

    def place(at: float, value: float) -> tuple[float, float]:
        part = (math.log10(value) - least) / (most - least)
        return x + WIDTH * (math.log10(at) - low) / (high - low), y + HEIGHT * (1 - part)

    yield text(x, y - 10, name, "start", 12, "bold")
    for power in range(least, most + 1):
        _, line = place(10**low, 10.0**power)
        yield f"<line x1='{x}' y1='{line:.1f}' x2='{x + WIDTH}' y2='{line:.1f}' stroke='#e3e6ea'/>"
        yield text(x - 6, line + 4, value_text(10.0**power, rows[0].memory), "end", 10)
    for at in sorted({at for at, _ in every}):
        across, _ = place(at, 10.0**least)
        yield f"<line x1='{across:.1f}' y1='{y}' x2='{across:.1f}' y2='{y + HEIGHT}' stroke='#e3e6ea'/>"
        yield text(across, y + HEIGHT + 16, f"{at:,.0f}", "middle", 10)
    rise = min(most - least, high - low)
    begin, end = place(10**low, 10.0**least), place(10 ** (low + rise), 10.0 ** (least + rise))
    way = f"M{begin[0]:.1f} {begin[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
    yield f"<path d='{way}' stroke='#b8bdc6' stroke-dasharray='4 4'/>"
    for system, line_points in lines.items():
        yield from draw_line([place(*point) for point in line_points], COLOURS[system])


def draw_line(corners: list[tuple[float, float]], colour: str) -> Iterator[str]:
    """One system's line."""
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    if corners:
        yield f"<path d='M{way}' fill='none' stroke='{colour}' stroke-width='2'/>"
    for x, y in corners:
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>"


def points(rows: list[Row], system: str) -> list[tuple[float, float]]:
    """Where a system's medians lie: at which number, and in seconds or bytes."""
    unit = 1.0 if rows[0].memory else 1e-9
    found: list[tuple[float, Samples]] = [(row.at, getattr(row, system)) for row in rows]
    return [(at, samples.median * unit) for at, samples in found if samples and samples.median > 0]


def value_text(value: float, memory: bool) -> str:
    """A power of ten with its unit."""
    if memory:
        return f"{value / 1e6:g} MB"
    size, unit = next((one for one in reversed(UNITS) if value >= one[0] * 0.999), UNITS[0])
    return f"{value / size:.3g} {unit}"
