"""Wires: what joins lines and pins, and the level that those who drive a wire give it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


#: Who drives, the strongest first: an output that the program controls, the model or the test, a resistor on the
#: board, and the bias that the program asked the chip for.
PROGRAM, MODEL, RESISTOR, BIAS = range(4)


class Level(int):
    """0 or 1, as a model or test reads it from a line; it knows the line's terminal, so that wire() takes it."""

    terminal: Terminal

    def __new__(cls, value: int, terminal: Terminal) -> Level:
        level = super().__new__(cls, value)
        level.terminal = terminal
        return level


class Wire:
    """Joined terminals: all have one level."""

    def __init__(self, terminal: Terminal, level: int) -> None:
        self.terminals = [terminal]
        self.level = level

    def settle(self) -> None:
        """Find the level anew, and tell all terminals if it is another one.

        The strongest drive counts; of equals the low one, as where open drains meet.  A wire that nobody drives keeps
        its level, as its capacitance does for a while.
        """
        for strength in (PROGRAM, MODEL, RESISTOR, BIAS):
            driven = [drive for terminal in self.terminals if (drive := terminal.drives[strength]) is not None]
            if driven:
                level = min(driven)
                break
        else:
            return
        if level == self.level:
            return
        self.level = level
        for terminal in list(self.terminals):
            if self.level != level:
                return  # a listener drove it back, which all have been told
            terminal.changed()

    def join(self, other: Wire) -> None:
        """Take over the other wire's terminals; they hear it where their level changes."""
        before = {id(terminal): terminal.wire.level for terminal in (*self.terminals, *other.terminals)}
        self.terminals += other.terminals
        for terminal in other.terminals:
            terminal.wire = self
        level = self.level
        self.settle()
        if self.level == level:  # settle() told nobody, but the other wire's level may have been another one
            for terminal in list(self.terminals):
                if before[id(terminal)] != self.level:
                    terminal.changed()


class Terminal:
    """An end of a wire: a GPIO line, or a pin of a part.

    active_low: to the model, `value` 1 means a low level.
    """

    def __init__(self, active_low: bool = False) -> None:
        self.active_low = active_low
        self.drives: list[int | None] = [None, None, None, None]
        self.listeners: list[Callable[[], object]] = []
        self.wire = Wire(self, int(active_low))

    @property
    def level(self) -> int:
        """The wire's level: 1 is high."""
        return self.wire.level

    @property
    def value(self) -> Level:
        """The level as the model means it: 1 is active.  Set to 0, 1 or None, where the model does not drive it."""
        return Level(self.wire.level ^ self.active_low, self)

    @value.setter
    def value(self, value: int | None) -> None:
        if value not in (0, 1, None):
            raise ValueError(f"a line is 0, 1 or None (not driven), not {value!r}")
        self.drive(MODEL, None if value is None else int(value) ^ self.active_low)

    def drive(self, strength: int, level: int | None) -> None:
        """Drive the wire to a level with a strength; None lets go of it."""
        if self.drives[strength] != level:
            self.drives[strength] = level
            self.wire.settle()

    def changed(self) -> None:
        """The wire's level has changed."""
        for listener in list(self.listeners):
            listener()


def wire(*ends: Any) -> None:
    """Join lines, so that they have one level: wire(sensor.alert, panel.button), wire(chip.lines[3], other.lines[4]).

    Lines of different devices may be joined; there is no order.  Raises TypeError for what is no line.
    """
    terminals = [end if isinstance(end, Terminal) else getattr(end, "terminal", None) for end in ends]
    for end, terminal in zip(ends, terminals, strict=True):
        if not isinstance(terminal, Terminal):
            raise TypeError(f"wire() joins lines, such as panel.button or chip.lines[3], not {end!r}")
    for terminal in terminals[1:]:
        first = terminals[0]
        assert first is not None and terminal is not None
        if terminal.wire is not first.wire:
            first.wire.join(terminal.wire)
