"""python -m tests.soak.inner BUSY CALLS NODE=MODEL...: a session to be killed, that runs a program and uses devices."""

import os
import sys

from devshim.session.session import Session


def main(busy: str, calls: str, *devices: str) -> None:
    """Say that it has begun, then use the devices until the program has ended."""
    session = Session()
    for device in devices:
        node, _, model = device.partition("=")
        session.plug(node, model)
    with session.start(busy, "2", "2", calls) as program:
        print("begun", flush=True)
        while program.poll() is None:
            with open("/dev/cell1", "r+b", buffering=0) as cell:
                cell.write(os.urandom(64))
                cell.seek(0)
                cell.read(64)
    session.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
