"""Rows: traces of 10^3 to 10^6 events: until a replay answers, how fast it goes on, its memory; and the trace tools."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from tests.bench import written
from tests.bench.calls import EVDEV, PEER
from tests.bench.packets import MOUSE
from tests.bench.samples import Row, Target
from tests.bench.systems import Bench, Peer

GROUP, TOOLS = "replay of a trace with so many ioctls", "trace tools, processor time of each event"
COUNTS = {"1k": 1_000, "100k": 100_000, "1M": 1_000_000}
START = 2_000_000
"""Target: 0.2 s, in native read(2) of some 100 ns."""
TOOL = {
    "show": ("show, all different", "mixture", 1_000_000),
    "show-again": ("show, often the same", "polling", 1_000_000),
    "stats": ("stats", "mixture", 1_000_000),
    "diff": ("diff with its like", "mixture", 500_000),
    "convert": ("convert to Perfetto's", "mixture", 200_000),
    "convert-strace": ("convert from strace's", "strace_log", 200_000),
}


def rows() -> dict[str, Row]:
    """start, each and memory by count, start of input events, and the tools by name."""
    start, each, memory = f"{GROUP}: start to first answer", f"{GROUP}: each", f"{GROUP}: memory of the host"
    by = [(label, count, f"{count:,} events") for label, count in COUNTS.items()]
    found = {}
    for label, count, title in by:
        beside = (Target("faster", 30),) if label == "1M" else ()
        row = Row(start, title, Target("reads", START), curve="start of a replay, by events", at=count, further=beside)
        found[f"start/{label}"] = row
    found["start/input"] = Row(start, "300,000 input events", Target("reads", START), further=(Target("faster", 30),))
    for label, count, title in by:
        found[f"each/{label}"] = Row(each, title, curve="answers of a replay, by events", at=count)
    for label, count, title in by:
        target = Target("native", 1.3) if label != "1k" else None
        row = Row(memory, title, target, memory=True, curve="memory of a replay, by events", at=count)
        row.counterpart = "with 1,000 events"
        found[f"memory/{label}"] = row
    for label, (title, _, _) in TOOL.items():
        found[label] = Row(TOOLS, title, Target("reads", 50) if label.startswith("show") else None)
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step: of short traces several, of the longest one."""
    small: list[float] = []
    for label, count in COUNTS.items():
        some = {
            name: row for name, row in wanted.items() if name.endswith(f"/{label}") and not name.startswith("evdev")
        }
        for _ in range(min(bench.rounds, 4 if count < 1_000_000 else 1) if some else 0):
            number = length(bench, count)
            for name, values in replayed(bench, number).items():
                if label == "1k" and name == "memory":
                    small += values
                if (row := some.get(f"{name}/{label}")) is not None:
                    row.add("devshim", values)
                    if name == "memory" and small:
                        row.add("native", small)
            if (row := some.get(f"start/{label}")) is not None and bench.umockdev:
                row.add("umockdev", umockdev_start(bench, number))
                row.add("floor", interpreter(bench))
            yield
    if "start/input" in wanted:
        for _ in range(min(bench.rounds, 2)):
            input_events(bench, wanted["start/input"])
            yield
    for label, (_, kind, count) in TOOL.items():
        if label in wanted:
            wanted[label].add("devshim", tool(bench, label.partition("-")[0], kind, length(bench, count)))
            yield


def length(bench: Bench, count: int) -> int:
    """How many events a trace has: a short run's are shorter by far."""
    return max(min(count, 2001), round(count * min(1.0, bench.scale**2)))


def replayed(bench: Bench, count: int) -> Mapping[str, list[float]]:
    """Replay a trace to its end: start and each answer in nanoseconds, memory of the host in bytes."""
    trace = written.write(bench.folder / f"questions-{count}.trace", written.questions(count))
    calls = (count - 2) // 100 * 100
    program = bench.program("answers"), written.NODE, "ioctl", str(calls), f"{written.QUESTION:#x}"
    found = bench.first([*bench.devshim, "replay", str(trace), "--", *program])
    return {"start": found.get("start", []), "each": found.get("each", []), "memory": found.get("host", [])}


def interpreter(bench: Bench) -> list[float]:
    """Nanoseconds that Python takes to begin and end: no command that is written in it takes less."""
    return bench.natively(bench.program("spawn"), "3", sys.executable, "-c", "pass").get("spawn", [])


def umockdev_start(bench: Bench, count: int) -> list[float]:
    """Nanoseconds until umockdev answers from an ioctl tree of as many nodes."""
    file = written.write(bench.folder / f"tree-{count}.ioctl", written.ioctl_tree(count))
    peer = Peer(PEER.description, ioctls={EVDEV: file})
    program = bench.program("answers"), EVDEV, "ioctl", "0", "0x80084502"
    return bench.first([*bench.umockdev_command(peer), *program]).get("start", [])


def input_events(bench: Bench, row: Row) -> None:
    """The same of input events, of which umockdev takes ever longer."""
    count = length(bench, 300_000)
    program = bench.program("answers"), EVDEV, "read", "0"
    trace = written.write(bench.folder / f"packets-{count}.trace", written.packets(count))
    row.add("devshim", bench.first([*bench.devshim, "replay", str(trace), "--", *program]).get("start", []))
    if bench.umockdev:
        file = written.write(bench.folder / f"packets-{count}.events", written.evemu(count))
        peer = Peer(MOUSE.description, evemu={EVDEV: file})
        row.add("umockdev", bench.first([*bench.umockdev_command(peer), *program]).get("start", []))
        row.add("floor", interpreter(bench))


def tool(bench: Bench, verb: str, kind: str, count: int) -> list[float]:
    """Nanoseconds of processor time that a trace tool takes for each event."""
    name = f"{kind}-{count}.{'strace' if kind == 'strace_log' else 'trace'}"
    file = str(written.write(bench.folder / name, getattr(written, kind)(count)))
    words = {
        "diff": ["diff", file, file],
        "convert": ["convert", file, str(bench.folder / ("out.trace" if kind == "strace_log" else "out.json"))],
    }.get(verb, [verb, file])
    return [bench.busy([*bench.devshim, *words]) / count / (2 if verb == "diff" else 1)]
