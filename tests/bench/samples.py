"""Series of measured values: medians, spread, and rows that compare three systems."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Samples:
    """Values of one quantity in nanoseconds (a call, or a byte), in rounds that were taken at different times."""

    rounds: list[list[float]] = field(default_factory=list)

    def add(self, values: list[float]) -> None:
        """Add the values of one more round."""
        self.rounds.append(values)

    @property
    def values(self) -> list[float]:
        """All of them, sorted."""
        return sorted(value for values in self.rounds for value in values)

    def __bool__(self) -> bool:
        return any(self.rounds)

    def quantile(self, part: float) -> float:
        """The value below which so large a part of all lies (0 to 1); nearest rank."""
        values = self.values
        return values[max(0, math.ceil(part * len(values)) - 1)]

    @property
    def median(self) -> float:
        """The median of all values."""
        return self.quantile(0.5)

    def added_to(self, other: Samples) -> float:
        """How much more these are than the other's, as the median over the rounds of the difference of medians.

        Rounds are compared with those of the same time, so that a machine that slows down in between does not count.
        """
        pairs = zip(self.rounds, other.rounds, strict=False)
        return statistics.median(statistics.median(ours) - statistics.median(theirs) for ours, theirs in pairs)

    def summary(self) -> dict[str, float | int]:
        """What results.json keeps."""
        parts = {"min": 0.0, "p10": 0.1, "median": 0.5, "p90": 0.9}
        figures = {name: round(self.quantile(part), 4) for name, part in parts.items()}
        return {**figures, "values": len(self.values), "rounds": len(self.rounds)}


@dataclass(frozen=True)
class Target:
    """What a row must reach (design: no absolute times, because machines differ).

    measure is "reads": at most so many native read(2) calls of the same run; "added reads": at most so many more than
    native; "native": at most so many times the native counterpart; "of native": at least that part of its throughput.
    """

    measure: str
    value: float

    def reached(self, ours: Samples, native: Samples, read: float) -> float:
        """The figure to compare with value.  read: what one native read(2) costs, in nanoseconds."""
        if self.measure == "reads":
            return ours.median / read
        if self.measure == "added reads":
            return ours.added_to(native) / read
        if self.measure == "native":
            return ours.median / native.median
        return native.median / ours.median

    def met(self, figure: float) -> bool:
        """Tell whether a figure is good enough."""
        return figure >= self.value if self.measure == "of native" else figure <= self.value


@dataclass
class Row:
    """One line of the table: the same thing done natively, under devshim and under umockdev."""

    group: str
    title: str
    target: Target | None = None
    bytes_a_second: bool = False
    """Values are nanoseconds a byte, and shown as MB/s."""
    counterpart: str = ""
    """What was measured as native where the kernel has not the same thing here."""
    native: Samples = field(default_factory=Samples)
    devshim: Samples = field(default_factory=Samples)
    umockdev: Samples = field(default_factory=Samples)

    def add(self, system: str, values: list[float]) -> None:
        """Add a round of "native", "devshim" or "umockdev"."""
        getattr(self, system).add(values)

    def figure(self, read: float) -> float | None:
        """What Target.reached says; None where there is no target, or nothing to judge by."""
        if self.target is None or not self.devshim or not (self.native or self.target.measure == "reads"):
            return None
        return self.target.reached(self.devshim, self.native, read)

    def met(self, read: float) -> bool | None:
        """Whether the target is met; None where that cannot be told."""
        figure = self.figure(read)
        return None if figure is None or self.target is None else self.target.met(figure)

    def summary(self, read: float) -> dict[str, object]:
        """What results.json keeps of it."""
        systems: Mapping[str, Samples] = {"native": self.native, "devshim": self.devshim, "umockdev": self.umockdev}
        kept: dict[str, object] = {"group": self.group, "title": self.title}
        kept["unit"] = "ns/byte" if self.bytes_a_second else "ns"
        if self.counterpart:
            kept["counterpart"] = self.counterpart
        kept |= {name: samples.summary() for name, samples in systems.items() if samples}
        figure = self.figure(read)
        if self.target is not None and figure is not None:
            kept["target"] = {
                "measure": self.target.measure,
                "value": self.target.value,
                "reached": round(figure, 4),
                "met": self.target.met(figure),
            }
        return kept
