"""Line: a wire of a device, declared as an attribute of its class."""

from __future__ import annotations

from devshim.model.wires import BIAS, MODEL, RESISTOR, Level, Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar, overload

    Method = TypeVar("Method", bound=Callable[..., Any])

CHANGED = "_devshim_line_changed"
PULLS = {None: None, "up": 1, "down": 0}


class Line:
    """One line: `button, lamp = Line(3, "BUTTON"), Line(17, "LAMP")` in a GpioChip, `alert = Line()` elsewhere.

    On an instance it is its value, 0 or 1: the model and the test read it, and set it to what they drive from
    outside (None: nothing).  An output of the program is stronger than they are.

    offset      which line of the chip; none where the model is no GpioChip
    name        what gpioinfo shows: the name on the schematic
    value       what the model drives at first; for an output what the chip drives (default 0)
    output      the line is an output before any program asks for it, as a boot loader may leave it
    pull        "up" or "down": a resistor on the board, where nobody drives the line
    bias        "up" or "down": the chip's own resistor after reset, weaker; a program may choose another
    active_low  1 means a low level to the model.  The program says for itself what it means by 1.
    used        a driver in the kernel, or a hog, by this name has the line: a program that asks for it gets EBUSY
    only        "input" or "output": the hardware cannot do the other; a program that asks for it gets EIO
    """

    attribute = ""

    def __init__(
        self,
        offset: int | None = None,
        name: str = "",
        *,
        value: int | None = None,
        output: bool = False,
        pull: Literal["up", "down"] | None = None,
        bias: Literal["up", "down"] | None = None,
        active_low: bool = False,
        used: str | None = None,
        only: Literal["input", "output"] | None = None,
    ) -> None:
        if offset is not None and (not isinstance(offset, int) or offset < 0):
            raise ValueError(f"Line({offset!r}): the offset is a number from 0 on")
        if value not in (None, 0, 1):
            raise ValueError(f"Line({offset}): value={value!r}; choose from 0, 1 and None")
        for way in (pull, bias):
            if way not in PULLS:
                raise ValueError(f'Line({offset}): {way!r} pulls nowhere; choose from "up", "down" and None')
        if only not in (None, "input", "output"):
            raise ValueError(f'Line({offset}): only={only!r}; choose from "input", "output" and None')
        self.offset = offset
        self.name = name
        self.value = value
        self.output = output or only == "output"
        self.pull = pull
        self.bias = bias
        self.active_low = active_low
        self.used = used
        self.only = only

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Line: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Level: ...

    def __get__(self, instance: object | None, owner: type) -> Line | Level:
        return self if instance is None else self.terminal(instance).value

    def __set__(self, instance: object, value: int | None) -> None:
        self.terminal(instance).value = value

    def __repr__(self) -> str:
        return f"Line({self.offset}, {self.name!r})"

    def changed(self, method: Method) -> Method:
        """Call the decorated method whenever the line's level has changed, whoever changed it."""
        vars(method).setdefault(CHANGED, []).append(self)
        return method

    def terminal(self, instance: Any) -> Terminal:
        """The line of one device: where its wire ends."""
        of_chip = getattr(instance, "terminal_of", None)
        if of_chip is not None:
            found: Terminal = of_chip(self)
            return found
        terminals: dict[str, Terminal] = vars(instance).setdefault("_terminals", {})
        terminal = terminals.get(self.attribute)
        if terminal is None:
            terminal = terminals[self.attribute] = Terminal(self.active_low)
            self.prepare(terminal)
            self.listen(instance, terminal)
        return terminal

    def prepare(self, terminal: Terminal) -> None:
        """Let the board and the model drive it as declared."""
        terminal.drive(RESISTOR, PULLS[self.pull])
        terminal.drive(BIAS, PULLS[self.bias])
        if self.value is not None and not self.output:
            terminal.drive(MODEL, self.value ^ self.active_low)

    def listen(self, instance: Any, terminal: Terminal) -> None:
        """Let the methods hear of changes that @changed of this line decorates."""
        for name in changed_by(type(instance), self):
            terminal.listeners.append(lambda name=name: getattr(instance, name)())  # type: ignore[misc]


def changed_by(cls: type, line: Line) -> list[str]:
    """The names of the methods of a class that @changed of a line decorates, its bases' included."""
    found = {
        name: None
        for klass in reversed(cls.__mro__)
        for name, value in vars(klass).items()
        if any(one.attribute == line.attribute for one in getattr(value, CHANGED, ()))
    }
    return list(found)


def lines_of(cls: type) -> dict[str, Line]:
    """All Lines of a class by attribute; a derived class's win over its bases'."""
    found: dict[str, Line] = {}
    for klass in reversed(cls.__mro__):
        for name, value in vars(klass).items():
            if isinstance(value, Line):
                found[name] = value
            else:
                found.pop(name, None)
    return found
