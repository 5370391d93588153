"""A hostile program of a run: does to the host, over its socket and in shared memory, what each line of stdin says.

A line is a list of acts in JSON; the answer is a line, "well" or what went wrong.  After each list the devices must
still answer an honest call, made through the shim in this very process.  Its acts know nothing of the shim.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import random
import signal
import socket
import struct
import sys
import threading
import time
from typing import Any

from devshim.host import structures, wire

SLOT = struct.Struct("<4IQ2HIIIQq6I")
"""The target's part of struct slot (wire.h): state, sleeping, owner, generation, frame, op, nonblock, file, ..."""
REQUEST, ANSWER = 1, 3
FUTEX = {"x86_64": 202, "aarch64": 98}[platform.machine()]
PATIENCE = 10.0
NODES = ("/dev/cell", "/dev/queue", "/dev/records", "/dev/ttyS90", "/dev/health", "/proc/net/netlink", "/dev/null")
"""What a carrier is called, to the program that has it; the last two lead nowhere else."""
RUN = os.environ["DEVSHIM_RUN"]


class Peer:
    """A channel that we have, and know how to misuse."""

    def __init__(self) -> None:
        fds = hello(
            bytes(structures.HelloRequest(magic=wire.WIRE_MAGIC, version=wire.WIRE_VERSION, what=wire.HELLO_CHANNEL))
        )
        assert len(fds) == 2, fds
        self.channel = mmap.mmap(fds[0], wire.CHANNEL_SMALL + wire.LARGE_DATA)
        self.bell = mmap.mmap(fds[1], wire.BELL_SIZE)
        for fd in fds:
            os.close(fd)
        self.process = struct.unpack_from("<I", self.channel, 8)[0]
        self.pending = structures.Bell.pending.offset
        self.summary = structures.Bell.summary.offset

    def at(self, index: int) -> int:
        """Where a slot lies."""
        return wire.CHANNEL_HEAD + index % wire.SLOTS * wire.SLOT_SIZE

    def ring(self, index: int) -> None:
        """As the shim does, but not atomically: the host may miss it, so this is done again and again."""
        index %= wire.SLOTS
        or_word(self.channel, 64 + index // 64 * 8, 1 << index % 64)
        or_word(self.bell, self.pending + self.process // 64 * 8, 1 << self.process % 64)
        or_word(self.bell, self.summary, 1 << self.process // 64)
        rung = struct.unpack_from("<I", self.bell, 0)[0]
        struct.pack_into("<I", self.bell, 0, rung + 1 & 0xFFFFFFFF)
        wake(self.bell)

    def ask(self, index: int, words: list[int], data: bytes) -> str:
        """Ask anything; the host must answer it."""
        op, file, request, argument, offset, size, room, large = words
        at = self.at(index)
        place = wire.CHANNEL_SMALL if large and index % wire.SLOTS == 0 else at + wire.SLOT_HEAD
        self.channel[place : place + len(data)] = data
        generation = random.getrandbits(32)
        fields = (0, 0, 1, generation, 0, op, 0, file, 0, request, argument, offset, size, room, large, 0, 0, 0)
        self.channel[at : at + SLOT.size] = SLOT.pack(*fields)
        struct.pack_into("<I", self.channel, at, REQUEST)
        deadline = time.monotonic() + PATIENCE
        while struct.unpack_from("<I", self.channel, at)[0] != ANSWER:
            if time.monotonic() > deadline:
                return f"no answer to {words}"
            self.ring(index)
            time.sleep(0)
        struct.pack_into("<I", self.channel, at, 0)
        return ""


def or_word(memory: mmap.mmap, at: int, bits: int) -> None:
    """Set bits in a word of 64."""
    struct.pack_into("<Q", memory, at, struct.unpack_from("<Q", memory, at)[0] | bits)


def wake(bell: mmap.mmap) -> None:
    """Let the host look: futex(2) on the bell's first word."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(bell))
    ctypes.CDLL(None).syscall(ctypes.c_long(FUTEX), ctypes.c_void_p(address), 1, 1, None, None, 0)


def hello(message: bytes, linger: bool = False, attach: bool = False) -> list[int]:
    """Send anything to the run's socket and return the descriptors that came back."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(f"{RUN}/socket")
        fds = array.array("i")
        try:
            if attach:
                socket.send_fds(connection, [message or b"x"], [0, 1, 2])
            elif message:
                connection.sendall(message)
            if not message or linger:
                connection.shutdown(socket.SHUT_WR)
            _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(64))
        except ConnectionError:
            return []
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(data[: len(data) // 4 * 4])
    return list(fds)


class Attack:
    """All acts, by name."""

    def __init__(self) -> None:
        self.peer = Peer()
        self.honest = os.open("/dev/cell1", os.O_RDWR)
        self.crowd: list[socket.socket] = []

    def raw(self, message: str, linger: bool, attach: bool) -> str:
        """Bytes for the socket."""
        return self.sort(hello(bytes.fromhex(message), linger, attach))

    def polite(self, what: int, flags: int, abi: int, ticket: int, path: str, length: int) -> str:
        """A request of the right form."""
        text = os.fsencode(path)
        head = structures.HelloRequest(
            magic=wire.WIRE_MAGIC, version=wire.WIRE_VERSION, what=what, abi=abi, flags=flags, ticket=ticket,
            length=length if length >= 0 else len(text),
        )  # fmt: skip
        return self.sort(hello(bytes(head) + text))

    def sort(self, fds: list[int]) -> str:
        """Whatever came back must be a channel of our own, the bell, or one end of a pair."""
        wrong = ""
        for fd in fds:
            where = os.readlink(f"/proc/self/fd/{fd}")
            if not where.startswith(("socket:", "pipe:", "/memfd:devshim-channel", "/memfd:devshim-bell", *NODES)):
                wrong = f"got {where}"
            os.close(fd)
        return wrong

    def quiet(self, count: int, message: str, attach: bool, looks: int, stays: bool) -> str:
        """Connections where nobody is waited for, of which the host is told or not; some stay until the next such act.

        Those that have been closed wait to be looked at, too.
        """
        for connection in self.crowd:
            connection.close()
        self.crowd.clear()
        for _ in range(count):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            try:
                connection.connect(f"{RUN}/quiet")
                if attach:
                    socket.send_fds(connection, [bytes.fromhex(message) or b"x"], [0, 1, 2])
                elif message:
                    connection.send(bytes.fromhex(message))
            except (BlockingIOError, BrokenPipeError):
                stays = False
            except OSError as problem:
                if problem.errno != errno.ETOOMANYREFS:  # unix(7): as many under way as one who is not root may have
                    raise
                stays = False
            if stays:
                self.crowd.append(connection)
            else:
                connection.close()
        said = ""
        for _ in range(looks):
            said = said or self.peer.ask(2, [wire.OP_NOTE, 0, wire.NOTE_LOOK, 0, -1, 0, 0, 0], b"")
        return said

    def slot(self, index: int, words: list[int], data: str) -> str:
        """A request in shared memory."""
        return self.peer.ask(index, words, bytes.fromhex(data))

    def heads(self, data: str) -> str:
        """The channel's own head."""
        raw = bytes.fromhex(data)[:64]
        kept = self.peer.channel[:128]
        self.peer.channel[: len(raw)] = raw
        self.peer.ring(0)
        self.peer.channel[:128] = kept
        return ""

    def bells(self, group: int, bits: int) -> str:
        """Pending bits of processes that are not ours, or not there."""
        or_word(self.peer.bell, self.peer.pending + group % (wire.MAX_PROCESSES // 64) * 8, bits)
        or_word(self.peer.bell, self.peer.summary, 1 << group % 64)
        self.peer.ring(1)
        return ""

    def race(self, seed: int, words: list[int], data: str) -> str:
        """A request that changes while it is served."""
        over, chance, at = threading.Event(), random.Random(seed), self.peer.at(5)
        other = self.peer.at(6)

        def scribble() -> None:
            while not over.is_set():
                place = other + chance.randrange(12, wire.SLOT_SIZE - 8)
                self.peer.channel[place : place + 8] = chance.randbytes(8)
                place = at + wire.SLOT_HEAD + chance.randrange(64)
                self.peer.channel[place : place + 8] = chance.randbytes(8)
                struct.pack_into(
                    "<I", self.peer.channel, at + SLOT.size - 40 + chance.randrange(8) * 4, chance.getrandbits(32)
                )
                struct.pack_into("<I", self.peer.channel, other, chance.choice((0, 1, 2, 3, 77)))
                self.peer.ring(6)

        thread = threading.Thread(target=scribble)
        thread.start()
        try:
            return self.peer.ask(5, words, bytes.fromhex(data))
        finally:
            over.set()
            thread.join()
            struct.pack_into("<I", self.peer.channel, other, 0)

    def check(self) -> str:
        """Honest calls; what lies in the device is not looked at, for a program of the run may write there."""
        signal.alarm(round(PATIENCE))  # the end, should nobody answer
        os.close(os.open("/dev/cell0", os.O_RDWR))
        signal.alarm(0)
        if len(data := os.pread(self.honest, 251, 251)) != 251:
            return f"an honest read gave {data!r}"
        if fcntl.ioctl(self.honest, 0x5304, 300) != 44:
            return "an honest ioctl went wrong"
        return ""


def main() -> None:
    """Serve stdin."""
    attack = Attack()
    for line in sys.stdin:
        said = ""
        acts: list[list[Any]] = json.loads(line)
        for name, *arguments in acts:
            said = said or getattr(attack, name)(*arguments)
        print(said or attack.check() or "well", flush=True)


if __name__ == "__main__":
    main()
