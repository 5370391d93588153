"""Who asks at a run's socket: its process, and the connection, which may become the carrier of the file it opens."""

from __future__ import annotations

import os
import struct

from devshim.host import wire
from devshim.host._channel import adopt

SO_PEERGROUPS = 59


class Asker:
    """The other end of a connection."""

    __slots__ = ("fd", "first", "flags", "gid", "identity", "is_carrier", "pid", "tag", "uid", "wants_channel")

    def __init__(self, fd: int, pid: int, uid: int, gid: int) -> None:
        self.fd = fd
        self.pid = pid
        self.uid = uid
        self.gid = gid
        self.identity: tuple[int, int] | None = None  # st_dev and st_ino of the other end, where it may be a carrier
        self.wants_channel = False  # with it
        self.is_carrier = False
        self.tag = 0  # with which the shim shall know it again
        self.flags = 0  # what the answer says of the carrier's state
        self.first = b""  # what follows the answer

    def become_carrier(self, identity: tuple[int, int], buffer: int) -> tuple[int, int, int, int]:
        """Let the connection be a carrier: as carrier() of _sockets.c makes one, but theirs is not ours to have (-1).

        buffer: how much our end holds that was not read.
        """
        self.fd = adopt(self.fd, buffer)
        self.is_carrier = True
        return self.fd, -1, *identity

    def answered(self, file: int, entry: int, device_flags: int) -> bytes:
        """The answer that makes the connection a carrier, with what lies in it from the start."""
        flags = wire.ANSWER_CARRIER | self.flags
        return wire.HELLO_ANSWER.pack(wire.WIRE_MAGIC, 0, flags, file, entry, device_flags, self.tag) + self.first

    def groups(self) -> list[int]:
        """The supplementary groups."""
        import socket

        with socket.socket(fileno=os.dup(self.fd)) as connection:
            try:
                raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * 1024)
            except OSError:
                return []
        return list(struct.unpack(f"{len(raw) // 4}I", raw))

    def gone(self) -> bool:
        """Whether the other end was closed: its process was interrupted, or died."""
        import socket

        with socket.socket(fileno=os.dup(self.fd)) as connection:
            try:
                return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True
