"""Rows: what a replay answers: ioctls, conversations and bulk data, beside umockdev's replay of the same."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator

from devshim.trace.format.reader import Trace
from tests.bench import written
from tests.bench.calls import EVDEV, PEER
from tests.bench.models import BULK
from tests.bench.samples import Row, Target
from tests.bench.serial import BARE, DESCRIPTION, NODE, PIECE, bare_pty, script
from tests.bench.systems import Bench, Peer

GROUP = "answers of a replay"
IOCTLS = {
    "again": "ioctl, the same again",
    "series": "ioctl, ever another",
}
LINES = "reading of a line, alone"
"""Of the ever other ioctls: what is left of their time where nothing but reading the trace counts."""
SERIAL = {"ask": "tty: query and answer", "take": "tty: bulk, to program"}


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    floors = {"again": "awake", "series": "line"}
    counterpart = "TIOCGWINSZ of a pseudo-terminal; umockdev: EVIOCGID"
    found = {
        label: Row(
            GROUP,
            title,
            Target("reads", 5, floors[label]),
            further=(Target("faster", 100, floors[label]),),
            counterpart=counterpart,
        )
        for label, title in IOCTLS.items()
    }
    found["lines"] = Row(GROUP, LINES, counterpart="Python's json")
    ask, take = Target("native", 1.3), Target("of native", 0.9)
    found["ask"] = Row(GROUP, SERIAL["ask"], ask, further=(Target("faster", 5, "line-any"),), counterpart=BARE)
    found["take"] = Row(GROUP, SERIAL["take"], take, True, BARE, further=(Target("faster", 10, "taken"),))
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for label, row in wanted.items():
            found = lines(bench) if label == "lines" else (ioctls if label in IOCTLS else serial)(bench, label)
            for system, values in found.items():
                row.add(system, values)
            yield


def ioctls(bench: Bench, label: str) -> dict[str, list[float]]:
    """One round of ioctls, on all three systems."""
    batches, calls = bench.count(20), bench.count(300, 10)
    events = 2 if label == "again" else batches * calls + 2
    trace = written.write(bench.folder / f"{label}-{events}.trace", written.questions(events))
    head = bench.program("device"), str(batches), str(calls), "0", "1"
    slow = head[0], str(min(batches, 20)), str(bench.count(25, 3)), "0", "1"
    found = {
        "native": bench.natively(*head, "x=/dev/ptmx:ioctl:0x5413"),
        "devshim": bench.replaying(trace, *head, f"x={written.NODE}:ioctl:{written.QUESTION:#x}"),
        "umockdev": bench.under_umockdev(PEER, *slow, f"x={EVDEV}:ioctl:0x80084502"),
    }
    return {system: series.get("x", []) for system, series in found.items()}


def lines(bench: Bench) -> dict[str, list[float]]:
    """Nanoseconds for each line of a trace with ever other answers, a batch to a value: our reader's, and json's."""
    batches, calls = bench.count(20), bench.count(300, 10)
    trace = written.write(bench.folder / "lines.trace", written.questions(batches * calls + 2))
    texts = iter(trace.read_text().splitlines()[-batches * calls :])
    events = itertools.islice(Trace(trace), 2, None)

    def timed(one: Callable[[], object]) -> list[float]:
        found = []
        for _ in range(batches):
            begin = time.perf_counter_ns()
            for _ in range(calls):
                one()
            found.append((time.perf_counter_ns() - begin) / calls)
        return found

    return {"devshim": timed(lambda: next(events)), "native": timed(lambda: json.loads(next(texts)))}


def serial(bench: Bench, label: str) -> dict[str, list[float]]:
    """One round of a conversation, or of bulk data."""
    batches, calls = bench.count(20), bench.count(50, 5)
    if label == "ask":
        events = 1 + 2 * (batches + 1) * calls
        trace = written.write(bench.folder / f"ask-{events}.trace", written.conversation(events))
    else:
        pieces = written.transfers(batches + 1, BULK, PIECE)
        trace = written.write(bench.folder / f"take-{batches}.trace", pieces)
    words = bench.program("tty"), label, str(batches), str(calls), str(BULK)
    with bare_pty(None) as slave:
        native = bench.natively(*words, slave)
    peer = Peer(DESCRIPTION, scripts={NODE: script(label, batches + 1, calls)})
    found = {
        "native": native,
        "devshim": bench.replaying(trace, *words, written.TTY),
        "umockdev": bench.under_umockdev(peer, *words, NODE),
    }
    return {system: series.get(label, []) for system, series in found.items()}
