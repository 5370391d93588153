"""Rows: device calls beside those on a file of FUSE's, which a program in C answers through the kernel.

CUSE would make devices so, of every kind of call; few kernels have it, and it needs root, so it is only told of.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.bench.calls import CALLS, PLUGGED
from tests.bench.samples import Row
from tests.bench.systems import Bench

LABELS = ("read", "write", "struct8")
GROUP = "device calls, hot (peer: FUSE)"


def rows() -> dict[str, Row]:
    """CALL, and CALL/one where all runs on one processor."""
    found = {}
    for where in ("", "/one"):
        for label in LABELS:
            group = GROUP + (", on one processor" if where else "")
            found[f"{label}{where}"] = Row(group, CALLS[label].title, counterpart=CALLS[label].counterpart)
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    folder = bench.folder / "mounted"
    folder.mkdir(exist_ok=True)
    if not os.path.exists("/dev/cuse"):
        bench.complaints.append("CUSE: this kernel has no /dev/cuse")
    for _ in range(bench.rounds):
        for cpu, where in ((None, ""), (0, "/one")):
            here = {label: row for label in LABELS if (row := wanted.get(f"{label}{where}")) is not None}
            if not here:
                continue
            head = bench.program("device"), str(bench.count(40)), str(bench.count(200, 10)), "0", "1"
            native = [f"{label}={CALLS[label].native}" for label in here]
            ours = [f"{label}={CALLS[label].ours}" for label in here]
            calls = [f"{label}={folder}/file:{CALLS[label].ours.partition(':')[2]}" for label in here]
            found = {
                "native": bench.natively(*head, *native, cpu=cpu),
                "devshim": bench.under_devshim(PLUGGED, *head, *ours, cpu=cpu),
                "fuse": bench.natively(bench.program("fuse"), str(folder), *head, *calls, cpu=cpu),
            }
            for system, series in found.items():
                for label, values in series.items():
                    here[label].add(system, values)
            yield
