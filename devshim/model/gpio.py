"""GpioChip: a chip with lines, as the kernel's gpiolib-cdev.c gives it to programs (/dev/gpiochipN)."""

from __future__ import annotations

import os
import re
from functools import cached_property

from devshim.model import gpio_sysfs
from devshim.model.device import Device, File, Link
from devshim.model.gpio_abi import CHANGED_RELEASED, invalid
from devshim.model.gpio_file import GpioFile
from devshim.model.gpio_line import ChipLine
from devshim.model.line import Line, lines_of
from devshim.model.naming import NameTaken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, Literal

    from devshim.model.attribute import Picture

__all__ = ["ChipLine", "GpioChip", "GpioFile", "Line"]

#: All chips have one major number, as in the kernel, where it is a dynamic one; above 511 no real kernel uses it.
GPIO_MAJOR = 766


class GpioChip(Device):
    """A chip with lines: `class Panel(GpioChip): button, lamp = Line(3, "BUTTON"), Line(17, "LAMP")`.

    The program drives the lamp, the model or the test sets `panel.button = 1` and reads `panel.lamp`.  All lines, the
    declared ones and those between them, are in `panel.lines`; `panel.line("LAMP")` finds one by its name.

    label            what gpiodetect shows of the chip; by default the class's name
    number_of_lines  how many lines there are; 0: as many as the declared ones need
    base             the first line's number in /sys/class/gpio; -1: one that no other chip has
    """

    usual_node: ClassVar[str] = "/dev/gpiochip0"

    label: str = ""
    number_of_lines: int = 0
    base: int = -1

    #: The names of lines that are not declared one by one, by offset, as a device tree's gpio-line-names.
    line_names: ClassVar[tuple[str, ...]] = ()
    #: The bias after reset of lines that are not declared one by one, by offset: "up", "down" or None.
    line_biases: ClassVar[tuple[Literal["up", "down"] | None, ...]] = ()
    #: Whether lines can have edge events (and software debounce, which needs them).
    interrupts: ClassVar[bool] = True
    #: Whether a program can choose a line's bias; else its wish is without effect, as in the kernel.
    biases: ClassVar[bool] = True

    declared: ClassVar[Mapping[str, Line]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.declared = lines_of(cls)
        check_lines(cls)

    def __init__(self, **parameters: Any) -> None:
        self.files: list[GpioFile] = []
        self.exported: dict[int, gpio_sysfs.ExportedLine] = {}
        self.first_number = 0
        super().__init__(**parameters)
        self.label = self.label or type(self).__name__.lower()
        if not self.lines:
            raise ValueError(f"{type(self).__name__} has no lines; declare some, or set number_of_lines=")

    # ---- Lines

    @cached_property
    def lines(self) -> tuple[ChipLine, ...]:
        """All lines by offset.  Raises ValueError where a declared one lies beyond number_of_lines."""
        declared = {line.offset: line for line in self.declared.values() if line.offset is not None}
        needed = max(len(self.line_names), len(self.line_biases), *(offset + 1 for offset in (-1, *declared)))
        count = self.number_of_lines or needed
        if count < needed:
            raise ValueError(f"{type(self).__name__}: number_of_lines={count}, but its last line is {needed - 1}")
        names, biases = (*self.line_names, *[""] * count), (*self.line_biases, *[None] * count)
        lines = tuple(
            ChipLine(self, at, declared.get(at) or Line(at, names[at], bias=biases[at])) for at in range(count)
        )
        for offset, line in declared.items():
            line.listen(self, lines[offset])
        return lines

    def terminal_of(self, line: Line) -> ChipLine:
        """The line of this chip that was declared so."""
        assert line.offset is not None  # check_lines() saw to it
        return self.lines[line.offset]

    def line(self, which: str | int) -> ChipLine:
        """A line by its name or offset.  Raises KeyError with the names that there are."""
        for line in self.lines:
            if which in (line.offset, line.name):
                return line
        names = ", ".join(line.name for line in self.lines if line.name)
        raise KeyError(f"{type(self).__name__} has no line {which!r}; it has {len(self.lines)}: {names or 'no names'}")

    def line_at(self, offset: int) -> ChipLine:
        """The line that a program means.  Raises OSError(EINVAL) where there is none."""
        if offset >= len(self.lines):
            raise invalid(f"line {offset} of {len(self.lines)}")
        return self.lines[offset]

    # ---- For authors to override

    def requested(self, line: ChipLine) -> None:
        """A program has got a line; line.consumer says which."""

    def released(self, line: ChipLine) -> None:
        """A program has given a line back."""

    # ---- Files

    def open(self, flags: int) -> GpioFile:
        """Return a file of its own for each open: it holds which lines are watched."""
        file = GpioFile(self)
        self.files.append(file)
        return file

    def forget(self, file: GpioFile) -> None:
        """An open chip was closed."""
        if file in self.files:
            self.files.remove(file)

    def notify(self, line: ChipLine, change: int) -> None:
        """Tell the files that watch a line of a change (CHANGED_*)."""
        for file in self.files:
            file.notify(line, change)

    def give_back(self, line: ChipLine) -> None:
        """A request has gone, and a line with it."""
        line.release()
        self.notify(line, CHANGED_RELEASED)
        self.released(line)

    def settle(self) -> None:
        """Let the host handle all closes up to now: a program may ask for a line that it has just given back."""
        if self._plug is not None:
            self._plug.settle()

    def wake_file(self, file: File) -> None:
        """A file has something to read."""
        if self._plug is not None:
            self._plug.wake(file)

    def unplugged(self) -> None:
        """The chip was pulled: what programs held they hold no more."""
        self.files.clear()
        self.exported.clear()
        for line in self.lines:
            if line.holder is not None:
                line.release()

    # ---- What is around the node

    @property
    def chip_name(self) -> str:
        """What the kernel calls the chip: the node's name."""
        return os.path.basename(self.node or "gpiochip0")

    def all_chips(self) -> list[GpioChip]:
        """Those that are plugged in the same run."""
        found = self._plug.devices() if self._plug is not None else []
        return [device for device in found if isinstance(device, GpioChip)]

    def numbers(self, node: str) -> tuple[int | None, int | None]:
        """The minor number is the chip's."""
        number = re.search(r"(\d+)$", node)
        return GPIO_MAJOR, int(number[1]) if number else None

    def surroundings(self, node: str, major: int, minor: int) -> Picture:
        """What libgpiod looks for in /sys before it believes that a node is a chip, and the older class of it."""
        name = os.path.basename(node)
        platform = f"devices/platform/{type(self).__name__.lower()}.{minor}"
        device = f"{platform}/{name}"
        self.first_number = self.base if self.base >= 0 else gpio_sysfs.base_of(minor)
        uevent = f"MAJOR={major}\nMINOR={minor}\nDEVNAME={name}\n"
        return {
            f"/sys/{device}/dev": b"%d:%d\n" % (major, minor),
            f"/sys/{device}/uevent": uevent.encode(),
            f"/sys/{device}/subsystem": Link("../../../../bus/gpio"),
            f"/sys/bus/gpio/devices/{name}": Link(f"../../../{device}"),
            f"/sys/dev/char/{major}:{minor}": Link(f"../../{device}"),
            **gpio_sysfs.surroundings(self, f"/sys/{platform}"),
        }


def check_lines(cls: type[GpioChip]) -> None:
    """Raise NameTaken or TypeError where a class's Lines cannot be: a name in use, no offset, one offset twice."""
    seen: dict[int, str] = {}
    for name, line in cls.declared.items():
        if hasattr(GpioChip, name):
            raise NameTaken(f"{cls.__name__}.{name}: this Line would hide GpioChip.{name}; choose another name")
        if line.offset is None:
            raise TypeError(f"{cls.__name__}.{name}: a chip's Line needs its offset, such as Line(3)")
        other = seen.setdefault(line.offset, name)
        if other != name:
            raise TypeError(f"{cls.__name__}: {other} and {name} are both line {line.offset}")
