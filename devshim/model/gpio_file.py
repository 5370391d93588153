"""GpioFile: one open /dev/gpiochipN, with what it is asked about lines, and the changes of lines that it watches."""

from __future__ import annotations

import errno
from ctypes import c_uint32, sizeof

from devshim.model.device import WAIT
from devshim.model.gpio_abi import (
    GET_CHIPINFO,
    GET_LINEEVENT,
    GET_LINEHANDLE,
    GET_LINEINFO,
    GET_LINEINFO_UNWATCH,
    GET_LINEINFO_WATCH,
    V2_GET_LINE,
    V2_GET_LINEINFO,
    V2_GET_LINEINFO_WATCH,
    GpiochipInfo,
    GpioeventRequest,
    GpiohandleRequest,
    GpiolineInfo,
    GpiolineInfoChanged,
    GpioV2LineInfo,
    GpioV2LineInfoChanged,
    GpioV2LineRequest,
    fail,
    invalid,
)
from devshim.model.gpio_events import EventFile, timestamp
from devshim.model.gpio_line import encoded, info_v1
from devshim.model.gpio_request import LineRequest
from devshim.model.gpio_v1 import LineEvents, LineHandle
from devshim.model.ioctl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from devshim.model.gpio import GpioChip
    from devshim.model.gpio_line import ChipLine

CHANGES_DEPTH = 32  # struct gpio_chardev_data: DECLARE_KFIFO(events, ..., 32)


class GpioFile(EventFile):
    """One open of a chip.  Its events are changes of lines that it watches: requested, released, set up anew."""

    record: ClassVar[int] = sizeof(GpioV2LineInfoChanged)

    def __init__(self, chip: GpioChip) -> None:
        super().__init__(chip, CHANGES_DEPTH)
        self.watched: set[int] = set()
        self.version = 0  # of the interface, by the first line that is watched

    # ---- Information

    @ioctl(GET_CHIPINFO, query=True)
    def chip_info(self) -> GpiochipInfo:
        """Answer the name, the label and the number of lines."""
        chip = self.chip
        return GpiochipInfo(name=encoded(chip.chip_name), label=encoded(chip.label), lines=len(chip.lines))

    @ioctl(V2_GET_LINEINFO)
    def line_info(self, info: GpioV2LineInfo) -> GpioV2LineInfo:
        """Answer what is known of a line."""
        if any(info.padding):
            raise invalid("padding that is not 0")
        return self.up_to_date(info.offset).info()

    @ioctl(V2_GET_LINEINFO_WATCH)
    def line_info_watch(self, info: GpioV2LineInfo) -> GpioV2LineInfo:
        """The same, and from now on each change of the line is an event."""
        answer: GpioV2LineInfo = self.line_info(info)
        self.watch(info.offset, 2)
        return answer

    @ioctl(GET_LINEINFO)
    def line_info_v1(self, info: GpiolineInfo) -> GpiolineInfo:
        """Answer what is known of a line."""
        return info_v1(self.up_to_date(info.line_offset).info())

    @ioctl(GET_LINEINFO_WATCH)
    def line_info_watch_v1(self, info: GpiolineInfo) -> GpiolineInfo:
        """The same, and from now on each change of the line is an event."""
        answer: GpiolineInfo = self.line_info_v1(info)
        self.watch(info.line_offset, 1)
        return answer

    @ioctl(GET_LINEINFO_UNWATCH)
    def unwatch(self, offset: c_uint32) -> None:
        """Watch a line no more; EBUSY where it is not watched."""
        self.chip.line_at(offset.value)
        if offset.value not in self.watched:
            raise fail(errno.EBUSY, f"line {offset.value} is not watched")
        self.watched.discard(offset.value)

    def up_to_date(self, offset: int) -> ChipLine:
        """A line, when all that programs have closed is given back."""
        line = self.chip.line_at(offset)
        if line.holder is not None:
            self.chip.settle()
        return line

    def watch(self, offset: int, version: int) -> None:
        """Watch a line.  Raises OSError(EPERM) where this file watches with the other version, EBUSY where it does."""
        self.version = self.version or version
        if self.version != version:
            raise fail(errno.EPERM, f"this file watches lines with version {self.version} of the interface")
        if offset in self.watched:
            raise fail(errno.EBUSY, f"line {offset} is watched already")
        self.watched.add(offset)

    # ---- Requests

    @ioctl(V2_GET_LINE)
    def get_line(self, request: GpioV2LineRequest) -> LineRequest:
        """Give lines to the program: the new descriptor is theirs."""
        self.chip.settle()
        return LineRequest(self.chip, request)

    @ioctl(GET_LINEHANDLE)
    def get_line_handle(self, request: GpiohandleRequest) -> LineHandle:
        """Give lines to the program, version 1."""
        self.chip.settle()
        return LineHandle(self.chip, request)

    @ioctl(GET_LINEEVENT)
    def get_line_event(self, request: GpioeventRequest) -> LineEvents:
        """Give one line and its edges to the program, version 1."""
        self.chip.settle()
        return LineEvents(self.chip, request)

    # ---- Changes of watched lines

    def notify(self, line: ChipLine, change: int) -> None:
        """Buffer an event, if the line is watched."""
        if line.offset in self.watched:
            event = GpioV2LineInfoChanged(info=line.info(), timestamp_ns=timestamp(), event_type=change)
            self.put(bytes(event))

    def read(self, size: int) -> Any:
        """Return events, in the version with which lines are watched.

        As the driver does, it looks for room for the next one by the size of version 2, and for the first one only
        when there is one.
        """
        if not self.events:
            return WAIT
        record = self.record if self.version == 2 else sizeof(GpiolineInfoChanged)
        if size < record:
            raise invalid(f"an event has {record} bytes")
        data = b""
        while self.events and (not data or size >= len(data) + self.record):
            event = self.events.popleft()
            data += event if self.version == 2 else changed_v1(event)
        return data

    def pread(self, size: int, offset: int) -> Any:
        """A chip has no positions (nonseekable_open)."""
        raise fail(errno.ESPIPE)

    def pwrite(self, data: bytes, offset: int) -> Any:
        """A chip has no positions."""
        raise fail(errno.ESPIPE)

    def close(self) -> None:
        """The last descriptor has gone; requests live on."""
        self.chip.forget(self)


def changed_v1(event: bytes) -> bytes:
    """A GpioV2LineInfoChanged as version 1 has it."""
    changed = GpioV2LineInfoChanged.from_buffer_copy(event)
    return bytes(
        GpiolineInfoChanged(info=info_v1(changed.info), timestamp=changed.timestamp_ns, event_type=changed.event_type)
    )
