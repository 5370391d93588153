"""Wakes a waiter that has stopped together with its program, where the program alone goes on, or has ended.

The waiter stops so that the user's shell sees its job stopped; a shell continues both. Others (kill -CONT, cpulimit)
continue the program only, and a process that is stopped cannot see it.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.loop import Loop

BETWEEN_LOOKS = 0.1  # seconds


class StoppedWaiter:
    """Watches a program in the place of the waiter, its parent, which has stopped or is about to, until over()."""

    def __init__(self, loop: Loop, waiter: int, program: int) -> None:
        self._loop = loop
        self._waiter = waiter
        self._program = program
        self._timer = loop.after_real(BETWEEN_LOOKS, self._look)

    def _look(self) -> None:
        self._timer = self._loop.after_real(BETWEEN_LOOKS, self._look)
        if is_stopped(self._waiter) and not is_stopped(self._program):
            os.kill(self._waiter, signal.SIGCONT)

    def over(self) -> None:
        """The waiter goes on, or has gone."""
        self._timer.cancel()


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, by a signal or by who traces it (proc(5), stat); one that has gone is not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as state:
            return state.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (FileNotFoundError, ProcessLookupError):
        return False
