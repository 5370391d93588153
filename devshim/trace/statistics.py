"""What a trace comes to: for each node and call how often, how many bytes, how many failures, and how long."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from devshim.trace.choice import Name
from devshim.trace.event import Event

#: Upper ends of the classes of a latency histogram, in seconds: each is 10^(1/2) times the one before it, roughly.
CLASSES = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
BARS = " ▁▂▃▄▅▆▇█"


@dataclass
class Row:
    """One node and call; an ioctl's request counts as a call of its own.

    latencies  how many calls took at most CLASSES[n] seconds, and more than the class before; the last is longer yet
    """

    node: str
    call: str
    calls: int = 0
    bytes: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    timed: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    latencies: list[int] = field(default_factory=lambda: [0] * (len(CLASSES) + 1))

    def add(self, event: Event) -> None:
        """Count one event."""
        self.calls += 1
        self.bytes += moved(event)
        if event.error is not None:
            self.errors[event.error] = self.errors.get(event.error, 0) + 1
        took = event.took
        if took is not None:
            self.timed += 1
            self.seconds += took
            self.longest = max(self.longest, took)
            self.latencies[bisect_left(CLASSES, took)] += 1

    @property
    def failed(self) -> int:
        """How many calls failed."""
        return sum(self.errors.values())

    def quantile(self, part: float) -> float | None:
        """The upper end of the class in which such a part of the calls has ended, None where no time is known."""
        if not self.timed:
            return None
        seen = 0
        for at, count in enumerate(self.latencies):
            seen += count
            if seen >= part * self.timed:
                return min(self.longest, CLASSES[at]) if at < len(CLASSES) else self.longest
        return self.longest


def moved(event: Event) -> int:
    """How many bytes a call brought either way: data, or memory behind an ioctl's argument that came back."""
    if event.error is not None:
        return 0
    if event.name == "ioctl":
        memory = event.after if event.after is not None else event.before
        return sum(len(segment) for segment in memory or () if segment is not None)
    if event.name in ("write", "pwrite"):
        return max(event.result, 0)
    return len(event.data)


def count(events: Iterable[Event], name: Name) -> list[Row]:
    """The rows of all events, by node and call in the order of their first appearance; name tells an ioctl's name."""
    rows: dict[tuple[str, str, int], Row] = {}
    for event in events:
        key = (event.node, event.name, event.request)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row(event.node, f"ioctl {name(event)}" if event.name == "ioctl" else event.name)
        row.add(event)
    order = {node: at for at, node in enumerate(dict.fromkeys(row.node for row in rows.values()))}
    return sorted(rows.values(), key=lambda row: order[row.node])


def histogram(latencies: list[int]) -> str:
    """A bar for each class from a microsecond on; the highest is whole."""
    most = max(latencies) or 1
    return "".join(BARS[-(-8 * count // most)] for count in latencies)


def duration(seconds: float | None) -> str:
    """A time in three digits with its unit."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.2g} us"


def as_object(row: Row) -> dict[str, Any]:
    """A row in JSON."""
    shown: dict[str, Any] = {"node": row.node, "call": row.call, "calls": row.calls, "bytes": row.bytes}
    shown["errors"] = row.errors
    if row.timed:
        shown["seconds"], shown["longest"] = round(row.seconds, 6), row.longest
        ends = [*CLASSES, None]
        shown["latencies"] = [{"to": end, "calls": n} for end, n in zip(ends, row.latencies, strict=True) if n]
    return shown
