"""A host that answers garbage: a run without devshim's own host, whose answers are random."""

from __future__ import annotations

import array
import ctypes
import mmap
import os
import platform
import random
import socket
import struct
import threading
import time
from pathlib import Path

from harness import Outcome
from plugged import Plugged

from devshim.host import structures, wire
from devshim.host.table import compile_table
from tests.soak.devices import CellFile

NODE = "/dev/garbage0"
FUTEX = {"x86_64": 202, "aarch64": 98}[platform.machine()]
REQUEST, ANSWER = 1, 3
RESULT_AT, WATCHED_AT = 128, 192
"""Offsets in struct slot (wire.h): what the host writes begins at a multiple of 64 behind 80 bytes of the target's."""


class GarbageHost(Plugged):
    """Plugs NODE and answers everything that is asked about it at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.channels: list[mmap.mmap] = []
        self.device(NODE)
        flags = wire.DEVICE_READ | wire.DEVICE_WRITE | wire.DEVICE_SEEK
        table = compile_table(CellFile.ioctls.values(), ())
        self.index = self.registry.add_device(NODE, flags, 0o20666, os.makedev(512, 7), table)
        self.registry.add_node(NODE, wire.NODE_DEVICE, self.index)
        self.registry.head.moves = 8  # a number that answers have for a token now and then
        self.bell = os.memfd_create("garbage-bell")
        os.ftruncate(self.bell, wire.BELL_SIZE)
        self.listeners = [self.listen(folder / name) for name in ("socket", "quiet")]
        self.ends: list[socket.socket] = []
        self.one_at_a_time = threading.Lock()
        self.threads = [threading.Thread(target=self.greet, args=(one,)) for one in self.listeners]
        self.threads.append(threading.Thread(target=self.answer))

    def run(self, *command: str | Path, cwd: str | Path | None = None) -> Outcome:
        """Run a program and let it hear garbage."""
        for thread in self.threads:
            thread.start()
        try:
            return super().run(*command, cwd=cwd)
        finally:
            self.over.set()
            for thread in self.threads:
                thread.join()
            for listener in self.listeners:
                listener.close()
            os.close(self.bell)
            for end in self.ends:
                end.close()

    # ---- The sockets

    def listen(self, path: Path) -> socket.socket:
        """A socket at which programs ask."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(64)
        listener.settimeout(0.05)
        return listener

    def greet(self, listener: socket.socket) -> None:
        """Answer on a socket: properly mostly, or nobody would get to the slots."""
        while not self.over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            try:
                asked = structures.HelloRequest.from_buffer_copy(connection.recv(8192).ljust(64, b"\0"))
                with self.one_at_a_time:
                    self.reply(connection, asked)
            except ConnectionError:
                pass
            if connection not in self.ends:
                connection.close()

    def reply(self, connection: socket.socket, asked: structures.HelloRequest) -> None:
        """One answer."""
        what = asked.what
        chance = self.random.random()
        if chance < 0.03:
            connection.sendall(self.random.randbytes(self.random.randrange(200)))
            return
        carries = what == wire.HELLO_OPEN and self.random.random() < 0.5
        if carries:
            self.enter(os.fstat(connection.fileno()).st_dev, asked.inode)
            self.ends.append(connection)
        brings = what == wire.HELLO_CHANNEL or (carries and asked.channel)
        fds = array.array("i", self.channel() if brings else [] if carries else [self.carrier()])
        flags = (wire.ANSWER_CARRIER | self.random.choice((0, wire.ANSWER_FULL)) if carries else 0) | (
            wire.ANSWER_CHANNEL if carries and brings else 0
        )
        head = bytes(
            structures.HelloAnswer(
                magic=wire.WIRE_MAGIC, flags=flags, file=self.random.getrandbits(32), device=self.index,
                tag=self.random.choice((0, 40, self.random.getrandbits(32))),
            )
        )  # fmt: skip
        if 0.03 < chance < 0.1:
            head = self.random.randbytes(len(head))
            head = head[:8] + struct.pack("<I", struct.unpack_from("<I", head, 8)[0] & ~wire.ANSWER_WAIT) + head[12:]
        if chance > 0.95 and what != wire.HELLO_CHANNEL:
            fds.append(self.bell)
        connection.sendmsg([head], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds.tobytes())] if fds else [])
        if carries:
            connection.sendall(self.random.randbytes(self.random.choice((0, 8, 64))))
        for fd in fds:
            if fd != self.bell:
                os.close(fd)

    def channel(self) -> list[int]:
        """A channel, and the bell."""
        fd = os.memfd_create("garbage-channel")
        os.ftruncate(fd, wire.CHANNEL_SIZE)
        channel = mmap.mmap(fd, wire.CHANNEL_SMALL + wire.LARGE_DATA)
        struct.pack_into("<4I", channel, 0, wire.WIRE_MAGIC, wire.WIRE_VERSION, len(self.channels), 1)
        self.channels.append(channel)
        return [fd, self.bell]

    def carrier(self) -> int:
        """One end of a pair that the registry knows."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        status = os.fstat(theirs.fileno())
        self.enter(status.st_dev, status.st_ino)
        self.ends.append(ours)
        if self.random.random() < 0.5:
            ours.send(self.random.randbytes(64))
        return theirs.detach()

    def enter(self, dev: int, inode: int) -> None:
        """Let the registry know a carrier."""
        self.registry.add_carrier(dev, inode, 0, self.index, self.random.getrandbits(32), os.O_RDWR)

    # ---- The slots

    def answer(self) -> None:
        """Look at all slots for ever."""
        while not self.over.is_set():
            asked = False
            for channel in list(self.channels):
                for index in range(wire.SLOTS):
                    at = wire.CHANNEL_HEAD + index * wire.SLOT_SIZE
                    if struct.unpack_from("<I", channel, at)[0] == REQUEST:
                        self.fill(channel, at)
                        asked = True
            if not asked:
                time.sleep(0.0002)

    def number(self, bits: int) -> int:
        """Any number, small ones more often."""
        return self.random.choice((0, 1, 8, self.random.randrange(300), 8192, self.random.getrandbits(bits)))

    def fill(self, channel: mmap.mmap, at: int) -> None:
        """Answer one request."""
        flags = self.random.choice(
            (0, 0, 0, wire.ANSWER_STANDS, self.random.getrandbits(6), self.random.getrandbits(32))
        )
        error = self.random.choice((0, 0, 0, 5, 25, self.random.getrandbits(31)))
        result = self.random.choice((0, 1, -1, self.random.getrandbits(63) - (1 << 62)))
        words = (result, error, flags, self.number(64), self.number(32), self.number(32), self.number(32))
        struct.pack_into("<qiIQIII", channel, at + RESULT_AT, *words)
        data = b"".join(self.number(32).to_bytes(4, "little") for _ in range(40))
        channel[at + wire.SLOT_HEAD : at + wire.SLOT_HEAD + len(data)] = data
        struct.pack_into("<I", channel, at + WATCHED_AT, self.random.getrandbits(1))
        struct.pack_into("<I", channel, at, ANSWER)
        address = ctypes.addressof(ctypes.c_char.from_buffer(channel, at))
        ctypes.CDLL(None).syscall(ctypes.c_long(FUTEX), ctypes.c_void_p(address), 1, 1, None, None, 0)
