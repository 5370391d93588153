"""What a user would write without devshim: a raw Python loop on a bare pseudo-terminal.  Prints the slave's name.

Answers as models.Meter does; ends when its standard input does.
"""

import os
import sys
import threading
import tty

BULK = 1 << 20


def main() -> None:
    """Serve until standard input ends."""
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    threading.Thread(target=serve, args=(master,), daemon=True).start()
    sys.stdin.read()


def serve(master: int) -> None:
    """Answer for ever."""
    while True:
        data = os.read(master, 65536)
        if data == b"S":
            write_all(master, bytes(BULK))
        elif data.startswith(b"W"):
            expected = BULK - len(data) + 1
            while expected:
                expected -= len(os.read(master, 65536))
            write_all(master, b"A")
        else:
            os.write(master, b"12.3456\n")


def write_all(master: int, data: bytes) -> None:
    """Write all of it, however little the pseudo-terminal takes at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(master, rest) :]


if __name__ == "__main__":
    main()
