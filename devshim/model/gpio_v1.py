"""Requests of version 1 of the interface: a handle for values of lines, and the edge events of one line."""

from __future__ import annotations

import errno
import os
from ctypes import sizeof

from devshim.model.device import File
from devshim.model.gpio_abi import (
    ACTIVE_LOW,
    BIASES,
    CHANGED_CONFIG,
    DIRECTIONS,
    DRIVES,
    EDGES,
    EVENT_FLAGS,
    HANDLE_FLAGS,
    HANDLE_GET_LINE_VALUES,
    HANDLE_SET_CONFIG,
    HANDLE_SET_LINE_VALUES,
    INPUT,
    LINES_MAX,
    NAME_SIZE,
    OUTPUT,
    GpioeventData,
    GpioeventRequest,
    GpiohandleConfig,
    GpiohandleData,
    GpiohandleRequest,
    fail,
    invalid,
    translated,
)
from devshim.model.gpio_events import EventFile, timestamp
from devshim.model.gpio_request import Held, check_flags
from devshim.model.ioctl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from devshim.model.gpio import GpioChip
    from devshim.model.gpio_line import ChipLine

EVENT_DEPTH = 16  # struct lineevent_state: DECLARE_KFIFO(events, ..., 16)


class LineHandle(File):
    """Lines of one direction (anon_inode:gpio-linehandle): values and configuration, nothing to read."""

    flags = os.O_RDONLY

    def __init__(self, chip: GpioChip, request: GpiohandleRequest) -> None:
        """Take the lines.  Raises OSError, as the kernel does."""
        self.chip = chip
        if not 0 < request.lines <= LINES_MAX:
            raise invalid(f"{request.lines} lines")
        flags = handle_flags(request.flags)
        self.held = Held(chip, self)
        self.held.take(
            list(request.lineoffsets[: request.lines]),
            request.consumer_label[: NAME_SIZE - 1],
            lambda index, line: line.configure(flags, int(bool(request.default_values[index]))),
        )

    @ioctl(HANDLE_GET_LINE_VALUES)
    def get_values(self, data: GpiohandleData) -> None:
        """Answer the values of all lines, and 0 behind them."""
        data.values[:] = values_of(self.held.lines)

    @ioctl(HANDLE_SET_LINE_VALUES)
    def set_values(self, data: GpiohandleData) -> None:
        """Drive all lines; EPERM where they are inputs."""
        if not self.held.lines[0].output:
            raise fail(errno.EPERM, "the lines are inputs")
        for line, value in zip(self.held.lines, data.values, strict=False):
            line.put(int(bool(value)))

    @ioctl(HANDLE_SET_CONFIG)
    def set_config(self, config: GpiohandleConfig) -> None:
        """Set all lines up anew, with a direction."""
        flags = handle_flags(config.flags)
        if not flags & DIRECTIONS:
            raise invalid("a new configuration needs a direction")
        for index, line in enumerate(self.held.lines):
            line.configure(flags, int(bool(config.default_values[index])))
            self.chip.notify(line, CHANGED_CONFIG)

    def ioctl(self, request: int, argument: object) -> None:
        """The driver knows no request but its own: EINVAL, not ENOTTY."""
        raise invalid(f"request {request:#010x} is none of a line handle")

    def close(self) -> None:
        """The last descriptor has gone."""
        self.held.release()


class LineEvents(EventFile):
    """One input with its edges (anon_inode:gpio-event): events to read, and the value."""

    record: ClassVar[int] = sizeof(GpioeventData)

    def __init__(self, chip: GpioChip, request: GpioeventRequest) -> None:
        """Take the line.  Raises OSError, as the kernel does."""
        super().__init__(chip, EVENT_DEPTH)
        chip.line_at(request.lineoffset)
        if request.handleflags & ~known(HANDLE_FLAGS) or request.eventflags & ~known(EVENT_FLAGS):
            raise invalid("unknown flags")
        flags = translated(request.handleflags, HANDLE_FLAGS)
        if flags & (OUTPUT | DRIVES):
            raise invalid("events are of inputs")
        self.flags_asked = flags & (ACTIVE_LOW | BIASES) | INPUT
        check_flags(self.flags_asked)
        self.edges_asked = translated(request.eventflags, EVENT_FLAGS)
        self.held = Held(chip, self)
        self.held.take(
            [request.lineoffset], request.consumer_label[: NAME_SIZE - 1], lambda index, line: self.configure(line)
        )

    def configure(self, line: ChipLine) -> None:
        """Make the line an input whose edges are looked for."""
        line.configure(self.flags_asked, 0)
        if not self.chip.interrupts:
            raise fail(errno.ENODEV, f"{type(self.chip).__name__} has no interrupts, and so no edges")
        line.detect(self.edges_asked & EDGES, 0, self.edge)

    def edge(self, edge: int) -> None:
        """An edge was found: buffer the event."""
        self.put(bytes(GpioeventData(timestamp=timestamp(), id=edge)))

    @ioctl(HANDLE_GET_LINE_VALUES)
    def get_values(self, data: GpiohandleData) -> None:
        """Answer the value of the line."""
        data.values[:] = values_of(self.held.lines)

    def close(self) -> None:
        """The last descriptor has gone."""
        self.held.release()


def handle_flags(flags: int) -> int:
    """GPIOHANDLE_REQUEST_* as flags of version 2.  Raises OSError(EINVAL) where they contradict each other."""
    if flags & ~known(HANDLE_FLAGS):
        raise invalid(f"unknown flags {flags & ~known(HANDLE_FLAGS):#x}")
    meant = translated(flags, HANDLE_FLAGS)
    check_flags(meant)
    return meant


def known(table: dict[int, int]) -> int:
    """All flags of a table."""
    return sum(table)


def values_of(lines: list[ChipLine]) -> list[int]:
    """struct gpiohandle_data's values."""
    return [line.get() for line in lines] + [0] * (LINES_MAX - len(lines))
