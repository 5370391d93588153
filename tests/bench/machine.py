"""The machine: what it is, how fast one native read(2) is, and how steadily it works while we measure."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench.samples import Samples
from tests.bench.systems import Bench, parse, run


class Machine:
    """Facts, and what is measured again and again during the run: a fixed loop, read(2) of one byte, handing over."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.loop = Samples()
        self.read = Samples()
        self.handover = {"one": Samples(), "two": Samples()}
        """To another process and back, in nanoseconds, on one processor and on two."""

    def look(self) -> None:
        """Measure all of it once more.  Raises NotMeasured."""
        found = parse(run([self.bench.program("noise"), str(self.bench.count(20))]))
        self.loop.add(found["loop"])
        self.read.add(found["read"])
        for where, samples in self.handover.items():
            samples.add(found.get(where, []))

    def floors(self) -> dict[str, float]:
        """What handing over to a sleeping process and back takes, in nanoseconds, on "one" and "two" processors."""
        return {where: samples.median for where, samples in self.handover.items() if samples}

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
