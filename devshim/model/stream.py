"""Stream: a file whose reads are fed, in whole records, as those of input devices, GPIO line events or HID reports are.

What is sent lies in the kernel until the program reads it, so that reading costs what it costs on a real device, and
poll, O_NONBLOCK and signals are the kernel's.
"""

from __future__ import annotations

import errno

from devshim.model.device import File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Protocol

    class Feed(Protocol):
        """What the host gives a stream while it is open."""

        def feed(self, data: bytes) -> None:
            """Hand records to the program."""

        def feed_packet(self, data: bytes) -> bool:
            """Hand over one packet; False where the program already has as many as it may leave unread."""

        def feed_packets(self, packets: list[bytes]) -> list[bytes]:
            """Hand over many; returns those for which there was no room."""

        def pending(self) -> int:
            """Records that wait here because the program does not read; not those that lie in the kernel already."""

        def take_back(self) -> bytes:
            """Return the records that pending() counts, and forget them."""

        def hang_up(self) -> None:
            """Let reads fail and poll see a hang-up, as if the device were unplugged for this file alone."""

else:
    Feed = object


class Stream(File):
    """A file that a device sends records to."""

    #: Bytes of one record; a read gives whole ones, and fails with EINVAL where not one fits (the evdev manner).
    record: ClassVar[int] = 1
    #: Each send() is one packet, and a read that is too short for it drops the rest (the hidraw manner).
    packets: ClassVar[bool] = False
    #: Records kept for a program that does not read; None: no limit but memory.  Of packets, as many of the size of
    #: the first one, if the system lets that much lie in a socket.
    #: A file may set its own before open() returns it.
    depth: int | None = None
    #: What a read fails with when the device has been unplugged.
    gone_errno: ClassVar[int] = errno.ENODEV

    _feed: Feed | None = None

    def send(self, data: bytes) -> bool:
        """Hand one or more whole records to the program that has this file open; False where they had no room.

        Raises ValueError where data is no whole number of records.
        """
        if len(data) % self.record:
            raise ValueError(f"{type(self).__name__}.send(): {len(data)} bytes are no records of {self.record}")
        feed = self._feed
        if feed is None or not data:
            return True
        if self.packets:
            if feed.feed_packet(data):
                return True
        elif self.depth is None or feed.pending() + len(data) // self.record <= self.depth:
            feed.feed(data)
            return True
        self.overflowed(data)
        return False

    def send_each(self, packets: list[bytes]) -> bool:
        """Hand over many packets, which costs half of what as many send() cost; False where some had no room."""
        refused = self._feed.feed_packets(packets) if self._feed is not None else []
        for packet in refused:
            self.overflowed(packet)
        return not refused

    def overflowed(self, data: bytes) -> None:
        """The program reads too slowly, and these records have no room: they are dropped, unless overridden."""

    def take_back(self) -> bytes:
        """Return the records that wait here, and forget them; what lies in the kernel already stays there."""
        return self._feed.take_back() if self._feed is not None else b""

    def hang_up(self) -> None:
        """Take this one file away: reads fail with gone_errno, all other calls with ENODEV."""
        if self._feed is not None:
            self._feed.hang_up()
