"""Rows: a thousand devices plugged, and all of them looked at by libudev and by udevadm."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.samples import Row, Target
from tests.bench.systems import HERE, Bench, Peer

GROUP = "a thousand devices: plug and enumerate"
WHOLE = 1000
OWN = "this machine's own /sys, a device: nobody can give libudev a tree of any size elsewhere"
FIRST = "the first quarter of the same devices"
QUARTER = 1.3
"""What one device more may take beside the first ones, for noise's sake: it must not grow with their number."""


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    return {
        "plug": Row(GROUP, "plug, one device", Target("reads", 10_000)),
        "linear": Row(GROUP, "plug, the last quarter", Target("native", QUARTER), counterpart=FIRST),
        "layout": Row(GROUP, "first look at it", None),
        "libudev": Row(GROUP, "libudev: one tty", Target("native", 2.0), counterpart=OWN),
        "udevadm": Row(GROUP, "udevadm info -e: one", Target("native", 2.0), counterpart=OWN),
    }


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step; umockdev, which takes ten seconds for as many, takes part in the first alone."""
    count = bench.count(WHOLE, 40)
    program = bench.program("enumerate"), "tty", str(bench.count(3))
    plugged = {f"/dev/ttyS{100 + number}": "Meter" for number in range(count)}
    for number in range(bench.rounds):
        if wanted.keys() & {"plug", "linear"}:
            found = bench.natively(sys.executable, str(HERE / "plugging.py"), str(count))
            for label, system, series in (
                ("plug", "devshim", "all"), ("linear", "native", "first"), ("linear", "devshim", "last"),
            ):  # fmt: skip
                if label in wanted:
                    wanted[label].add(system, found.get(series, []))
        if wanted.keys() & {"layout", "libudev", "udevadm"}:
            native, ours = bench.natively(*program), bench.under_devshim(plugged, *program)
            peers = bench.under_umockdev(described(count), *program) if not number else {}
            for label in wanted.keys() & {"libudev", "udevadm"}:
                wanted[label].add("native", native.get(label, []))
                wanted[label].add("devshim", ours.get(label, []))
                wanted[label].add("umockdev", peers.get(label, []))
            if "layout" in wanted:
                wanted["layout"].add("devshim", [value / count for value in ours.get("first", [])])
        if "plug" in wanted and not number and bench.umockdev:
            wanted["plug"].add("umockdev", testbed(bench, count))
        yield


def described(count: int) -> Peer:
    """The same devices for umockdev's testbed."""
    device = (
        "P: /devices/pnp0/00:{0:x}\nE: SUBSYSTEM=pnp\nE: DRIVER=serial\nA: id=PNP0501\n\n"
        "P: /devices/pnp0/00:{0:x}/tty/ttyS{0}\nN: ttyS{0}\nE: DEVNAME=/dev/ttyS{0}\nE: SUBSYSTEM=tty\n"
        "E: MAJOR=4\nE: MINOR={1}\nE: TAGS=:systemd:\nA: dev=4:{1}\nA: line={0}\nA: type=4\nA: uartclk=1843200\n\n"
    )
    return Peer("".join(device.format(100 + number, 164 + number) for number in range(count)))


def testbed(bench: Bench, count: int) -> list[float]:
    """Nanoseconds that umockdev-run takes for each device before it starts its program."""
    assert bench.umockdev is not None
    description = bench.folder / f"testbed-{count}"
    description.write_text(described(count).description)
    took = []
    for words in ([], ["-d", str(description)]):
        began = time.perf_counter_ns()
        subprocess.run([bench.umockdev, *words, "--", "true"], capture_output=True, timeout=60, check=False)
        took.append(time.perf_counter_ns() - began)
    return [max(0.0, (took[1] - took[0]) / count)]
