"""Names a model that runs for more than a second: while it does, every other computed device stands still."""

from __future__ import annotations

import _thread
import sys

from devshim.host.threads import HostThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

PATIENCE = 1.0


class Watchdog:
    """Looks once a second whether the lock is held by one and the same call as before.

    turn() gives a number that changes with every call, or None while none is under way.
    """

    def __init__(self, turn: Callable[[], tuple[int, int] | None], say: Callable[[str], None]) -> None:
        self._turn = turn
        self._say = say
        self._watching = _thread.allocate_lock()
        self._thread = HostThread(self._watch)

    def start(self) -> None:
        """Begin to look."""
        self._watching.acquire()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._watching.release()
        self._thread.join()

    def _watch(self) -> None:
        before = told = None
        while not self._watching.acquire(timeout=PATIENCE):
            now = self._turn()
            if now is not None and now == before and now != told:
                told = now
                self._say(f"a model runs for more than a second; all computed devices wait for it\n{where(now[0])}")
            before = now


def where(thread: int) -> str:
    """The line of the model that a thread is at, and what led there."""
    frame: FrameType | None = sys._current_frames().get(thread)
    if frame is None:
        return "(where it was cannot be told: it has gone on)"
    import traceback

    lines = traceback.format_list(traceback.extract_stack(frame)[-2:])
    return "".join(lines).rstrip() + "\nslow work: return WAIT, and self.after(seconds, ...) calls back"
