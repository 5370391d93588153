"""The stub of an I2C bus: its chips, with what they gave to reads after what was written to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from devshim.model.i2c_abi import (
    BLOCK_DATA,
    BLOCK_PROC_CALL,
    BYTE,
    BYTE_DATA,
    I2C_BLOCK_BROKEN,
    I2C_BLOCK_DATA,
    I2C_FUNCS,
    I2C_RDWR,
    I2C_SLAVE,
    I2C_SLAVE_FORCE,
    I2C_SMBUS,
    M_RD,
    PLAIN,
    PROC_CALL,
    QUICK,
    WORD_DATA,
)
from devshim.trace.event import Event
from devshim.trace.stub.literals import answers_literal, bytes_literal, class_name, error_literal, listed, settled

#: Errors by which an adapter tells that nobody acknowledged.
ABSENT = ("ENXIO", "EREMOTEIO", "ENODEV", "EIO", "ETIMEDOUT")
MESSAGE = 16  # struct i2c_msg of linux/i2c.h, on 64 bits


class Sent(NamedTuple):
    """What went over the wire for one chip, as the chip's read() and write() see it.

    written  bytes of a message to it, else None
    came     bytes of a message from it, else None
    error    the errno by which the transfer failed
    """

    address: int
    written: bytes | None
    came: bytes | None
    error: str | None


class Wire:
    """What the calls of a trace put on the bus."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.functionality: int | None = None
        self.busy: set[int] = set()
        self.sent: list[Sent] = []
        self._address: dict[int, int] = {}
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if event.name == "ioctl":
            self._ioctl(event)
        elif event.name in ("read", "write") and event.file in self._address and event.finished:
            address = self._address[event.file]
            if event.name == "write":
                self.sent.append(Sent(address, event.data, None, event.error))
            else:
                self.sent.append(Sent(address, None, event.data, event.error))

    def _ioctl(self, event: Event) -> None:
        request = event.request
        if request in (I2C_SLAVE, I2C_SLAVE_FORCE) and event.argument is not None:
            self._address[event.file] = event.argument
            if event.error == "EBUSY":
                self.busy.add(event.argument)
        elif request == I2C_FUNCS and event.after and event.after[0]:
            self.functionality = int.from_bytes(event.after[0], "little")
        elif request == I2C_SMBUS and event.before and event.before[0]:
            self.sent += smbus(self._address.get(event.file, 0), event)
        elif request == I2C_RDWR and event.before and len(event.before) > 1:
            self.sent += combined(event)


def smbus(address: int, event: Event) -> Iterator[Sent]:
    """One SMBus transaction as messages (i2c_smbus_xfer_emulated)."""
    before = event.before or [b""]
    head = (before[0] or b"").ljust(8, b"\0")
    reads, command, size = bool(head[0]), head[1:2], int.from_bytes(head[4:8], "little")
    data = (before[1] if len(before) > 1 else None) or b""
    came = segment_after(event, 1)
    error = event.error
    if size == QUICK:
        yield Sent(address, None, None, error)
    elif size == BYTE:
        yield Sent(address, None, came[:1], error) if reads else Sent(address, command, None, error)
    elif size in (BYTE_DATA, WORD_DATA) and reads:
        yield from asked(address, command, came[: 1 if size == BYTE_DATA else 2], error)
    elif size in (BYTE_DATA, WORD_DATA):
        yield Sent(address, command + data[: 1 if size == BYTE_DATA else 2], None, error)
    elif size == PROC_CALL:
        yield from asked(address, command + data[:2], came[:2], error)
    elif size in (BLOCK_DATA, BLOCK_PROC_CALL) and (reads or size == BLOCK_PROC_CALL):
        given = data[: 1 + data[0]] if size == BLOCK_PROC_CALL and data else b""
        yield from asked(address, command + given, came[: 1 + came[0]] if came else b"", error)
    elif size in (I2C_BLOCK_DATA, I2C_BLOCK_BROKEN) and reads:
        yield from asked(address, command, came[1 : 1 + came[0]] if came else b"", error)
    elif data:
        yield Sent(address, command + data[0 if size == BLOCK_DATA else 1 : 1 + data[0]], None, error)


def segment_after(event: Event, number: int) -> bytes:
    """Memory as it was when an ioctl returned; b"" where there is none."""
    after, before = event.after or [], event.before or []
    found = after[number] if number < len(after) else None
    if found is None and number < len(before):
        found = before[number]
    return found or b""


def asked(address: int, written: bytes, came: bytes, error: str | None) -> Iterator[Sent]:
    """A write, and a read behind it."""
    if error is None:
        yield Sent(address, written, None, None)
        yield Sent(address, None, came, None)
    else:
        yield Sent(address, written, None, error)


def combined(event: Event) -> Iterator[Sent]:
    """The messages of an I2C_RDWR: segment 1 holds their heads, and each buffer is a segment behind it."""
    before = event.before or []
    heads = before[1] or b""
    for index in range(len(heads) // MESSAGE):
        head = heads[index * MESSAGE : (index + 1) * MESSAGE]
        address, flags = int.from_bytes(head[0:2], "little"), int.from_bytes(head[2:4], "little")
        target = int.from_bytes(head[8:16], "little")
        if flags & M_RD:
            yield Sent(address, None, segment_after(event, target) if target else b"", event.error)
        else:
            given = before[target] if 0 < target < len(before) else None
            yield Sent(address, given or b"", None, event.error)


class Chip:
    """What one chip was told and gave.

    replies   what reads gave, by what was written before them
    refusals  what came of writes that were refused at least once, None where they were not
    """

    def __init__(self) -> None:
        self.replies: dict[bytes, list[str]] = {}
        self.refusals: dict[bytes, list[str]] = {}
        self.pointer = b""

    def take(self, sent: Sent) -> None:
        """One message."""
        if sent.written is None and sent.came is None:
            return
        error = error_literal(sent.error) if sent.error is not None else None
        if sent.written is not None:
            self.refusals.setdefault(sent.written, []).append(error or "None")
            if error is None:
                self.pointer = sent.written
        else:
            self.replies.setdefault(self.pointer, []).append(error or bytes_literal(sent.came or b""))

    def body(self, address: int, busy: bool) -> list[str]:
        """The lines of its class."""
        rows = [f"{bytes_literal(key)}: {answers_literal(found, 8)}" for key, found in self.replies.items()]
        refused = {key: found for key, found in self.refusals.items() if set(found) != {"None"}}
        lines = [
            f"address: int = {address:#04x}",
            *["busy: bool = True"] * busy,
            'written = b""  # what was written last: with a chip that has registers, the register\'s address',
            "turns = {}  # which answer is next",
            "",
            "# What reads gave, by what was written before: time after time.",
            f"replies = {listed(rows, 4, '{', '}')}",
        ]
        if refused:
            rows = [f"{bytes_literal(key)}: {answers_literal(settled(found), 8)}" for key, found in refused.items()]
            lines += ["# Writes that were refused at times.", f"refusals = {listed(rows, 4, '{', '}')}"]
        lines += ["", "def write(self, data):"]
        if refused:
            lines += ["    if data in self.refusals:", "        in_turn(self, (data,), self.refusals[data])"]
        return [
            *lines,
            "    self.written = bytes(data)",
            "    # fill in: what a write changes in what is read later",
            "",
            "def read(self, size):",
            "    if self.written not in self.replies:",
            "        return bytes(size)  # fill in: the recording has no read here",
            "    return in_turn(self, self.written, self.replies[self.written])[:size]",
        ]


def classes(name: str, events: Iterable[Event]) -> tuple[list[tuple[str, str, list[str]]], set[str]]:
    """Name, base and lines of the classes of a bus and its chips, the bus last; and what must be imported."""
    wire = Wire(events)
    chips: dict[int, Chip] = {}
    absent: Counter[str] = Counter()
    for sent in wire.sent:
        if sent.error is None:
            chips.setdefault(sent.address, Chip())
    for address in wire.busy:
        chips.setdefault(address, Chip())
    for sent in wire.sent:
        if sent.address in chips:
            chips[sent.address].take(sent)
        elif sent.error in ABSENT:
            absent[str(sent.error)] += 1
    found = []
    names: dict[int, str] = {}
    for address, chip in sorted(chips.items()):
        names[address] = class_name(f"chip_{address:02x}", [*names.values(), name])
        found.append((f"_{names[address]}", "I2cChip", chip.body(address, address in wire.busy)))
    lines = []
    if wire.functionality is not None and wire.functionality != PLAIN:
        lines.append(f"functionality: int = {wire.functionality:#010x}")
    if absent and absent.most_common(1)[0][0] != "ENXIO":
        lines.append(f'nack: str = "{absent.most_common(1)[0][0]}"')
    plugged = ", ".join(f"_{one}()" for one in names.values())
    lines += [
        "",
        "def __init__(self, **parameters):",
        f"    super().__init__({plugged + ', ' * bool(plugged)}**parameters)",
    ]
    found.append((name, "I2cBus", lines))
    return found, {"I2cBus", *(["I2cChip"] if chips else [])}


def is_i2c(events: Iterable[Event]) -> bool:
    """Whether the requests are those of an I2C bus."""
    return any(event.name == "ioctl" and event.request in (I2C_SMBUS, I2C_RDWR) for event in events)
