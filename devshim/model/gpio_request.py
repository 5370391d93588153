"""LineRequest: lines that a program has asked for with version 2 of the interface, and the rules for that."""

from __future__ import annotations

import errno
from ctypes import sizeof

from devshim.model.gpio_abi import (
    ATTRIBUTE_DEBOUNCE,
    ATTRIBUTE_FLAGS,
    ATTRIBUTE_OUTPUT_VALUES,
    ATTRIBUTES_MAX,
    BIAS_DISABLED,
    BIAS_PULL_DOWN,
    BIAS_PULL_UP,
    BIASES,
    CHANGED_CONFIG,
    CHANGED_REQUESTED,
    DIRECTIONS,
    DRIVES,
    EDGES,
    EVENT_CLOCK_HTE,
    EVENT_CLOCK_REALTIME,
    INPUT,
    LINES_MAX,
    NAME_SIZE,
    OUTPUT,
    V2_LINE_GET_VALUES,
    V2_LINE_SET_CONFIG,
    V2_LINE_SET_VALUES,
    VALID,
    GpioV2LineConfig,
    GpioV2LineEvent,
    GpioV2LineRequest,
    GpioV2LineValues,
    fail,
    invalid,
)
from devshim.model.gpio_events import EventFile, timestamp
from devshim.model.ioctl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, ClassVar

    from devshim.model.device import File
    from devshim.model.gpio import GpioChip
    from devshim.model.gpio_line import ChipLine

EVENTS_PER_LINE = 16
EVENTS_MAX = LINES_MAX * EVENTS_PER_LINE


class Held:
    """The lines of one request: all or none."""

    def __init__(self, chip: GpioChip, holder: File) -> None:
        self.chip = chip
        self.holder = holder
        self.lines: list[ChipLine] = []

    def take(self, offsets: list[int], label: bytes, configure: Callable[[int, ChipLine], None]) -> None:
        """Take lines in turn and set each up: configure(index, line).

        Raises OSError, and has none then: EINVAL for an offset that the chip does not have, EBUSY for a taken line,
        what configure() raises.
        """
        try:
            for index, offset in enumerate(offsets):
                line = self.chip.line_at(offset)
                line.take(self.holder, label)
                self.lines.append(line)
                configure(index, line)
                self.chip.notify(line, CHANGED_REQUESTED)
            for line in self.lines:
                self.chip.requested(line)
        except Exception:
            self.release()
            raise

    def release(self) -> None:
        """Give all lines back, unless the chip has gone and come back in between."""
        lines, self.lines = self.lines, []
        for line in lines:
            if line.holder is self.holder:
                self.chip.give_back(line)


class LineRequest(EventFile):
    """A request's own file (anon_inode:gpio-line): values, configuration, and edge events to read."""

    record: ClassVar[int] = sizeof(GpioV2LineEvent)
    drops_oldest: ClassVar[bool] = True

    def __init__(self, chip: GpioChip, request: GpioV2LineRequest) -> None:
        """Take the lines.  Raises OSError, as the kernel does."""
        super().__init__(chip, 0)
        count = request.num_lines
        if not 0 < count <= LINES_MAX or any(request.padding):
            raise invalid(f"{count} lines, or padding that is not 0")
        check_config(request.config, count)
        self.asked_depth = min(request.event_buffer_size or count * EVENTS_PER_LINE, EVENTS_MAX)
        self.seqno = 0
        self.line_seqnos = [0] * count
        self.held = Held(chip, self)
        self.held.take(
            list(request.offsets[:count]),
            request.consumer[: NAME_SIZE - 1],
            lambda index, line: self.configure(index, line, request.config),
        )

    def configure(self, index: int, line: ChipLine, config: GpioV2LineConfig) -> None:
        """Set one line up as the configuration says."""
        flags = flags_of(config, index)
        line.configure(flags, value_of(config, index))
        if flags & INPUT:
            if flags & EDGES and not self.depth:
                self.depth = fifo_size(self.asked_depth)
            line.detect(flags & EDGES, debounce_of(config, index) or 0, lambda edge: self.edge(index, edge))

    def edge(self, index: int, edge: int) -> None:
        """An edge was found on a line: buffer the event."""
        line = self.held.lines[index]
        self.seqno += 1
        self.line_seqnos[index] += 1
        event = GpioV2LineEvent(
            timestamp_ns=timestamp(bool(line.flags & EVENT_CLOCK_REALTIME)),
            id=edge,
            offset=line.offset,
            seqno=self.seqno,
            line_seqno=self.line_seqnos[index],
        )
        self.put(bytes(event))

    def selected(self, values: GpioV2LineValues) -> list[tuple[int, ChipLine]]:
        """The bit and the line of each that a mask names.  Raises OSError(EINVAL) where it names none."""
        chosen = [(1 << index, line) for index, line in enumerate(self.held.lines) if values.mask >> index & 1]
        if not chosen:
            raise invalid("the mask names no line of this request")
        return chosen

    @ioctl(V2_LINE_GET_VALUES)
    def get_values(self, values: GpioV2LineValues) -> None:
        """Answer the values of the lines in the mask."""
        values.bits = sum(bit for bit, line in self.selected(values) if line.get())

    @ioctl(V2_LINE_SET_VALUES)
    def set_values(self, values: GpioV2LineValues) -> None:
        """Drive the outputs in the mask; EPERM where one is an input."""
        for index, line in enumerate(self.held.lines):
            if values.mask >> index & 1 and not line.output:
                raise fail(errno.EPERM, f"line {line.offset} is an input")
        for bit, line in self.selected(values):
            line.put(int(bool(values.bits & bit)))

    @ioctl(V2_LINE_SET_CONFIG)
    def set_config(self, config: GpioV2LineConfig) -> None:
        """Set the lines up anew; those without a direction stay as they are."""
        check_config(config, len(self.held.lines))
        for index, line in enumerate(self.held.lines):
            if flags_of(config, index) & DIRECTIONS:
                self.configure(index, line, config)
                self.chip.notify(line, CHANGED_CONFIG)

    def close(self) -> None:
        """The last descriptor has gone."""
        self.held.release()


def fifo_size(asked: int) -> int:
    """The events that a buffer has room for: a power of two (kfifo_alloc), and EINVAL for one of 1."""
    if asked < 2:
        raise invalid("a buffer of one event cannot be made")
    return 1 << (asked - 1).bit_length()


def attributes(config: GpioV2LineConfig, kind: int, index: int) -> Iterator[Any]:
    """The attributes of a kind that are meant for a line, by its index in the request; the first one counts."""
    for attribute in config.attrs[: config.num_attrs]:
        if attribute.attr.id == kind and attribute.mask >> index & 1:
            yield attribute.attr


def flags_of(config: GpioV2LineConfig, index: int) -> int:
    """The flags for a line: an attribute's, else those of all."""
    return next((int(attr.flags) for attr in attributes(config, ATTRIBUTE_FLAGS, index)), int(config.flags))


def value_of(config: GpioV2LineConfig, index: int) -> int:
    """The first value of an output."""
    return next((int(attr.values) >> index & 1 for attr in attributes(config, ATTRIBUTE_OUTPUT_VALUES, index)), 0)


def debounce_of(config: GpioV2LineConfig, index: int) -> int | None:
    """The debounce period of a line in µs; None where none is said."""
    return next((int(attr.debounce_period_us) for attr in attributes(config, ATTRIBUTE_DEBOUNCE, index)), None)


def check_config(config: GpioV2LineConfig, count: int) -> None:
    """Raise OSError(EINVAL) for a configuration that cannot be, EOPNOTSUPP for hardware timestamps."""
    if config.num_attrs > ATTRIBUTES_MAX or any(config.padding):
        raise invalid(f"{config.num_attrs} attributes, or padding that is not 0")
    for index in range(count):
        flags = flags_of(config, index)
        check_flags(flags)
        if debounce_of(config, index) is not None and not flags & INPUT:
            raise invalid("debounce is for inputs")


def check_flags(flags: int) -> None:
    """Raise OSError(EINVAL) where a line's flags contradict each other (gpio-v2-get-line-ioctl.rst)."""
    if flags & ~VALID:
        raise invalid(f"unknown flags {flags & ~VALID:#x}")
    if flags & EVENT_CLOCK_HTE:
        raise fail(errno.EOPNOTSUPP, "no hardware timestamps")
    if flags & DIRECTIONS == DIRECTIONS:
        raise invalid("a line is an input or an output, not both")
    if flags & EDGES and not flags & INPUT:
        raise invalid("edges are for inputs")
    if flags & DRIVES and not flags & OUTPUT:
        raise invalid("a drive is for outputs")
    if flags & DRIVES == DRIVES:
        raise invalid("open drain or open source, not both")
    if flags & BIASES and not flags & DIRECTIONS:
        raise invalid("a bias needs a direction")
    if flags & BIASES not in (0, BIAS_PULL_UP, BIAS_PULL_DOWN, BIAS_DISABLED):
        raise invalid("one bias at a time")
