"""The stub of an SPI chip: what it clocked out while the program clocked in what it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from devshim.trace.event import Event
from devshim.trace.stub.i2c import segment_after
from devshim.trace.stub.literals import answers_literal, bytes_literal, listed

RD_MODE, RD_SPEED = 0x80016B01, 0x80046B04
MESSAGE, MESSAGE_MASK = 0x40006B00, 0xC000FFFF
TRANSFER = 32  # struct spi_ioc_transfer of linux/spi/spidev.h

#: What was clocked in and out of a frame so far: the program's bytes, and the chip's in the last transfer.
Clocked = tuple[bytes, bytes]


def is_message(event: Event) -> bool:
    """Whether an event is SPI_IOC_MESSAGE(n)."""
    return event.name == "ioctl" and event.request & MESSAGE_MASK == MESSAGE


def is_spi(events: Iterable[Event]) -> bool:
    """Whether the requests are those of spidev."""
    return any(is_message(event) for event in events)


def clocked(event: Event) -> Iterator[Clocked]:
    """The transfers of one call, each with all that the program sent since the chip was selected."""
    if event.error is not None:
        return
    if event.name == "write":
        yield event.data, b""
    elif event.name == "read":
        yield bytes(len(event.data)), event.data
    elif is_message(event) and event.before:
        heads, sent = event.before[0] or b"", b""
        for at in range(0, len(heads) - TRANSFER + 1, TRANSFER):
            head = heads[at : at + TRANSFER]
            out, into = int.from_bytes(head[0:8], "little"), int.from_bytes(head[8:16], "little")
            length = int.from_bytes(head[16:20], "little")
            given = event.before[out] if 0 < out < len(event.before) else None
            sent += (given or b"").ljust(length, b"\0")[:length]
            yield sent, segment_after(event, into)[:length] if into else b""
            if head[27]:  # cs_change
                sent = b""


def body(events: list[Event]) -> list[str]:
    """The lines of a class that answers as the chip did."""
    answers: dict[bytes, list[str]] = {}
    lines = []
    for event in events:
        for sent, came in clocked(event):
            answers.setdefault(sent, []).append(bytes_literal(came))
        if event.name == "ioctl" and event.error is None and not answers:
            lines += setting(event)
    rows = [f"{bytes_literal(sent)}: {answers_literal(came, 8)}" for sent, came in answers.items()]
    return [
        *dict.fromkeys(lines),
        'heard = b""  # what the program has sent since the chip was selected',
        "turns = {}  # which answer is next",
        "",
        "# What the chip sent during the last transfer, by all that it had heard at its end: time after time.",
        f"answers = {listed(rows, 4, '{', '}')}",
        "",
        "def selected(self):",
        '    self.heard = b""',
        "",
        "def transfer(self, out):",
        "    self.heard += bytes(out)",
        "    if self.heard not in self.answers:",
        '        return b""  # fill in: the recording does not have this',
        "    return in_turn(self, self.heard, self.answers[self.heard])",
    ]


def setting(event: Event) -> list[str]:
    """What a request tells of the bus, before the first transfer."""
    data = segment_after(event, 0)
    if event.request == RD_MODE and data:
        return [f"modes = ({data[0] & 3},)"]
    if event.request == RD_SPEED and len(data) == 4:
        return [f"max_speed_hz: int = {int.from_bytes(data, 'little')}"]
    return []
