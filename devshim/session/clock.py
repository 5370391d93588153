"""The clock that models go by, in the hands of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devshim.errors import DevshimError

if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.host.host import Host


class SteppedClock:
    """`@every`, `after` and the pace of a serial line follow it.  It is the real one until manual() is called."""

    def __init__(self, host: Callable[[], Host]) -> None:
        self._host = host

    def manual(self) -> None:
        """Let time stand still, but for step()."""
        host = self._host()
        with host.lock:
            host.loop.hold()

    def step(self, seconds: float) -> None:
        """Let so much time pass at once: timers that are due in it have run, in their order, when this returns.

        Raises DevshimError where time passes by itself.
        """
        host = self._host()
        with host.lock:
            if not host.loop.clock.held:
                raise DevshimError("clock.step() moves a clock that stands still; call clock.manual() first")
            host.loop.step(seconds)

    def real(self) -> None:
        """Let time pass by itself again, from where it stands."""
        host = self._host()
        with host.lock:
            host.loop.release()

    @property
    def now(self) -> float:
        """Seconds on this clock; only differences mean something."""
        host = self._host()
        with host.lock:
            return host.loop.now()
