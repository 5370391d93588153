"""python -m tests.soak.own CALLS NODE=MODEL... [-- PROGRAM...]: a session whose own calls leave its memory as it was.

Prints a line of JSON after each of its parts: KiB of memory, descriptors, files and failures of the host.  The program
runs beside each part.
"""

import fcntl
import gc
import json
import os
import sys
import threading
from pathlib import Path

from devshim import IO
from devshim.session.session import Session

THREADS = 2
PARTS = 5
COUNT = IO("S", 4)


def use(rounds: int) -> None:
    """Ten calls a round."""
    for _ in range(rounds):
        cell = os.open("/dev/cell0", os.O_RDWR)
        records = os.open("/dev/records0", os.O_RDWR)
        os.pread(cell, 64, 0)
        os.pwrite(cell, b"0123456789", 8)
        os.read(cell, 4096)
        os.lseek(cell, 0, os.SEEK_SET)
        fcntl.ioctl(cell, COUNT, 7)
        fcntl.ioctl(records, IO("S", 10), 1)
        os.read(records, 8)
        os.close(cell)
        os.close(records)


def look(session: Session) -> dict[str, int]:
    """What must stay as it is."""
    gc.collect()
    assert session._serving is not None
    host = session._serving.host
    with host.lock:
        host.settle_ends()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "files": sum(file is not None for file in host.files),
        "failures": len(host.failures),
        "rss": int(status["RssAnon"].split()[0]),
    }


def main(calls: str, *words: str) -> None:
    """All parts."""
    at = words.index("--") if "--" in words else len(words)
    devices, program = words[:at], words[at + 1 :]
    with Session() as session:
        for device in devices:
            node, _, model = device.partition("=")
            session.plug(node, model)
        for _ in range(PARTS):
            rounds = max(int(calls) // PARTS // THREADS // 10, 1)
            threads = [threading.Thread(target=use, args=(rounds,)) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            if program:
                session.run(*program, timeout=None)
            for thread in threads:
                thread.join()
            print(json.dumps(look(session)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
