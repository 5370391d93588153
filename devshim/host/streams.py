"""Open files whose carrier itself holds what is read: records go in here, the program reads them from the kernel."""

from __future__ import annotations

import fcntl
import select
import socket
import termios
from collections import deque
from functools import cache

from devshim.host._channel import PACKETS, STREAM, carrier, hang_up, send, send_each
from devshim.host.files import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug
    from devshim.model.stream import Stream

LIMITED_BUFFER = 2304  # doubled by the kernel to its least, so that a file's depth is kept here and not in the socket
AT_ONCE = 16384  # bytes that a socket takes whole or not at all
DEEP = 1 << 17  # bytes of a depth beside which those in an unlimited socket do not matter
LIMITED_AT_ONCE = 2240  # the same of a limited one: half its buffer, less 64 (unix_stream_sendmsg)


class OpenStream(Opened):
    """One open stream: what the model sends goes into the carrier, and waits here where that is full."""

    file: Stream

    def __init__(self, host: Host, plug: DevicePlug, file: Stream, number: int, nonblock: bool) -> None:
        kind = PACKETS if file.packets else STREAM
        limited = file.depth is not None and not file.packets and file.depth * file.record < DEEP
        super().__init__(host, plug, file, number, carrier(nonblock, kind, LIMITED_BUFFER if limited else 0, 0))
        self._at_once = (LIMITED_AT_ONCE if limited else AT_ONCE) // file.record * file.record or file.record
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._limited = False
        file._feed = self

    def feed(self, data: bytes) -> None:
        """Hand records to the program, now or when it has read; b"" forgets those that wait."""
        if self.gone:
            return
        if not data:
            self._queue.clear()
            self._queued = 0
            return
        for piece in self._pieces(data):
            if self._queue or not send(self.end, piece):
                self._keep(piece)

    def feed_packet(self, data: bytes) -> bool:
        """Hand over one packet; False where the program already has as many as it may leave unread."""
        if self.gone:
            return True
        if self.file.depth is None:
            self.feed(data)
            return True
        if not self._limited:
            self._limited = True
            let_lie(self.end, self.file.depth * room_of_packet(len(data)))
        return send(self.end, data)

    def feed_packets(self, packets: list[bytes]) -> list[bytes]:
        """Hand over many, in fewer steps; returns those that had no room."""
        if len(packets) < 2 or self.file.depth is None or not self.feed_packet(packets[0]):
            return [packet for packet in packets if not self.feed_packet(packet)]
        if self.gone:
            return []
        refused, at = [], 1
        while (at := at + send_each(self.end, packets[at:])) < len(packets):
            refused.append(packets[at])
            at += 1
        return refused

    def _pieces(self, data: bytes) -> list[bytes]:
        size = self._at_once
        if self.file.packets or len(data) <= size:
            return [data]
        return [data[at : at + size] for at in range(0, len(data), size)]

    def pending(self) -> int:
        """Records that wait here."""
        return self._queued // self.file.record

    def take_back(self) -> bytes:
        """The records that wait here; they are forgotten."""
        data = b"".join(self._queue)
        self.feed(b"")
        return data

    def _keep(self, piece: bytes) -> None:
        if not self._queue:
            self.host.loop.watch(self.end, select.EPOLLOUT, self._send_kept)
        self._queue.append(piece)
        self._queued += len(piece)

    def _send_kept(self, events: int) -> None:
        while self._queue and send(self.end, self._queue[0]):
            self._queued -= len(self._queue.popleft())
        if not self._queue or events & select.EPOLLHUP:
            self.host.loop.unwatch(self.end)

    def hang_up(self) -> None:
        """The device was unplugged, or takes this file away."""
        self.closing()
        super().hang_up()
        if hang_up(self.end):
            self.host.closes.hung_up(self)
        else:  # the program has closed it since we looked for closes, and no more is to be heard of it
            self.plug.closed(self)

    def closing(self) -> None:
        """Send no more."""
        self._queue.clear()
        self._queued = 0
        self.file._feed = None
        self.host.loop.unwatch(self.end)


@cache
def room_of_packet(size: int) -> int:
    """What a packet of so many bytes takes of a socket's send buffer: the kernel counts its own memory."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.send(bytes(size))
        taken = fcntl.ioctl(ours, termios.TIOCOUTQ, bytes(4))  # SIOCOUTQ of unix(7)
    return int.from_bytes(taken, "little")


def let_lie(fd: int, room: int) -> None:
    """Let a packet socket hold so much that was not read; less where the system allows less (wmem_max)."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=fd)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room // 2)  # the kernel doubles it
    end.detach()
