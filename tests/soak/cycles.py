"""python -m tests.soak.cycles CYCLES: plugs, runs a program, opens, unplugs in one process, which stays as it was.

Prints a line of JSON after each of its parts: descriptors, threads, mappings, Python's blocks of memory and KiB of all
memory of the process, and the names in $TMPDIR.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

from devshim.session.session import Session
from tests.soak.devices import Cell

PARTS = 5


def cycle(session: Session) -> None:
    """A device comes, is used by a program and by this process, and goes."""
    node = "/dev/cell0"
    cell = session.plug(node, Cell())
    session.run("cmp", "-n", "8", node, node)
    with open(node, "rb", buffering=0) as file:
        assert len(file.read(8)) == 8
    cell.unplug()


def look() -> dict[str, object]:
    """What must stay as it is."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "mappings": len(Path("/proc/self/maps").read_text().splitlines()),
        "files": sorted(os.listdir(os.environ["TMPDIR"])),
        "blocks": sys.getallocatedblocks(),
        "rss": int(status["RssAnon"].split()[0]),
    }


def main(cycles: str) -> None:
    """All parts: in the first half of each the session stays, in the other each cycle has one of its own."""
    half = max(int(cycles) // PARTS // 2, 1)
    for _ in range(PARTS):
        with Session() as session:
            for _ in range(half):
                cycle(session)
        for _ in range(half):
            with Session() as session:
                cycle(session)
        print(json.dumps(look()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
