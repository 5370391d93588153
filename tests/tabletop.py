"""Tabletop: a place to plug a device without a host, whose clock only the test moves."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Alarm:
    """One callback to come."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Tabletop:
    """The host's side of a plugged device: `Tabletop.plug(device)`, then `advance(seconds)`."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.now = 0.0
        self.alarms: list[tuple[float, int, Alarm]] = []
        self.order = itertools.count()
        self.sent = b""
        self.wakes = 0

    @classmethod
    def plug(cls, device, node: str = "/dev/i2c-1") -> Tabletop:
        table = cls(node)
        device.attached(table)
        return table

    def after(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        alarm = Alarm(callback)
        heapq.heappush(self.alarms, (self.now + seconds, next(self.order), alarm))
        return alarm

    def advance(self, seconds: float) -> None:
        """Let so much time pass, with everything that becomes due in it."""
        until = self.now + seconds
        while self.alarms and self.alarms[0][0] <= until:
            self.now, _, alarm = heapq.heappop(self.alarms)
            if alarm.callback:
                alarm.callback()
        self.now = until

    def wake(self, file) -> None:
        self.wakes += 1

    def send(self, data: bytes) -> None:
        self.sent += data

    def settle(self) -> None: ...

    def unplug(self) -> None: ...

    def replug(self) -> None: ...
