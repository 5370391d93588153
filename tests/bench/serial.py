"""Rows: conversations and bulk data on serial ports, beside a raw Python loop on a bare pseudo-terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.models import BULK
from tests.bench.samples import Row, Target
from tests.bench.systems import HERE, Bench, Peer

NODE = "/dev/ttyB0"
DESCRIPTION = "P: /devices/virtual/tty/ttyB0\nN: ttyB0\nE: DEVNAME=/dev/ttyB0\nE: SUBSYSTEM=tty\nA: dev=4:99\n"
TURNS = 3
"""Conversations of each kind in a round: the kernel hands a line over on either processor, at once or later, and a
whole conversation is fast or slow by that."""
PIECE = 4000
"""Bytes a line of umockdev's script: about what one read of a pseudo-terminal gives; with whole megabytes it hangs."""
CONVERSATION, GROUP_BULK = "serial port: write a query, read the answer", "serial port: bulk data"
BARE = "a raw Python loop on a bare pseudo-terminal"


def rows() -> dict[str, Row]:
    """The rows of this group by label."""
    found = {
        "ask": Row(
            CONVERSATION,
            "any processor",
            Target("native", 1.3),
            further=(Target("faster", 5, "line-any"),),
        ),
        "ask/one": Row(
            CONVERSATION,
            "one processor",
            Target("native", 1.3),
            further=(Target("faster", 5, "line-one"),),
        ),
        "ask/text": Row(CONVERSATION, "one CPU, by @command"),
        "take": Row(
            GROUP_BULK,
            "model to program",
            Target("of native", 0.9),
            bytes_a_second=True,
            further=(Target("faster", 10, "taken"),),
        ),
        "give": Row(
            GROUP_BULK,
            "program to model",
            Target("of native", 0.9),
            bytes_a_second=True,
            further=(Target("faster", 10, "given"),),
        ),
    }
    for row in found.values():
        row.counterpart = BARE
    return found


def measure(bench: Bench, wanted: dict[str, Row]) -> Iterator[None]:
    """Take one round at each step."""
    for _ in range(bench.rounds):
        for label, row in [item for item in wanted.items() for _ in range(TURNS if item[0].startswith("ask") else 1)]:
            what, _, how = label.partition("/")
            cpu = 0 if how else None
            batches, calls = bench.count(20), bench.count(50, 5)
            words = bench.program("tty"), what, str(batches), str(calls), str(BULK)
            with bare_pty(cpu) as slave:
                row.add("native", bench.natively(*words, slave, cpu=cpu).get(what, []))
            model = "TextMeter" if how == "text" else "Meter"
            row.add("devshim", bench.under_devshim({NODE: model}, *words, NODE, cpu=cpu).get(what, []))
            peer = Peer(DESCRIPTION, scripts={NODE: script(what, batches + 1, calls)})
            row.add("umockdev", bench.under_umockdev(peer, *words, NODE, cpu=cpu).get(what, []))
            yield


def script(what: str, batches: int, calls: int) -> str:
    """The conversation of programs/tty.c as umockdev's recorder would have written it."""
    if what == "ask":
        return "w 0 MEAS?^J\nr 0 12.3456^J\n" * (batches * calls)
    pieces = [min(PIECE, BULK - at) for at in range(0, BULK, PIECE)]
    data = "".join(f"{'r' if what == 'take' else 'w'} 0 {'U' * piece}\n" for piece in pieces)
    return (f"w 0 S\n{data}" if what == "take" else f"w 0 W\n{data}r 0 A\n") * batches


@contextmanager
def bare_pty(cpu: int | None) -> Iterator[str]:
    """Run barepty.py and give the name of its slave end."""
    pin = [] if cpu is None else ["taskset", "--cpu-list", str(cpu)]
    words = [*pin, sys.executable, str(HERE / "barepty.py")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(10)
