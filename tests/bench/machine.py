"""The machine: what it is, how fast one native read(2) is, and how steadily it works while we measure."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench.samples import Samples
from tests.bench.systems import Bench


class Machine:
    """Facts, and two things measured again and again during the run: a fixed loop, and read(2) of one byte."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.loop = Samples()
        self.read = Samples()

    def look(self) -> None:
        """Measure both once more."""
        found = self.bench.natively(self.bench.program("noise"), str(self.bench.count(40)))
        self.loop.add(found["loop"])
        self.read.add(found["read"])

    def noise(self) -> dict[str, float]:
        """The fixed loop's time as multiples of its least: 1.0 throughout on a quiet machine."""
        least = self.loop.quantile(0)
        return {name: round(self.loop.quantile(part) / least, 3) for name, part in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("max", 1))}

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
    return subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout.strip() or "unknown"
