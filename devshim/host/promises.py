"""Descriptors promised by an answer: kept until the program fetches them, or until its process is there no more."""

from __future__ import annotations

import os

from devshim.host.callers import OWN_PROCESS


class Promises:
    """Descriptors by their tickets; when the process to which one was promised ends, what it left is closed."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, int]] = {}  # by ticket: the descriptor, and the channel of who was promised it
        self._channels = {OWN_PROCESS}  # of processes that live
        self._last = 1 << 63  # lower ones are wait points'

    def __len__(self) -> int:
        return len(self._kept)

    def joined(self, channel: int) -> None:
        """A process has this channel from now on."""
        self._channels.add(channel)

    def left(self, channel: int) -> None:
        """Its process has died; calls that it left behind may still be answered."""
        self._channels.discard(channel)
        for ticket in [ticket for ticket, (_, whose) in self._kept.items() if whose == channel]:
            os.close(self._kept.pop(ticket)[0])

    def make(self, fd: int, channel: int) -> int:
        """Promise a descriptor to the process with this channel; returns the ticket with which it is fetched."""
        self._last += 1
        if channel in self._channels:
            self._kept[self._last] = fd, channel
        else:
            os.close(fd)
        return self._last

    def redeem(self, ticket: int) -> int | None:
        """The descriptor, which is the caller's now; None where none is promised by this ticket (any more)."""
        kept = self._kept.pop(ticket, None)
        return kept[0] if kept is not None else None

    def release(self) -> None:
        """Close them all."""
        for fd, _ in self._kept.values():
            os.close(fd)
        self._kept.clear()
