"""Lines by /sys/class/gpio: export, direction, value, edge, as gpiolib-sysfs.c gives them to old programs."""

from __future__ import annotations

import errno

from devshim.model.attribute import Attribute
from devshim.model.device import File, Link
from devshim.model.gpio_abi import ACTIVE_LOW, EDGE_FALLING, EDGE_RISING, INPUT, OUTPUT, fail
from devshim.model.setting import number_in, text_of
from devshim.model.sysfs import in_class, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.gpio import GpioChip
    from devshim.model.gpio_line import ChipLine
    from devshim.model.sysfs import Files

CLASS = "/sys/class/gpio"
EDGES = {"none": 0, "rising": EDGE_RISING, "falling": EDGE_FALLING, "both": EDGE_RISING | EDGE_FALLING}


def base_of(minor: int) -> int:
    """The number of a chip's first line where nobody says: kernels since 6.2 count from 512."""
    return 512 + 256 * minor


class ExportedLine(File):
    """A line that a program has exported: it has it until it is unexported, whoever has its files open."""

    def __init__(self, chip: GpioChip, line: ChipLine) -> None:
        """Take the line.  Raises OSError(EBUSY)."""
        line.take(self, b"sysfs")
        self.chip = chip
        self.line = line
        self.edge = "none"
        self.value = Attribute(line.get, self.set_value)

    def surroundings(self, above: str, number: int) -> Files:
        """The line's directory below its chip's platform device."""
        here = f"{above}/gpio/gpio{number}"
        files = {
            "direction": Attribute(lambda: "out" if self.line.output else "in", self.set_direction),
            "value": self.value,
            "active_low": Attribute(lambda: bool(self.line.flags & ACTIVE_LOW), self.set_active_low),
        }
        if self.chip.interrupts:
            files["edge"] = Attribute(lambda: self.edge, self.set_edge)
        return {
            **{f"{here}/{name}": file for name, file in files.items()},
            f"{here}/uevent": b"",
            f"{here}/device": Link(f"../../{self.chip.chip_name}"),
            **in_class(here, "gpio"),
        }

    def set_direction(self, data: bytes) -> None:
        """in, out, high or low: the last two are levels, whatever active_low says."""
        text = text_of(data)
        if text not in ("in", "out", "high", "low"):
            raise ValueError(f"{text!r}: in, out, high or low")
        self.configure(INPUT if text == "in" else OUTPUT, self.line.logical(text == "high"))

    def configure(self, direction: int, value: int) -> None:
        """Set the line up, and look for edges again if it is an input."""
        self.line.configure(direction | self.line.flags & ACTIVE_LOW, value)
        if direction == INPUT:
            self.look_for_edges()

    def set_value(self, data: bytes) -> None:
        """Drive an output; EPERM for an input."""
        if not self.line.output:
            raise fail(errno.EPERM, f"line {self.line.offset} is an input")
        self.line.put(int(bool(number_in(text_of(data)))))

    def set_edge(self, data: bytes) -> None:
        """Which edges wake those who poll the value."""
        text = text_of(data)
        if text not in EDGES:
            raise ValueError(f"{text!r}: {', '.join(EDGES)}")
        self.edge = text
        self.look_for_edges()

    def look_for_edges(self) -> None:
        """Tell the value's pollers of edges."""
        self.line.detect(EDGES[self.edge], 0, lambda edge: self.value.notify())

    def set_active_low(self, data: bytes) -> None:
        """Turn the meaning of values round, and not the level."""
        low = bool(number_in(text_of(data)))
        self.line.flags = self.line.flags & ~ACTIVE_LOW | (ACTIVE_LOW if low else 0)


def surroundings(chip: GpioChip, above: str) -> Files:
    """The class's two files, the chip's directory, and those of its exported lines."""
    here = f"{above}/gpio/gpiochip{chip.first_number}"
    found: Files = {
        f"{CLASS}/export": Attribute(None, lambda data: export(*line_of(chip, data))),
        f"{CLASS}/unexport": Attribute(None, lambda data: unexport(*line_of(chip, data))),
        f"{here}/base": f"{chip.first_number}\n".encode(),
        f"{here}/label": f"{chip.label}\n".encode(),
        f"{here}/ngpio": f"{len(chip.lines)}\n".encode(),
        f"{here}/uevent": lines({}),
        f"{here}/device": Link(f"../../../{above.rpartition('/')[2]}"),
        **in_class(here, "gpio"),
    }
    for offset, exported in chip.exported.items():
        found |= exported.surroundings(above, chip.first_number + offset)
    return found


def line_of(any_chip: GpioChip, data: bytes) -> tuple[GpioChip, int]:
    """The chip that has a line by this number, and the line's offset.  Raises ValueError where there is none.

    The two files by which lines are exported belong to all chips together; any_chip is one that was plugged.
    """
    number = number_in(text_of(data))
    for chip in any_chip.all_chips():
        if 0 <= number - chip.first_number < len(chip.lines):
            return chip, number - chip.first_number
    raise ValueError(f"no line has the number {number}")


def export(chip: GpioChip, offset: int) -> None:
    """A program asks for a line.  Raises OSError(EBUSY) where somebody has it."""
    chip.settle()
    line = chip.lines[offset]
    chip.exported[offset] = ExportedLine(chip, line)
    chip.requested(line)
    chip.surroundings_changed()


def unexport(chip: GpioChip, offset: int) -> None:
    """A program gives a line back.  Raises ValueError where it was not exported."""
    if offset not in chip.exported:
        raise ValueError(f"line {offset} is not exported")
    line = chip.exported.pop(offset).line
    chip.surroundings_changed()
    chip.give_back(line)
