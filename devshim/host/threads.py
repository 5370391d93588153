"""Threads of the host's own, which nobody waits for until they run: that costs two changes of threads each."""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class HostThread:
    """A thread that does not keep the process from ending.

    ident  as threading.get_ident() names it; None before start()
    """

    def __init__(self, target: Callable[[], object]) -> None:
        self.ident: int | None = None
        self._target = target
        self._runs = _thread.allocate_lock()

    def start(self) -> None:
        """Let it run.  Raises RuntimeError where there can be no more threads."""
        self._runs.acquire()
        self.ident = _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._runs.release()

    def join(self) -> None:
        """Wait until it has ended."""
        with self._runs:
            return
