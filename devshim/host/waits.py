"""Waiting outside a carrier: a socket for one wait, fetched with a ticket, that ends when what it waits for may be.

A ticket names a wait point and how often it had fired when the call was answered.  So nothing is kept for a
caller that never fetches, and a wake-up between the answer and the fetch is not lost.
"""

from __future__ import annotations

import os

from devshim.host._channel import raised

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


class WaitPoint:
    """One thing that calls may wait for: a file, or a lock."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._fired = 0
        self._ends: list[socket.socket] = []

    def ticket(self) -> int:
        """What a caller that finds nothing now fetches its socket with."""
        return self.number << 32 | (self._fired & 0xFFFFFFFF)

    def fire(self) -> None:
        """Let all who wait ask again."""
        self._fired += 1
        ends, self._ends = self._ends, []
        for end in ends:
            end.close()

    def descriptor(self, ticket: int) -> int:
        """The caller's end: readable (end of file) once the point fires, at once if it has since the answer."""
        import socket

        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        if ticket == self.ticket():
            self._ends = [end for end in self._ends if not hung_up(end)]
            self._ends.append(socket.socket(fileno=raised(ours.detach())))
        else:
            ours.close()
        return theirs.detach()


def hung_up(end: socket.socket) -> bool:
    """Whether the waiter has gone: interrupted, or dead."""
    import socket

    try:
        return end.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class WaitPoints:
    """All wait points of a host by number."""

    def __init__(self) -> None:
        self._points: dict[int, WaitPoint] = {}
        self._next = 1

    def make(self) -> WaitPoint:
        """A new one."""
        point = WaitPoint(self._next)
        self._points[self._next] = point
        self._next += 1
        return point

    def drop(self, point: WaitPoint) -> None:
        """It is waited for no longer; who waits asks again."""
        point.fire()
        self._points.pop(point.number, None)

    def descriptor(self, ticket: int) -> int:
        """The caller's end for a ticket; of a point that has gone, one that ends at once."""
        point = self._points.get(ticket >> 32)
        if point is None:
            read_end, write_end = os.pipe2(os.O_CLOEXEC)
            os.close(write_end)
            return read_end
        return point.descriptor(ticket)

    def release(self) -> None:
        """Let all who wait ask again."""
        for point in self._points.values():
            point.fire()
        self._points.clear()
