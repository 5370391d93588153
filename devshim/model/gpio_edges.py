"""EdgeDetector: turns a line's changes into edge events, at once or when it has been quiet for a while."""

from __future__ import annotations

from devshim.model.gpio_abi import EDGE_FALLING, EDGE_RISING, FALLING_EDGE, RISING_EDGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.model.gpio_line import ChipLine
    from devshim.model.timing import Timer


class EdgeDetector:
    """Watches one line for one request.

    emit is called with RISING_EDGE or FALLING_EDGE, as the program means them: rising is from inactive to active.
    """

    def __init__(self, line: ChipLine, emit: Callable[[int], None]) -> None:
        self.line = line
        self.emit = emit
        self.edges = 0
        self.debounce_us = 0
        self.level = line.level
        self._timer: Timer | None = None

    def configure(self, edges: int, debounce_us: int) -> None:
        """Look for these EDGE_* flags; a period of more than 0 is how long a new level has to last."""
        if not debounce_us:
            self._cancel()
        elif not self.debounce_us:
            self.level = self.line.level
        self.edges, self.debounce_us = edges, debounce_us

    def changed(self) -> None:
        """The line's level has changed."""
        if not self.debounce_us:
            self._found(self.line.level)
            return
        self._cancel()
        self._timer = self.line.chip.after(self.debounce_us / 1e6, self._settled)

    def stop(self) -> None:
        """Find no more edges."""
        self.edges = self.debounce_us = 0
        self._cancel()

    def _settled(self) -> None:
        self._timer = None
        if self.level != self.line.level:
            self.level = self.line.level
            self._found(self.level)

    def _found(self, level: int) -> None:
        rising = self.line.logical(level)
        if self.edges & (EDGE_RISING if rising else EDGE_FALLING):
            self.emit(RISING_EDGE if rising else FALLING_EDGE)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
