"""ChipLine: one line of a GPIO chip, who has it, how it is set up, and what gpioinfo says of it."""

from __future__ import annotations

import errno

from devshim.model.gpio_abi import (
    ACTIVE_LOW,
    ATTRIBUTE_DEBOUNCE,
    BIAS_DISABLED,
    BIAS_PULL_DOWN,
    BIAS_PULL_UP,
    BIASES,
    DIRECTIONS,
    EVENT_CLOCK_HTE,
    EVENT_CLOCK_REALTIME,
    INPUT,
    LINE_FLAGS,
    NAME_SIZE,
    OPEN_DRAIN,
    OPEN_SOURCE,
    OUTPUT,
    USED,
    GpiolineInfo,
    GpioV2LineInfo,
    fail,
    translated_back,
)
from devshim.model.gpio_edges import EdgeDetector
from devshim.model.line import Line
from devshim.model.wires import BIAS, PROGRAM, Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.model.device import File
    from devshim.model.gpio import GpioChip

NAMELESS = b"?"  # the consumer where a program gives none (gpiolib.c)


class ChipLine(Terminal):
    """One line: `panel.lines[17]`, or `panel.line("LAMP")`.

    offset, name  where it is, and what it is called
    value         0 or 1, as the model means it; settable, see Line
    level         the wire's level: 1 is high
    output        whether it is an output now
    consumer      who has it: the name that a program or a driver gave; "" where it is free
    flags         GPIO_V2_LINE_FLAG_* of the request that has it
    """

    def __init__(self, chip: GpioChip, offset: int, declared: Line) -> None:
        super().__init__(declared.active_low)
        self.chip = chip
        self.offset = offset
        self.name = declared.name
        self.used = declared.used
        self.only = declared.only
        self.output = declared.output
        self.flags = ACTIVE_LOW if declared.used is not None and declared.active_low else 0
        self.holder: File | None = None
        self.edges: EdgeDetector | None = None
        self._label = encoded(declared.used or "")
        declared.prepare(self)
        if self.output:
            self.drive(PROGRAM, (declared.value or 0) ^ self.active_low)

    @property
    def consumer(self) -> str:
        """Who has the line; "" where it is free."""
        return self._label.decode(errors="surrogateescape")

    def __repr__(self) -> str:
        return f"<line {self.offset} {self.name!r} of {type(self.chip).__name__}: {self.level}>"

    # ---- Who has it

    def take(self, holder: File, label: bytes) -> None:
        """Give the line to a request.  Raises OSError(EBUSY) where it has been taken."""
        if self.holder is not None or self.used is not None:
            raise fail(errno.EBUSY, f"line {self.offset} is used by {self.consumer!r}")
        self.holder = holder
        self._label = label or NAMELESS

    def release(self) -> None:
        """Take the line back: its set-up is forgotten, but it stays an output, and keeps its level and its bias."""
        self.stop_edges()
        self.holder = None
        self.flags = 0
        self._label = b""

    # ---- How it is set up

    def configure(self, flags: int, value: int) -> None:
        """Set the line up as GPIO_V2_LINE_FLAG_* say; value is an output's first, as the program means it.

        Without a direction it stays as it is, but for ACTIVE_LOW.  Raises OSError(EIO) for a direction that it
        cannot have.
        """
        if flags & OUTPUT and self.only == "input":
            raise fail(errno.EIO, f"line {self.offset} is an input, and cannot be anything else")
        if flags & INPUT and self.only == "output":
            raise fail(errno.EIO, f"line {self.offset} is an output, and cannot be anything else")
        self.flags = flags & ~DIRECTIONS
        if flags & DIRECTIONS and self.chip.biases:
            self._set_bias(flags & BIASES)
        if flags & OUTPUT:
            self.stop_edges()
            self.output = True
            self.put(value)
        elif flags & INPUT:
            self.output = False
            self.drive(PROGRAM, None)

    def _set_bias(self, bias: int) -> None:
        """No flag leaves the bias as it is (gpio-v2-get-line-ioctl.rst)."""
        if bias == BIAS_PULL_UP:
            self.drive(BIAS, 1)
        elif bias == BIAS_PULL_DOWN:
            self.drive(BIAS, 0)
        elif bias == BIAS_DISABLED:
            self.drive(BIAS, None)

    def logical(self, level: int) -> int:
        """A level as the program that has the line means it, and the other way round."""
        return level ^ bool(self.flags & ACTIVE_LOW)

    def put(self, value: int) -> None:
        """Drive an output to what the program means by a value; open drains and sources let go of one level."""
        level = self.logical(value)
        lets_go = (level and self.flags & OPEN_DRAIN) or (not level and self.flags & OPEN_SOURCE)
        self.drive(PROGRAM, None if lets_go else level)

    def get(self) -> int:
        """The value for the program: debounced where it asked for that."""
        debounced = self.edges is not None and self.edges.debounce_us
        return self.logical(self.edges.level if self.edges is not None and debounced else self.level)

    # ---- Edges

    def detect(self, edges: int, debounce_us: int, emit: Callable[[int], None]) -> None:
        """Call emit for these edges from now on.  Raises OSError(ENXIO) where the chip has no interrupts for it."""
        if not edges and not debounce_us:
            self.stop_edges()
            return
        if not self.chip.interrupts:
            raise fail(errno.ENXIO, f"{type(self.chip).__name__} has no interrupts, and so no edges")
        if self.edges is None:
            self.edges = EdgeDetector(self, emit)
        self.edges.configure(edges, debounce_us)

    def stop_edges(self) -> None:
        """Detect no more edges."""
        if self.edges is not None:
            self.edges.stop()
            self.edges = None

    def changed(self) -> None:
        """The level has changed: the program hears first, then the model."""
        if self.edges is not None:
            self.edges.changed()
        super().changed()

    # ---- What a program is told

    def info_flags(self) -> int:
        """The GPIO_V2_LINE_FLAG_* that tell of the line."""
        shown = self.flags & ~(EVENT_CLOCK_HTE if self.flags & EVENT_CLOCK_REALTIME else 0)
        used = USED if self.holder is not None or self.used is not None else 0
        return shown | used | (OUTPUT if self.output else INPUT)

    def info(self) -> GpioV2LineInfo:
        """The line as version 2 shows it."""
        info = GpioV2LineInfo(
            name=encoded(self.name), consumer=self._label, offset=self.offset, flags=self.info_flags()
        )
        if self.edges is not None and self.edges.debounce_us:
            info.num_attrs = 1
            info.attrs[0].id = ATTRIBUTE_DEBOUNCE
            info.attrs[0].debounce_period_us = self.edges.debounce_us
        return info


def info_v1(info: GpioV2LineInfo) -> GpiolineInfo:
    """The same line as version 1 shows it."""
    flags = translated_back(info.flags, LINE_FLAGS)
    return GpiolineInfo(line_offset=info.offset, flags=flags, name=info.name, consumer=info.consumer)


def encoded(text: str) -> bytes:
    """A name as the kernel's structures hold it: at most 31 bytes."""
    return text.encode(errors="surrogateescape")[: NAME_SIZE - 1]
