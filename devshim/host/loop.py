"""The host's event loop: descriptors and timers, each callback under the host's lock.

Calls on devices do not come this way but through the channel (_channel.c); the two meet in the lock.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from devshim.host._channel import Lock

FOREVER, NEVER = -1.0, float("inf")
PUNCTUAL = 0.05  # seconds of lateness that repeating timers make up for


class LoopTimer:
    """One callback to come; what after() returns."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], object] | None) -> None:
        self.when = when
        self.callback = callback

    def cancel(self) -> None:
        """Do not call back any more."""
        self.callback = None


class Loop:
    """Waits for descriptors and timers, and calls back with the lock held.

    failed(callback, exception) is told of what a callback raised; the loop goes on.
    """

    def __init__(self, lock: Lock, failed: Callable[[Callable[..., object], BaseException], None]) -> None:
        self.lock = lock
        self._failed = failed
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], object]] = {}
        self._timers: list[tuple[float, int, LoopTimer]] = []
        self._order = itertools.count()
        self._due: float | None = None  # when the timer was due whose callback runs now
        self._soon: deque[Callable[[], object]] = deque()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._epoll.register(self._wake_read, select.EPOLLIN)
        self._sleeping_until: float | None = None
        self._running = False
        self._forgotten: set[int] = set()  # unwatched while a batch of events is served: theirs are void

    def watch(self, fd: int, events: int, callback: Callable[[int], object]) -> None:
        """Call back with the ready events of fd; watching it again changes events and callback."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def unwatch(self, fd: int) -> None:
        """Forget fd; harmless where it is not watched. Call it before closing fd."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)
            self._forgotten.add(fd)

    def after(self, seconds: float, callback: Callable[[], object]) -> LoopTimer:
        """Call back once in so many seconds.

        In a timer's callback the time is when it was due, unless it is much later: what repeats itself does not drift.
        """
        timer = LoopTimer(self._time() + max(seconds, 0.0), callback)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        if self._sleeping_until is not None and timer.when < self._sleeping_until:
            self._wake()
        return timer

    def _time(self) -> float:
        now = time.monotonic()
        return self._due if self._due is not None and now - self._due < PUNCTUAL else now

    def soon(self, callback: Callable[[], object]) -> None:
        """Call back from the loop's thread, as soon as it comes to it; from any thread."""
        self._soon.append(callback)
        self._wake()

    def stop(self) -> None:
        """Let run() return; from any thread."""
        self._running = False
        self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            return  # the pipe is full of reasons to wake up already

    def run(self) -> None:
        """Serve until stop()."""
        self._running = True
        while self._running:
            with self.lock:
                pause = self._before_sleep()
            ready = self._epoll.poll(pause, 64)
            self._sleeping_until = None
            for fd, events in ready:
                with self.lock:
                    if fd not in self._forgotten:  # the number may be a new descriptor's already
                        self._serve(fd, events)

    def _before_sleep(self) -> float:
        """Do what is due, and return for how long there is nothing to do."""
        self._forgotten.clear()
        if not self._soon and not self._timers:  # what a serial port's bytes mostly find
            self._sleeping_until = NEVER
            return FOREVER
        self._run_due()
        pause = self._pause()
        self._sleeping_until = time.monotonic() + pause if pause >= 0 else NEVER
        return pause

    def _serve(self, fd: int, events: int) -> None:
        if fd == self._wake_read:
            os.read(fd, 4096)
            return
        callback = self._callbacks.get(fd)
        if callback is not None:
            self._call(callback, events)

    def _pause(self) -> float:
        if self._soon:
            return 0.0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return FOREVER
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _run_due(self) -> None:
        for _ in range(len(self._soon)):  # what these add comes in the next round
            self._call(self._soon.popleft())
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            due, timer.callback = timer.callback, None
            if due is not None:
                self._due = timer.when
                self._call(due)
                self._due = None

    def _call(self, callback: Callable[..., object], *args: Any) -> None:
        try:
            callback(*args)
        except (Exception, SystemExit) as exception:
            self._failed(callback, exception)
