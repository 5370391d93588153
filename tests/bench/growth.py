"""Rows: what more devices and more open files cost, and the memory that the host and the program take."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.bench import written
from tests.bench.calls import EVDEV, PEER
from tests.bench.samples import Row, Target
from tests.bench.systems import MODELS, Bench, Peer

START, CALLS, MEMORY = "devshim run -- true, with so many devices", "with so many open files, each", "memory"
DEVICES, FILES = (1, 10, 100, 1000), (1, 10, 100, 1000)
SECOND = 10_000_000
"""Target: a second, in native read(2) of some 100 ns."""
NODE = written.NODE
HELD = {
    "host": ("host, one device", "python3 that waits"),
    "target": ("a small program", "the same without the shim"),
}


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    found = {}
    for number in DEVICES:
        title = f"{number:,} device{'s' * (number > 1)}"
        target = Target("reads", SECOND) if number == 1000 else None
        found[f"devices/{number}"] = Row(START, title, target, curve="devshim run, by devices", at=number)
    for what in ("open", "read"):
        for number in FILES:
            row = Row(
                CALLS,
                f"{what}, {number:,} file{'s' * (number > 1)}",
                curve=f"a device's {what}, by open files",
                at=number,
            )
            row.counterpart = "/dev/zero"
            found[f"{what}/{number}"] = row
    for label, (title, counterpart) in HELD.items():
        found[f"memory/{label}"] = Row(MEMORY, title, memory=True, counterpart=counterpart)
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step; of what takes long, and hardly varies, a few."""
    for _ in range(min(bench.rounds, 3)):
        for number in DEVICES:
            if (row := wanted.get(f"devices/{number}")) is not None:
                started(bench, row, number)
                yield
        for number in FILES:
            files(bench, wanted, number)
            yield
        if any(label.startswith("memory/") for label in wanted):
            held(bench, wanted)
            yield


def started(bench: Bench, row: Row, number: int) -> None:
    """Start a program with so many devices, of the plainest kind; umockdev takes ten seconds for a thousand."""
    config = bench.folder / f"{number}.yml"
    lines = [f"  - {{path: /dev/bench{at}, model: '{MODELS}:Computed'}}\n" for at in range(number)]
    config.write_text("version: 1\ndevices:\n" + "".join(lines))
    spawn = bench.program("spawn"), "1"
    row.add("devshim", bench.natively(*spawn, *bench.devshim, "run", "-c", str(config), "--", "true").get("spawn", []))
    if bench.umockdev and (number < 1000 or not row.umockdev):
        device = "P: /devices/virtual/bench/bench{0}\nN: bench{0}\nE: DEVNAME=/dev/bench{0}\nE: SUBSYSTEM=bench\n\n"
        peer = Peer("".join(device.format(at) for at in range(number)))
        row.add("umockdev", bench.natively(*spawn, *bench.umockdev_command(peer), "true").get("spawn", []))


def files(bench: Bench, wanted: dict[str, Row], number: int) -> None:
    """Open a device so many times, and read from all in turn."""
    here = {what: wanted[f"{what}/{number}"] for what in ("open", "read") if f"{what}/{number}" in wanted}
    if here:
        words = str(number), str(max(3, bench.count(2000) // number))
        found = {
            "native": bench.natively(bench.program("files"), "/dev/zero", *words),
            "devshim": bench.under_devshim({NODE: "Computed"}, bench.program("files"), NODE, *words),
        }
        for system, series in found.items():
            for what, row in here.items():
                row.add(system, series.get(what, []))


def held(bench: Bench, wanted: dict[str, Row]) -> None:
    """Memory of the host and of the program, at their most."""
    program = bench.program("answers")
    call = "ioctl", "2000"
    native = bench.first([program, "/dev/ptmx", *call, "0x5413"])
    plugged = ["-d", f"{NODE}={MODELS}:Computed"]
    ours = bench.first([*bench.devshim, "run", *plugged, "--", program, NODE, *call, f"{written.QUESTION:#x}"])
    peer = {}
    if bench.umockdev:
        peer = bench.first([*bench.umockdev_command(PEER), program, EVDEV, *call, "0x80084502"])
    python = bench.first([sys.executable, "-c", WAITS])
    for label in HELD:
        if (row := wanted.get(f"memory/{label}")) is not None:
            row.add("native", (python if label == "host" else native).get(label, []))
            row.add("devshim", ours.get(label, []))
            row.add("umockdev", peer.get(label, []))


WAITS = "import sys; print('first 0'); print('ready', flush=True); sys.stdin.read()"
