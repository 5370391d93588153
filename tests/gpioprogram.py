"""What a program does with an open GPIO chip, called as the host calls it, on a chip that lies on a tabletop."""

from __future__ import annotations

from ctypes import c_uint32, sizeof
from typing import Any

from tabletop import Tabletop

from devshim.host.memory import call, call_unknown
from devshim.host.segments import FLAT_AT, SEGMENT, SEGMENTS
from devshim.model import gpio_abi as abi
from devshim.model.device import WAIT, File
from devshim.model.gpio import GpioChip
from devshim.model.ioctl import find_handler
from devshim.model.request import size_of


def flat(data: bytes) -> bytes:
    """An argument without pointers, in the form in which the shim sends it."""
    return SEGMENTS.pack(1, 0) + SEGMENT.pack(FLAT_AT, len(data), 0, 0, 0, 0) + data


def ask(file: File, request: int, argument: bytes) -> tuple[bytes, File | None]:
    """Call ioctl with an argument's bytes; return those that stand there afterwards, and a new file."""
    handler = find_handler(type(file).ioctls, request)
    if handler is None:
        call_unknown(file, request, 0, flat(argument) if size_of(request) else b"")
        return argument, None
    result, out, new, place = call(file, handler, request, 0, flat(argument))
    assert result == 0
    assert new is None or place == handler.place
    return argument if out is None else out[FLAT_AT:], new


class Program:
    """A program with one chip open: `Program(Panel())`.  Each method fails with the errno that the program gets."""

    def __init__(self, chip: GpioChip) -> None:
        self.chip = chip
        self.table = chip._plug or Tabletop.plug(chip, "/dev/gpiochip0")
        self.file = chip.open(0)

    def info(self, offset: int) -> abi.GpioV2LineInfo:
        """Line info, version 2."""
        return self.ask(abi.V2_GET_LINEINFO, abi.GpioV2LineInfo(offset=offset))

    def ask(self, request: int, argument: Any, file: File | None = None) -> Any:
        """ioctl; return the argument as it stands afterwards."""
        return type(argument).from_buffer_copy(ask(file or self.file, request, bytes(argument))[0])

    def request(self, *offsets: int, flags: int = 0, consumer: bytes = b"test", depth: int = 0, **config: Any) -> File:
        """GPIO_V2_GET_LINE; return the file of the request."""
        request = abi.GpioV2LineRequest(num_lines=len(offsets), consumer=consumer, event_buffer_size=depth)
        request.offsets[: len(offsets)] = offsets
        request.config = config_of(flags, **config)
        return self.given(abi.V2_GET_LINE, request)

    def handle(self, *offsets: int, flags: int = 0, values: tuple[int, ...] = (), consumer: bytes = b"test") -> File:
        """GPIO_GET_LINEHANDLE; return the file of the handle."""
        request = abi.GpiohandleRequest(lines=len(offsets), flags=flags, consumer_label=consumer)
        request.lineoffsets[: len(offsets)] = offsets
        request.default_values[: len(values)] = values
        return self.given(abi.GET_LINEHANDLE, request)

    def events(self, offset: int, flags: int = 1, edges: int = 3, consumer: bytes = b"test") -> File:
        """GPIO_GET_LINEEVENT; return the file of the events."""
        request = abi.GpioeventRequest(lineoffset=offset, handleflags=flags, eventflags=edges, consumer_label=consumer)
        return self.given(abi.GET_LINEEVENT, request)

    def given(self, request: int, argument: Any) -> File:
        new = ask(self.file, request, bytes(argument))[1]
        assert new is not None
        return new

    def get(self, file: File, mask: int = 1) -> int:
        """GPIO_V2_LINE_GET_VALUES; return the bits."""
        return self.ask(abi.V2_LINE_GET_VALUES, abi.GpioV2LineValues(mask=mask), file).bits

    def set(self, file: File, bits: int, mask: int = 1) -> None:
        """GPIO_V2_LINE_SET_VALUES."""
        self.ask(abi.V2_LINE_SET_VALUES, abi.GpioV2LineValues(bits=bits, mask=mask), file)

    def configure(self, file: File, flags: int, **config: Any) -> None:
        """GPIO_V2_LINE_SET_CONFIG."""
        self.ask(abi.V2_LINE_SET_CONFIG, config_of(flags, **config), file)

    def watch(self, offset: int) -> abi.GpioV2LineInfo:
        """GPIO_V2_GET_LINEINFO_WATCH."""
        return self.ask(abi.V2_GET_LINEINFO_WATCH, abi.GpioV2LineInfo(offset=offset))

    def unwatch(self, offset: int) -> None:
        """GPIO_GET_LINEINFO_UNWATCH."""
        self.ask(abi.GET_LINEINFO_UNWATCH, c_uint32(offset))


def config_of(
    flags: int,
    values: int | None = None,
    debounce: int | None = None,
    mask: int = (1 << 64) - 1,
    per_line: tuple[tuple[int, int], ...] = (),
) -> abi.GpioV2LineConfig:
    """A configuration: flags for all, (flags, mask) for some, output values, a debounce period in µs."""
    config = abi.GpioV2LineConfig(flags=flags)
    wanted = [(abi.ATTRIBUTE_FLAGS, value, bits) for value, bits in per_line]
    wanted += [(abi.ATTRIBUTE_OUTPUT_VALUES, values, mask)] if values is not None else []
    wanted += [(abi.ATTRIBUTE_DEBOUNCE, debounce, mask)] if debounce is not None else []
    config.num_attrs = len(wanted)
    for attribute, (kind, value, bits) in zip(config.attrs, wanted, strict=False):
        attribute.attr.id, attribute.attr.values, attribute.mask = kind, value, bits
    return config


def read(file: File, kind: type[Any], size: int = 65536) -> list[Any]:
    """All events that wait, as structures; none where read() would block."""
    data = file.read(size)
    return [] if data is WAIT else [kind.from_buffer_copy(data, at) for at in range(0, len(data), sizeof(kind))]


def edges(file: File) -> list[tuple[int, int, int, int]]:
    """(id, offset, seqno, line_seqno) of the edge events that wait."""
    return [(event.id, event.offset, event.seqno, event.line_seqno) for event in read(file, abi.GpioV2LineEvent)]
