"""What a user would write without devshim: a raw Python loop on a socket pair, of whose other end a program is started.

barepackets.py KIND ANSWER PIECES PROGRAM ARGUMENTS...: whatever comes, ANSWER (hexadecimal) goes out PIECES times: in
packets as it is (KIND "packets"), or as a report of input events (KIND "events"), each packed anew with the time of its
report, and all in one piece.  With "called" behind KIND each packet or event is handed to a method first, that looks
whether the device has it: what a model written in Python cannot do without.  The argument FD of the program is the
descriptor's number.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
import time

EVENT = struct.Struct("qqHHi")
"""struct input_event of linux/input.h, on machines of 64 bits."""


def main() -> int:
    """Serve until the program ends."""
    kind, answer, pieces, *words = sys.argv[1:]
    sort, loop = {
        "events": (socket.SOCK_STREAM, serve_events),
        "packets": (socket.SOCK_SEQPACKET, serve_packets),
        "events called": (socket.SOCK_STREAM, Mouse().serve),
        "packets called": (socket.SOCK_SEQPACKET, Gadget().serve),
    }[kind]
    ours, theirs = socket.socketpair(socket.AF_UNIX, sort)
    threading.Thread(target=loop, args=(ours.fileno(), bytes.fromhex(answer), int(pieces)), daemon=True).start()
    number = theirs.fileno()
    return subprocess.run([str(number) if word == "FD" else word for word in words], pass_fds=[number]).returncode


def serve_packets(fd: int, data: bytes, count: int) -> None:
    """Answer for ever."""
    while os.read(fd, 4096):
        for _ in range(count):
            os.write(fd, data)


def serve_events(fd: int, data: bytes, count: int) -> None:
    """Answer for ever."""
    report = [event[2:] for event in EVENT.iter_unpack(data)]
    while os.read(fd, 4096):
        events = []
        for _ in range(count):
            seconds, rest = divmod(time.time_ns(), 10**9)
            for type, code, value in report:
                events.append(EVENT.pack(seconds, rest // 1000, type, code, value))
        os.write(fd, b"".join(events))


class Mouse:
    """The least that is called a device: it has these codes, and knows which events have come since the last report."""

    def __init__(self) -> None:
        self.codes = {0: {0}, 2: {0, 1}}
        self.events: list[tuple[int, int, int]] = []

    def event(self, type: int, code: int, value: int) -> None:
        """Take an event."""
        if code in self.codes[type]:
            self.events.append((type, code, value))

    def serve(self, fd: int, data: bytes, count: int) -> None:
        """Answer for ever."""
        report = [event[2:] for event in EVENT.iter_unpack(data)]
        while os.read(fd, 4096):
            packed = []
            for _ in range(count):
                self.events.clear()
                for type, code, value in report:
                    self.event(type, code, value)
                seconds, rest = divmod(time.time_ns(), 10**9)
                packed += [EVENT.pack(seconds, rest // 1000, *event) for event in self.events]
            os.write(fd, b"".join(packed))


class Gadget:
    """The least that is called a device with reports: it knows its last one."""

    last = b""

    def report(self, data: bytes) -> None:
        """Take a report."""
        if 0 < len(data) <= 64:
            self.last = data

    def serve(self, fd: int, data: bytes, count: int) -> None:
        """Answer for ever."""
        while os.read(fd, 4096):
            for _ in range(count):
                self.report(data)
                os.write(fd, self.last)


if __name__ == "__main__":
    sys.exit(main())
