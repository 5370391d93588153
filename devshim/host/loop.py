"""The host's event loop: descriptors and timers, each callback under the host's lock.

Calls on devices do not come this way but through the channel (_channel.c); the two meet in the lock.
"""

from __future__ import annotations

import _thread
import os
import select
import time

from devshim.host._channel import Events, Lock, be_prompt
from devshim.host.timers import NEVER, Clock, Timer, Timers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FOREVER = -1.0


class Loop:
    """Waits for descriptors and timers, and calls back with the lock held.

    failed(callback, exception) is told of what a callback raised; the loop goes on.
    read(fd, most) gives what a terminal has to read, and what soon follows where that is much; call it with the lock
    held.  Raises OSError.
    """

    def __init__(self, lock: Lock, failed: Callable[[Callable[..., object], BaseException], None]) -> None:
        self.lock = lock
        self._failed = failed
        self._epoll = select.epoll()
        self.descriptor = self._epoll.fileno()
        self._events = Events(self.descriptor)
        self.read = self._events.read
        self.clock = Clock()
        self._timers = Timers(self.clock)  # the models'
        self._own_timers = Timers(Clock())  # the host's, which nobody holds
        self._soon: list[Callable[[], object]] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._callbacks: dict[int, Callable[[int], object]] = {}
        self.watch(self._wake_read, select.EPOLLIN, self._woken)
        self._sleeping_until: float | None = None
        self._stopped = False  # perhaps before it runs
        self.thread: int | None = None  # that runs it
        self.closed = False
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
        if self._callbacks.pop(fd, None) is not None and not self.closed:
            self._epoll.unregister(fd)
            self._forgotten.add(fd)

    def after(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back once in so many seconds, on the clock that models go by."""
        return self._later(self._timers, seconds, callback)

    def after_real(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back once in so many seconds, also where the models' clock is held."""
        return self._later(self._own_timers, seconds, callback)

    def _later(self, timers: Timers, seconds: float, callback: Callable[[], object]) -> Timer:
        timer = timers.add(seconds, callback)
        until = self._sleeping_until  # read once: the loop clears it as it wakes, without the lock
        if until is not None and time.monotonic() + seconds < until:
            self._wake()
        return timer

    def now(self) -> float:
        """The time on the clock that models go by, in seconds."""
        return self.clock.now()

    def hold(self) -> None:
        """Let the models' time stand still until step() or release(); with the lock held."""
        self.clock.hold()

    def step(self, seconds: float) -> None:
        """Let so much time pass at once on a held clock, each timer at its time; with the lock held."""
        until = self.clock.now() + seconds
        while (when := self._timers.next()) <= until:
            self.clock.set(max(when, self.clock.now()))
            self._timers.run_due(self._call)
        self.clock.set(until)

    def release(self) -> None:
        """Let the models' time pass by itself again; with the lock held."""
        self.clock.release()
        self._wake()

    def soon(self, callback: Callable[[], object]) -> None:
        """Call back from the loop's thread, as soon as it comes to it; from any thread."""
        self._soon.append(callback)
        self._wake()

    def stop(self) -> None:
        """Let run() return, or not even begin; from any thread."""
        self._stopped = True
        self._wake()

    def _wake(self) -> None:
        if self.closed:  # a signal's handler may come so late, and the number be another's
            return
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            return  # the pipe is full of reasons to wake up already

    def run(self) -> None:
        """Serve until stop()."""
        self.thread = _thread.get_ident()
        be_prompt()
        lock, callbacks, wait = self.lock, self._callbacks, self._events.wait
        # In one function, for its caches are cold each time: what a line from a serial port waits for is that.
        while not self._stopped:
            with lock:
                pause = self._before_sleep()
            ready = wait(pause)
            self._sleeping_until = None
            for fd, events in ready:
                with lock:
                    callback = None if fd in self._forgotten else callbacks.get(fd)  # it may be a new descriptor's
                    if callback is not None:
                        try:
                            callback(events)
                        except (Exception, SystemExit) as exception:
                            self._failed(callback, exception)
        self._stopped = False

    def _before_sleep(self) -> float:
        """Do what is due, and return for how long there is nothing to do."""
        self._forgotten.clear()
        if not self._soon and not self._timers and not self._own_timers:  # what a serial port's bytes mostly find
            self._sleeping_until = NEVER
            return FOREVER
        self._run_due()
        pause = self._pause()
        self._sleeping_until = time.monotonic() + pause if pause >= 0 else NEVER
        return pause

    def _woken(self, events: int) -> None:
        os.read(self._wake_read, 4096)

    def _pause(self) -> float:
        pause = 0.0 if self._soon else min(self._timers.pause(), self._own_timers.pause())
        return FOREVER if pause == NEVER else pause

    def _run_due(self) -> None:
        for _ in range(len(self._soon)):  # what these add comes in the next round
            self._call(self._soon.pop(0))
        self._timers.run_due(self._call)
        self._own_timers.run_due(self._call)

    def _call(self, callback: Callable[..., object], *args: Any) -> None:
        try:
            callback(*args)
        except (Exception, SystemExit) as exception:
            self._failed(callback, exception)

    def close(self) -> None:
        """Give back the loop's own descriptors; after run() has returned."""
        self.closed = True
        self._epoll.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
