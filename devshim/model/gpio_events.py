"""EventFile: a file whose reads give the events that wait in its buffer, in whole records."""

from __future__ import annotations

import os
import time
from collections import deque

from devshim.model.device import POLLIN, WAIT, File
from devshim.model.gpio_abi import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from devshim.model.gpio import GpioChip


class EventFile(File):
    """A chip, or a request with edges.  No Stream, because the kernel says which event an overflow loses."""

    flags = os.O_RDONLY  # of a request; an open sets its own

    #: Bytes of one event.
    record: ClassVar[int]
    #: An overflow loses the oldest event; else the newest.
    drops_oldest: ClassVar[bool] = False

    def __init__(self, chip: GpioChip, depth: int) -> None:
        self.chip = chip
        self.depth = depth
        self.events: deque[bytes] = deque()

    def put(self, event: bytes) -> None:
        """Add an event; where there is no room, one is lost."""
        if len(self.events) >= self.depth:
            if not self.drops_oldest:
                return
            self.events.popleft()
        self.events.append(event)
        self.chip.wake_file(self)

    def read(self, size: int) -> Any:
        """Return as many events as there are and fit; EINVAL where not one fits."""
        if size < self.record:
            raise invalid(f"an event has {self.record} bytes")
        if not self.events:
            return WAIT
        count = min(size // self.record, len(self.events))
        return b"".join(self.events.popleft() for _ in range(count))

    def poll(self) -> int:
        """Readable where an event waits; never writable."""
        return POLLIN if self.events else 0

    def ioctl(self, request: int, argument: Any) -> Any:
        """The drivers know no request but their own: EINVAL, not ENOTTY."""
        raise invalid(f"request {request:#010x} is none of a GPIO character device")


def timestamp(realtime: bool = False) -> int:
    """Nanoseconds on the clock of an event: CLOCK_MONOTONIC, or CLOCK_REALTIME."""
    return time.time_ns() if realtime else time.monotonic_ns()
