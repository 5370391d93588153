"""python -m tests.soak: breaks devshim on purpose, for as long as one likes (README.md)."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own modules, as pytest finds them

from tests.soak import deaths, memory, sanitized, starved
from tests.soak.build import build
from tests.soak.scripts import LENGTH, Player, Wrong, play_seeds

BATCH = 40
WAYS: Sequence[Sequence[str]] = ((), ("--log", os.devnull), ("--engine", "seccomp"), ("--in-process",))
"""Options of devshim run with which the same must come out."""


class Soak:
    """What the command line asks for."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.actors = build("actors", folder)
        self.busy = build("busy", folder)
        self.victim = build("victim", folder)
        self.folder = folder

    def scripts(self, seconds: float) -> str:
        """Random scripts, in turn in each of the ways."""
        players = [Player(self.actors, options) for options in WAYS]
        first, end, played = self.options.seed, time.monotonic() + seconds, 0
        while (played < self.options.count) if self.options.count else time.monotonic() < end:
            size = min(BATCH, self.options.count - played) if self.options.count else BATCH
            play_seeds(
                players[played // BATCH % len(WAYS)], range(first + played, first + played + size), self.options.length
            )
            played += size
        return f"{played} scripts of {self.options.length} steps, seeds from {first}"

    def deaths(self, seconds: float) -> str:
        """One death a run."""
        died: Counter[str] = Counter()
        end, seed = time.monotonic() + seconds, self.options.seed
        while (died.total() < self.options.count) if self.options.count else time.monotonic() < end:
            died[deaths.kill_at_random(self.busy, seed + died.total())] += 1
        return ", ".join(f"{count} × {whom}" for whom, count in sorted(died.items()))

    def hostile(self, seconds: float) -> str:
        """Random bytes in both directions, by hypothesis; some 100 examples a second."""
        examples = self.options.count or max(100, round(50 * seconds))
        words = [
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "tests/soak/test_hostile.py",
            "tests/soak/test_garbage.py",
        ]
        environment = {
            **os.environ,
            "DEVSHIM_SOAK_EXAMPLES": str(examples),
            "DEVSHIM_SOAK_SEED": str(self.options.seed),
        }
        done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Wrong(done.stdout[-6000:])
        return f"{examples} hostile programs, {examples // 20} hosts of garbage"

    def starved(self, seconds: float) -> str:
        """Every want once."""
        return "\n  ".join(f"{what}: {became}" for what, became in starved.wants(self.busy))

    def sanitized(self, seconds: float) -> str:
        """Every sanitizer that is here."""
        count = self.options.count or max(20, round(seconds))
        return "\n  ".join(sanitized.all_of_them(self.options.seed, count))

    def memory(self, seconds: float) -> str:
        """So many calls as the time allows, at most 10^7 unless asked for more."""
        calls = self.options.count or min(10_000_000, round(10_000 * seconds))
        sizes = memory.flat(self.busy, calls, 8, 4, timeout=calls / 500 + 120)
        inside = max(calls // 4, 5 * memory.KEPT)
        memory.flat_in_process(self.busy, inside, timeout=inside / 200 + 120)
        session = memory.flat_session(inside, timeout=inside / 200 + 120)
        return (
            f"{calls} calls by 8 processes × 4 threads: the host's own memory {sizes} KiB\n"
            f"  {inside} calls in the program itself: flat; {inside} of a session's own process: {session} KiB"
        )

    def cycles(self, seconds: float) -> str:
        """As many as the time allows, at most 10,000 unless asked for more."""
        count = self.options.count or min(10_000, round(20 * seconds))
        return f"{count} times plugged, run and unplugged in one process: {memory.flat_cycles(count, count + 60)} KiB"


STEPS: Mapping[str, tuple[Callable[[Soak, float], str], float]] = {
    "scripts": (Soak.scripts, 0.4),
    "deaths": (Soak.deaths, 0.25),
    "hostile": (Soak.hostile, 0.1),
    "memory": (Soak.memory, 0.1),
    "cycles": (Soak.cycles, 0.05),
    "sanitized": (Soak.sanitized, 0.1),
    "starved": (Soak.starved, 0),
}
"""Each step, and its part of the time."""


def main() -> int:
    """Take the steps; the first wrong answer ends it with 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Break devshim on purpose.")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=600, help="about how long all of it may take (600)")
    parser.add_argument("--seed", type=int, help="where random choices begin (default: by the clock)")
    parser.add_argument("--count", type=int, default=0, help="so many scripts, deaths, examples or calls instead")
    parser.add_argument("--length", type=int, default=LENGTH, help=f"steps of a script ({LENGTH})")
    options = parser.parse_args()
    if unknown := [step for step in options.steps if step not in STEPS]:
        parser.error(f"no step is called {unknown[0]!r}; there are {', '.join(STEPS)}")
    if options.seed is None:
        options.seed = time.time_ns() // 1000 % 10_000_000
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="devshim-soak-") as folder:
        soak = Soak(options, Path(folder))
        for name in options.steps or STEPS:
            step, part = STEPS[name]
            try:
                print(
                    f"{name}: {step(soak, options.seconds * (part if not options.steps else 1 / len(options.steps)))}",
                    flush=True,
                )
            except Wrong as wrong:
                print(f"{name}: WRONG\n{wrong}\nagain: python -m tests.soak {name} --seed {options.seed}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
