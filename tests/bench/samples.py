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
    native; "native": at most so many times the native counterpart; "of native": at least that part of its throughput;
    "faster": at least so many times as fast as the peer; "added": the peer adds at least so many times as much.
    floor: what no implementation can do without: a name of Machine.floors() (what "added reads" must add at least, else
    all that it takes), or "native": the native column; where it is empty, Row.floor, if that was measured.
    """

    measure: str
    value: float
    floor: str = ""

    @property
    def beside_peer(self) -> bool:
        """Whether this is about the peer, umockdev or strace."""
        return self.measure in ("faster", "added")

    def reached(self, ours: Samples, native: Samples, read: float, peer: Samples | None = None) -> float:
        """The figure to compare with value.  read: what one native read(2) costs, in nanoseconds."""
        if self.measure == "reads":
            return ours.median / read
        if self.measure == "added reads":
            return ours.added_to(native) / read
        if self.measure == "native":
            return ours.median / native.median
        if self.measure == "of native":
            return native.median / ours.median
        assert peer is not None
        if self.measure == "faster":
            return peer.median / ours.median
        return peer.added_to(native) / max(ours.added_to(native), LEAST)

    def met(self, figure: float) -> bool:
        """Tell whether a figure is good enough."""
        at_least = self.beside_peer or self.measure == "of native"
        return figure >= self.value if at_least else figure <= self.value


LEAST = 0.1
"""Nanoseconds; who adds less than that is taken to add so much, for noise may make it negative."""


@dataclass(frozen=True)
class Verdict:
    """A target beside what was reached; best: what the floor would allow, None where there is none."""

    target: Target
    figure: float
    met: bool
    best: float | None = None

    @property
    def below_floor(self) -> bool:
        """Whether it is missed, and would be by the floor itself."""
        return not self.met and self.best is not None and not self.target.met(self.best)


@dataclass
class Row:
    """One line of the table: the same thing done natively, under devshim and under a peer.

    further  targets beside the first, which stands in the row's line
    curve    the curve that this row is a point of, and at which number of things
    """

    group: str
    title: str
    target: Target | None = None
    bytes_a_second: bool = False
    """Values are nanoseconds a byte, and shown as MB/s."""
    counterpart: str = ""
    """What was measured as native where the kernel has not the same thing here."""
    memory: bool = False
    """Values are bytes."""
    further: tuple[Target, ...] = ()
    curve: str = ""
    at: float = 0
    native: Samples = field(default_factory=Samples)
    devshim: Samples = field(default_factory=Samples)
    umockdev: Samples = field(default_factory=Samples)
    strace: Samples = field(default_factory=Samples)
    fuse: Samples = field(default_factory=Samples)
    floor: Samples = field(default_factory=Samples)
    """What no implementation can do without, where it is this row's alone."""

    def add(self, system: str, values: list[float]) -> None:
        """Add a round of "native", "devshim", "umockdev", "strace", "fuse" or "floor"."""
        getattr(self, system).add(values)

    @property
    def peer(self) -> Samples:
        """What is compared: umockdev, strace or FUSE."""
        return self.umockdev or self.strace or self.fuse

    def verdicts(self, read: float, floors: Mapping[str, float] | None = None) -> list[Verdict]:
        """What came of each target that can be judged.  floors: see Machine.floors()."""
        found = []
        for target in filter(None, (self.target, *self.further)):
            needs_native = target.measure not in ("reads", "faster")
            if not self.devshim or (needs_native and not self.native) or (target.beside_peer and not self.peer):
                continue
            figure = target.reached(self.devshim, self.native, read, self.peer)
            best = self._best(target, read, floors or {})
            found.append(Verdict(target, figure, target.met(figure), best))
        return found

    def _best(self, target: Target, read: float, floors: Mapping[str, float]) -> float | None:
        """The figure that the floor itself would reach; None where it is not known."""
        known = floors.get(target.floor)
        if target.measure == "added reads" and known is not None:
            return known / read
        floor = self.floor if not target.floor else self.native if target.floor == "native" else Samples()
        floor = floor if known is None else Samples([[known]])
        return target.reached(floor, self.native, read, self.peer) if floor else None

    def verdict(self, read: float, floors: Mapping[str, float] | None = None) -> Verdict | None:
        """What came of the first target; None where there is none, or nothing to judge by."""
        found = self.verdicts(read, floors)
        return found[0] if found and found[0].target is self.target else None

    def figure(self, read: float) -> float | None:
        """What was reached of the first target."""
        verdict = self.verdict(read)
        return None if verdict is None else verdict.figure

    def met(self, read: float) -> bool | None:
        """Whether the first target is met; None where that cannot be told."""
        verdict = self.verdict(read)
        return None if verdict is None else verdict.met

    def summary(self, read: float, floors: Mapping[str, float] | None = None) -> dict[str, object]:
        """What results.json keeps of it."""
        systems: Mapping[str, Samples] = {
            name: getattr(self, name) for name in ("native", "devshim", "umockdev", "strace", "fuse", "floor")
        }
        kept: dict[str, object] = {"group": self.group, "title": self.title}
        kept["unit"] = "ns/byte" if self.bytes_a_second else "bytes" if self.memory else "ns"
        if self.counterpart:
            kept["counterpart"] = self.counterpart
        if self.curve:
            kept["curve"] = {"name": self.curve, "at": self.at}
        kept |= {name: samples.summary() for name, samples in systems.items() if samples}
        targets = []
        for verdict in self.verdicts(read, floors):
            target: dict[str, object] = {"measure": verdict.target.measure, "value": verdict.target.value}
            target |= {"reached": round(verdict.figure, 4), "met": verdict.met}
            if verdict.best is not None:
                target["best"] = round(verdict.best, 4)
            targets.append(target)
        if targets:
            kept["targets"] = targets
        return kept
