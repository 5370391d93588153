"""The machine: what it is, how fast one native read(2) is, how steadily it works, and what nobody can do without."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench.samples import Samples
from tests.bench.systems import HERE, Bench, parse, run


class Machine:
    """Facts, and what is measured again and again during the run: a fixed loop, read(2) of one byte, and the floors."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.loop = Samples()
        self.read = Samples()
        self.bare: dict[str, Samples] = {}
        """What programs/floors.c and bareanswers.py measure, by their labels, in nanoseconds."""

    def look(self) -> None:
        """Measure all of it once more.  Raises NotMeasured."""
        found = parse(run([self.bench.program("noise"), str(self.bench.count(20))]))
        self.loop.add(found["loop"])
        self.read.add(found["read"])
        called = self.bench.program("called", "-shared", "-fPIC")
        answers = [sys.executable, str(HERE / "bareanswers.py"), called]
        counts = str(self.bench.count(20)), str(self.bench.count(100, 10))
        for words in ([self.bench.program("floors"), counts[0]], [*answers, *counts]):
            for label, values in parse(run(words)).items():
                self.bare.setdefault(label, Samples()).add(values)

    def floors(self) -> dict[str, float]:
        """What such calls take at least, in nanoseconds, by the names that Target.floor gives; medians.

        Those of programs/floors.c and bareanswers.py; "line": a line of a trace read, and handed over.
        """
        found = {label: samples.median for label, samples in self.bare.items()}
        if "awake" in found and "parse" in found:
            found["line"] = found["parse"] + found["awake"]
        return found

    def noise(self) -> dict[str, float]:
        """The fixed loop's time as multiples of its least: 1.0 throughout on a quiet machine."""
        least = self.loop.quantile(0)
        parts = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "max": 1.0}
        return {name: round(self.loop.quantile(part) / least, 3) for name, part in parts.items()}

    def facts(self) -> dict[str, object]:
        """What to know when figures of two machines are compared."""
        return {
            "cpus": len(os.sched_getaffinity(0)),
            "cpu": cpu_model(),
            "machine": platform.machine(),
            "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()),
            "python": platform.python_version(),
            "umockdev": umockdev_version(self.bench.umockdev),
            "load": round(os.getloadavg()[0], 2),
            "free_threaded": not getattr(sys, "_is_gil_enabled", lambda: True)(),
        }


def cpu_model() -> str:
    """The name that the processor gives itself, or "unknown"."""
    lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def umockdev_version(command: str | None) -> str | None:
    """What umockdev-run --version says; None where there is none."""
    if command is None:
        return None
    asked = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"
