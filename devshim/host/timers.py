"""Time as models feel it: a clock that a test may hold and step, and the callbacks that are to come on it."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NEVER = float("inf")
PUNCTUAL = 0.05  # seconds of lateness that repeating timers make up for


class Clock:
    """Seconds on the kernel's monotonic clock; or, held, on one that only set() moves.

    A clock that goes on after it was held does not jump: it lags behind the kernel's from then on.
    """

    def __init__(self) -> None:
        self._behind = 0.0
        self._held: float | None = None

    @property
    def held(self) -> bool:
        """Whether time stands still."""
        return self._held is not None

    def now(self) -> float:
        """The time, in seconds."""
        return time.monotonic() - self._behind if self._held is None else self._held

    def hold(self) -> None:
        """Let time stand still from now on."""
        self._held = self.now()

    def set(self, now: float) -> None:
        """Move a held clock."""
        self._held = now

    def release(self) -> None:
        """Let time pass again, from where it stood."""
        if self._held is not None:
            self._behind = time.monotonic() - self._held
            self._held = None


class Timer:
    """One callback to come; what after() returns."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], object] | None) -> None:
        self.when = when
        self.callback = callback

    def cancel(self) -> None:
        """Do not call back any more."""
        self.callback = None


class Timers:
    """The callbacks to come on one clock, in the order of their times."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._timers: list[Timer] = []  # the next one last
        self._due: float | None = None  # when the timer was due whose callback runs now

    def __bool__(self) -> bool:
        return bool(self._timers)

    def add(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back once in so many seconds.

        In a timer's callback the time is when it was due, unless it is much later: what repeats itself does not drift.
        """
        timer = Timer(self._time() + max(seconds, 0.0), callback)
        self._timers.insert(self._place(timer.when), timer)
        return timer

    def _place(self, when: float) -> int:
        """Before those that come sooner, or at the same time; bisect and heapq would be dear to import."""
        low, high = 0, len(self._timers)
        while low < high:
            middle = (low + high) // 2
            if self._timers[middle].when <= when:
                high = middle
            else:
                low = middle + 1
        return low

    def _time(self) -> float:
        now = self.clock.now()
        return self._due if self._due is not None and now - self._due < PUNCTUAL else now

    def next(self) -> float:
        """When the next callback is due; NEVER where there is none."""
        while self._timers and self._timers[-1].callback is None:
            self._timers.pop()
        return self._timers[-1].when if self._timers else NEVER

    def run_due(self, call: Callable[[Callable[[], object]], None]) -> None:
        """Run through `call` what is due now."""
        now = self.clock.now()
        while self._timers and self._timers[-1].when <= now:
            timer = self._timers.pop()
            due, timer.callback = timer.callback, None
            if due is not None:
                self._due = timer.when
                call(due)
                self._due = None

    def pause(self) -> float:
        """Seconds until something is due: NEVER where nothing is, or where the clock stands before it."""
        when = self.next()
        if when == NEVER:
            return NEVER
        left = max(0.0, when - self.clock.now())
        return left if left == 0.0 or not self.clock.held else NEVER
