"""What a user would write without devshim: a raw Python loop on a socket pair, of whose other end a program is started.

barepackets.py KIND ANSWER PIECES PROGRAM ARGUMENTS...: whatever comes, ANSWER (hexadecimal) goes out PIECES times, as a
stream (KIND "stream", in one piece) or in packets.  The argument FD of the program is the descriptor's number.
"""

import os
import socket
import subprocess
import sys
import threading


def main() -> int:
    """Serve until the program ends."""
    kind, answer, pieces, *words = sys.argv[1:]
    sort = socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET
    ours, theirs = socket.socketpair(socket.AF_UNIX, sort)
    data, count = bytes.fromhex(answer), int(pieces)
    if kind == "stream":
        data, count = data * count, 1
    threading.Thread(target=serve, args=(ours.fileno(), data, count), daemon=True).start()
    number = theirs.fileno()
    return subprocess.run([str(number) if word == "FD" else word for word in words], pass_fds=[number]).returncode


def serve(fd: int, data: bytes, count: int) -> None:
    """Answer for ever."""
    while os.read(fd, 4096):
        for _ in range(count):
            os.write(fd, data)


if __name__ == "__main__":
    sys.exit(main())
