"""How long a program may wait for what a trace does not have: not at all, some seconds, or as it was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.device import Device
    from devshim.trace.replay.course import Course
    from devshim.trace.replay.replay import Replay

#: Seconds without any call after which a program that waits for what cannot come is let go.
PATIENCE = 5.0

#: How a call waits (enum waits_flag of shim/wire.h): nothing but the device can end it; other things may; it is over.
ALONE, BESIDE, OVER = 0, 1, 2


class Patience:
    """Watches over the waits on one replayed file.

    may_come  says whether something is there to be read, or will be without the program's doing
    let_go    ends the waits, and tells why
    """

    def __init__(
        self,
        device: Device,
        replay: Replay,
        course: Course,
        may_come: Callable[[], bool],
        let_go: Callable[[str], object],
    ) -> None:
        self._device = device
        self._replay = replay
        self._course = course
        self._may_come = may_come
        self._let_go = let_go
        self._beside = 0
        self._began = 0.0  # the first of the waits that go on beside
        self._armed = False

    def waiting(self, how: int) -> None:
        """A call is about to wait in the kernel, or (OVER) has come back."""
        if how == OVER:
            self._beside = max(0, self._beside - 1)
            return
        if how == BESIDE:
            self._beside += 1
            self._began = time.monotonic() if self._beside == 1 else self._began
        if how == ALONE and self._replay.source.alone:
            self._replay.order.release(self._course.node)
        if self._replay.handed_over or self._may_come() or self._as_recorded():
            return
        if how == ALONE and self._replay.source.alone:
            self._let_go("")
        else:
            self._arm(how, self._replay.patience)

    def _as_recorded(self) -> bool:
        """Whether the recorded program waited here, too, until it was killed, or something else happened to it."""
        course = self._course
        if course.exhausted and course.ended_in is not None:
            self._replay.tell_end(course.ended_in)
            return True
        return course.waited_in_vain

    def _arm(self, how: int, seconds: float) -> None:
        if not self._armed:
            self._armed = True
            self._device.after(seconds, self._look, self._replay.calls, how)

    def _look(self, calls: int, how: int) -> None:
        """Some seconds are over: does it still wait, and has nothing happened since?"""
        self._armed = False
        if (how == BESIDE and not self._beside) or self._may_come():
            return
        patience, now = self._replay.patience, time.monotonic()
        left = self._began + patience - now if how == BESIDE else 0.0
        if calls != self._replay.calls or self._replay.due > now:
            self._arm(how, patience)
        elif left > 0.001:
            self._arm(how, left)
        else:
            self._let_go(f"; nothing happened for {patience:g} s (--patience)")
