"""Bytes that take their time: a queue that lets through as many as a line of so many baud would."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.host.loop import Loop
    from devshim.host.timers import Timer

#: Characters go together where they are nearer than this, in seconds: a timer for each costs more than it shows.
TICK = 0.005


class PacedQueue:
    """Hands on what is put, each character after the time that it takes on the line.

    character_time() is asked for each step, so that a new baud rate counts at once; `emit` gets the bytes and
    `empty` is called when the last one has gone.
    """

    def __init__(
        self,
        loop: Loop,
        character_time: Callable[[], float],
        emit: Callable[[bytes], object],
        empty: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._character_time = character_time
        self._emit = emit
        self._empty = empty
        self._waiting = bytearray()
        self._line_free_at = 0.0
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, data: bytes) -> None:
        """Queue data behind what is there."""
        if not self._waiting:
            self._line_free_at = max(self._line_free_at, self._loop.now())
        self._waiting += data
        self._schedule()

    def clear(self) -> None:
        """Drop what has not gone yet."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        if self._timer is None and self._waiting:
            step = max(self._character_time(), min(TICK, len(self._waiting) * self._character_time()))
            self._timer = self._loop.after(self._line_free_at + step - self._loop.now(), self._step)

    def _step(self) -> None:
        self._timer = None
        each = self._character_time()
        count = min(len(self._waiting), max(1, int((self._loop.now() - self._line_free_at) / each)))
        self._line_free_at += count * each
        data = bytes(self._waiting[:count])
        del self._waiting[:count]
        # What emit does may put more, or clear.
        self._emit(data)
        self._schedule()
        if not self._waiting:
            self._empty()
