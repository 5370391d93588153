"""Rows: calls on devices that a Python model answers, hot and after a pause, on any processor and on one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.samples import Row, Target
from tests.bench.systems import Bench, Peer

PAUSE_US = 300
PLUGGED = {"/dev/bench0": "Computed", "/dev/i2c-9": "Thermometer"}

# What umockdev can replay and is nearest to ours: EVIOCGID fills 8 bytes, EVIOCGNAME(32) as many as it says.
EVDEV = "/dev/input/event9"
PEER = Peer(
    "P: /devices/virtual/input/input9/event9\nN: input/event9\nE: DEVNAME=/dev/input/event9\nE: SUBSYSTEM=input\n"
    "A: dev=13:73\n",
    ioctls={EVDEV: f"@DEV {EVDEV}\nEVIOCGID 0 0300AD0BEEBE0101\nEVIOCGNAME 32 {'41' * 32}\n"},
)


@dataclass(frozen=True)
class Call:
    """One kind of call: where and what, as programs/device.c reads it, on each of the three systems."""

    title: str
    ours: str
    native: str
    umockdev: str | None
    counterpart: str
    reads: float
    """Target when hot: so many native read(2)."""


CALLS = {
    "read": Call("read, 8 bytes", "/dev/bench0:read", "/dev/zero:read", None, "/dev/zero", 5),
    "write": Call("write, 8 bytes", "/dev/bench0:write", "/dev/null:write", None, "/dev/null", 5),
    "value": Call(
        "ioctl, by value",
        "/dev/bench0:ioctl:0x4d04:1",
        "/dev/ptmx:ioctl:0x540b:0",
        f"{EVDEV}:ioctl:0x40044590:1",
        "TCFLSH of a pseudo-terminal; umockdev: EVIOCGRAB",
        9,
    ),
    "struct8": Call(
        "ioctl, 8-byte structure",
        "/dev/bench0:ioctl:0x80084d01",
        "/dev/ptmx:ioctl:0x5413",
        f"{EVDEV}:ioctl:0x80084502",
        "TIOCGWINSZ of a pseudo-terminal; umockdev: EVIOCGID",
        9,
    ),
    "struct32": Call(
        "ioctl, 32-byte structure",
        "/dev/bench0:ioctl:0x80204d02",
        "/dev/ptmx:ioctl:0x5401",
        f"{EVDEV}:ioctl:0x80204506",
        "TCGETS of a pseudo-terminal; umockdev: EVIOCGNAME(32)",
        9,
    ),
    "rdwr": Call("I2C_RDWR of 2 messages", "/dev/i2c-9:rdwr", "/dev/zero:readv", None, "readv of two parts", 0),
    "open": Call("open", "/dev/bench0:open", "/dev/null:open", f"{EVDEV}:open", "/dev/null", 300),
}

TURNS = 3
"""Hot runs in a round: a whole run is fast or slow by which cores the two processors are just then."""
HOT, PAUSED = "hot", f"after a pause of {PAUSE_US} µs"


def rows() -> dict[str, Row]:
    """The rows of this group by label: CALL/hot, CALL/paused, and each with /one where all runs on one processor."""
    found = {}
    for when, most in (("hot", None), ("paused", None), ("hot/one", 30), ("paused/one", 100)):
        hot, one = when.startswith("hot"), when.endswith("/one")
        floor = {"hot": "awake", "hot/one": "one", "paused": "any-paused", "paused/one": "one-paused"}[when]
        group = f"device calls, {HOT if hot else PAUSED}" + (", on one processor" if one else "")
        for label, call in CALLS.items():
            if label != "open":
                reads = call.reads if when == "hot" else most
                target = Target("reads", reads, floor) if reads and label != "rdwr" else None
                beside = () if one else (Target("faster", 100, floor) if hot else Target("faster", 10, floor),)
                row = Row(group, call.title, target, counterpart=call.counterpart, further=beside)
                found[f"{label}/{when}"] = row
    call = CALLS["open"]
    target = Target("reads", call.reads, "open")
    found["open/hot"] = Row("device calls, opening", call.title, target, counterpart=call.counterpart)
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for when in ("hot",) * TURNS + ("paused", "hot/one", "paused/one"):
            here = {label: row for label, row in wanted.items() if label.partition("/")[2] == when}
            labels = [label.partition("/")[0] for label in here]
            cpu = 0 if when.endswith("/one") else None
            for system, series in take(bench, labels, PAUSE_US if "paused" in when else 0, cpu).items():
                for label, values in series.items():
                    here[f"{label}/{when}"].add(system, values)
            if here:
                yield


def take(bench: Bench, labels: list[str], pause: int, cpu: int | None) -> dict[str, dict[str, list[float]]]:
    """Measure calls on all three systems once; what one cannot do is not in its answer."""
    if not labels:
        return {}
    batches = bench.count(120, 5) if pause else bench.count(40)
    head = bench.program("device"), str(batches), str(bench.count(300, 10)), str(pause), "1"
    # umockdev takes 100 times as long, and must not open more than 50 times.
    slow = head[0], str(min(batches, 40)), str(bench.count(25, 3)), str(pause), "1"
    native = [f"{label}={CALLS[label].native}" for label in labels]
    ours = [f"{label}={CALLS[label].ours}" for label in labels]
    theirs = [f"{label}={call}" for label in labels if (call := CALLS[label].umockdev)]
    return {
        "native": bench.natively(*head, *native, cpu=cpu),
        "devshim": bench.under_devshim(PLUGGED, *head, *ours, cpu=cpu),
        "umockdev": bench.under_umockdev(PEER, *slow, *theirs, cpu=cpu) if theirs else {},
    }
